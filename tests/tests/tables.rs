//! The tables in the documentation are fresh. `BURN_DESCENT_BLESS=1` writes them anew.

use burn_descent::registry::ROWS;
use burn_descent_tests::{checked, tables};
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
