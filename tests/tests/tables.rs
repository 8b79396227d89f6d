//! The tables in the documentation are fresh. `BURN_DESCENT_BLESS=1` writes them anew.

use burn_descent::registry::ROWS;
use burn_descent_tests::{checked, moving, tables};
use std::path::Path;

/// Holds what stands between two markers of a file against what should.
fn check(file: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).expect("a file of the repository");
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- /{name} -->"));
    let from = text.find(&begin).expect("the first marker") + begin.len();
    let to = from + text[from..].find(&end).expect("the second marker");
    if checked::blessing() {
        std::fs::write(&path, format!("{}{table}{}", &text[..from], &text[to..])).expect("written");
    } else {
        assert!(
            text[from..to] == *table,
            "{file}: the table `{name}` is stale, run\n\
             BURN_DESCENT_BLESS=1 cargo test --test tables\nIt should be\n{table}"
        );
    }
}

#[test]
fn optimizers_of_the_readme() {
    check("README.md", "optimizers", &tables::optimizers());
}

#[test]
fn defaults_of_the_documentation() {
    check("crates/burn-descent/src/defaults.md", "defaults", &tables::defaults());
}

#[test]
fn numbers_of_the_book() {
    check("docs/book/src/precision.md", "numbers", &tables::numbers());
}

/// The chapters of the book for people who come from another library.
#[test]
fn moving_from_other_libraries() {
    let chapter = |file: &str| format!("docs/book/src/moving/{file}.md");
    for (file, libraries) in [
        ("pytorch", &["torch.optim"] as &[&str]),
        ("optax", &["optax"]),
        ("keras", &["keras"]),
        ("burn-optim", &[burn_descent_tests::burns::LIBRARY]),
        ("pytorch-optimizer", &["pytorch_optimizer"]),
        ("timm", &["timm"]),
        ("others", OTHERS),
    ] {
        for library in libraries {
            check(&chapter(file), library, &format!("\n{}\n", moving::library(library)));
        }
    }
    let hugging_face = format!("\n{}\n", moving::hugging_face());
    check(&chapter("hugging-face"), "hugging-face", &hugging_face);
}

const OTHERS: &[&str] = &[
    "adam_atan2_pytorch",
    "adam_mini",
    "apollo_torch",
    "came_pytorch",
    "dadaptation",
    "galore_torch",
    "heavyball",
    "kron_torch",
    "optimi",
    "prodigyopt",
    "schedulefree",
];

/// Every library of the table is in a chapter, but for formulas of papers and programs of ours.
#[test]
fn no_library_is_left_out() {
    let chapters = ["torch.optim", "optax", "keras", "burn-optim", "pytorch_optimizer", "timm"];
    for (library, rows) in burn_descent_golden::LIBRARIES {
        let is_here = chapters.contains(library) || OTHERS.contains(library);
        let is_none = ["formula", "numpy", "jaxopt"].contains(library) || rows.is_empty();
        assert!(is_here != is_none, "{library}");
    }
}

/// The documentation of a rule says what a step reads and writes; its graph knows.
#[test]
fn traffic_of_the_rules() {
    let rules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/burn-descent-rules/src/rules");
    for row in ROWS {
        let file = format!("{}.rs", row.name);
        let files = [rules.join(&file), rules.join("matrices").join(&file)];
        let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok());
        let text = text.expect("a rule's file has its name");
        let words: Vec<_> = text.split_whitespace().filter(|word| *word != "///").collect();
        let explanation = row.explain(&[]).expect("the defaults are allowed");
        let (read, written) = (explanation.bytes_read(), explanation.bytes_written());
        let expected = format!("Traffic in f32: read {read}, write {written} bytes a weight");
        assert!(words.join(" ").contains(&expected), "{}.rs does not say: {expected}", row.name);
    }
}
