//! The program as its users see it.

use burn_descent::registry::ROWS;
use burn_descent_lab::gallery;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn lab(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(line.split_whitespace()).current_dir(folder).output().unwrap()
}

fn succeeds(folder: &Path, line: &str) -> String {
    let output = lab(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn listing(folder: &Path) -> BTreeSet<String> {
    let name = |entry: Result<fs::DirEntry, _>| entry.unwrap().file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().map(name).collect()
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("report.html"), "<html>").unwrap();
    fs::write(mine.join("gallery.md"), "# Mine").unwrap();
    for (line, expected) in [
        ("", "requires a subcommand"),
        ("surfaces", "tip: a similar subcommand exists: 'surface'"),
        ("surface --functions rosenbrok", "did you mean `rosenbrock`?"),
        ("surface --functions cliff", "the functions are bowl, rosenbrock"),
        ("surface --functions bowl,bowl", "--functions names a function twice"),
        ("surface --optimizers adamv", "did you mean `adam`?"),
        ("surface --optimizers adam,adam", "`adam` is there twice"),
        ("surface --optimizers sgd:momentum", "OPTION=VALUE"),
        ("surface --optimizers sgd:momentum=1.5", "momentum = 1.5 is not allowed"),
        ("surface --lr -1", "lr = -1 is not allowed"),
        ("surface --lr NaN", "lr = NaN is not allowed"),
        ("surface --steps 0", "--steps"),
        ("surface --backend tpu", "there is no backend `tpu`"),
        ("lr --optimizers adamv", "did you mean `adam`?"),
        ("lr --from 0", "min_lr = 0 is not allowed"),
        ("lr --from 1 --to 0.1", "max_lr = 0.1 is not allowed"),
        ("lr --task guessing", "--task"),
        ("lr --data nowhere.csv --target x", "nowhere.csv"),
        ("schedules --steps 9", "--steps"),
        ("schedules --out file", "--out file: it is a file, not a folder"),
        ("schedules --out file/below", "is a file"),
        ("schedules --out mine", "a report.html that is not of the lab"),
        ("gallery file/below", "is a file"),
        ("gallery mine --optimizers sgd", "no gallery of the lab"),
    ] {
        let output = lab(folder.path(), line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line}: {errors}");
        assert!(output.stdout.is_empty(), "{line}");
        assert_eq!(listing(folder.path()), ["file", "mine"].map(String::from).into(), "{line}");
        assert_eq!(
            listing(&mine),
            ["gallery.md", "report.html"].map(String::from).into(),
            "{line}"
        );
    }
}

#[test]
fn a_walk_is_told_written_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let line = "surface --functions saddle --optimizers sgd,sgd:momentum=0.9 --steps 3 --lr 0.1";
    let text = succeeds(folder.path(), &format!("{line} --out a/b"));
    assert!(text.contains("sgd:momentum=0.9") && text.contains("report.html"), "{text}");
    let out = folder.path().join("a/b");
    let names = ["report.html", "report.json", "results.json"];
    let pictures = ["saddle", "saddle-values", "sgd", "sgd-momentum-0.9"];
    let pictures = pictures.iter().flat_map(|name| ["svg", "png"].map(|e| format!("{name}.{e}")));
    assert_eq!(listing(&out), names.map(String::from).into_iter().chain(pictures).collect());
    let png = fs::read(out.join("saddle.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000);

    let results: Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let printed = succeeds(folder.path(), &format!("{line} --json"));
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), results);
    assert_eq!(results["made"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(results["made"]["machine"].as_str().unwrap().contains("thread"));
    let walk = &results["functions"][0]["walks"][0];
    assert_eq!(walk["points"].as_array().unwrap().len(), 4);
    // x falls by a fifth in each step: its slope is 2 x.
    let end = walk["points"][3][0].as_f64().unwrap();
    assert!((end + 1.7 * 0.8_f64.powi(3)).abs() < 1e-6, "{end}");
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains(&format!("lab {line} --out a/b")), "the command is in the report");
}

#[test]
fn range_tests_suggest_rates() {
    let folder = tempfile::tempdir().unwrap();
    let line = "lr --optimizers sgd,adam --steps 60 --from 1e-5 --hidden 16 --json";
    let results: Value = serde_json::from_str(&succeeds(folder.path(), line)).unwrap();
    let suggestion = |test: usize| results["tests"][test]["suggestion"].as_f64().unwrap();
    assert!(suggestion(0) > 3.0 * suggestion(1), "gradient descent takes larger rates than Adam");
    assert!(suggestion(1) > 1e-4 && suggestion(0) < 10.0);
}

#[test]
fn a_walk_that_diverges_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let text = succeeds(folder.path(), "surface --functions beale --optimizers sgd --lr 1");
    assert!(text.contains("diverges at step"), "{text}");
}

#[test]
fn every_optimizer_is_in_the_gallery() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let again = "run `cargo run --release --bin lab -- gallery docs`";
    let page = fs::read_to_string(docs.join("gallery.md")).unwrap();
    assert!(page == gallery::text(), "docs/gallery.md is stale: {again}");
    let expected: BTreeSet<String> = ROWS.iter().map(|row| format!("{}.svg", row.name)).collect();
    let pictures = docs.join("gallery");
    assert_eq!(listing(&pictures), expected, "{again}");
    for name in expected {
        let size = fs::metadata(pictures.join(&name)).unwrap().len();
        assert!((10_000..64_000).contains(&size), "{name}: {size} bytes");
    }
}
