//! Examples in the documentation import from `burn_descent`, as users do.

use std::fs;
use std::path::{Path, PathBuf};

/// The line that is not shown, by which such an example compiles here.
const HIDDEN: &str = "# use burn_descent_rules::burn_descent;";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn examples_import_from_burn_descent() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 80, "these are not the sources: {files:?}");
    for file in files {
        for (number, line) in fs::read_to_string(&file).expect("text").lines().enumerate() {
            let doc = line.trim_start().strip_prefix("//").unwrap_or_default();
            let doc = doc.trim_start_matches(['/', '!']).trim();
            let ours = doc.contains("burn_descent_rules") && doc != HIDDEN;
            assert!(!ours, "{}:{}: {line}", file.display(), number + 1);
        }
    }
}
