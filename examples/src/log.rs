//! A line a step in a file.

use crate::output;
use anyhow::{Context, Result, bail, ensure};
use burn_descent::{Csv, JsonLines, Observer};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How a log is written.
#[derive(Clone, Copy)]
enum Format {
    JsonLines,
    Csv,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Ok(Self::JsonLines),
            Some("csv") => Ok(Self::Csv),
            _ => bail!("--log {}: its name must end in .jsonl or .csv", path.display()),
        }
    }

    /// May a log begin so? The text is the beginning of a file, or all of one that is short.
    fn begins_with(self, text: &str) -> bool {
        let agree =
            |text: &str, expected: &str| text.starts_with(expected) || expected.starts_with(text);
        match self {
            Self::Csv => agree(text, "step,stepped,parameters,skipped,skipped_in_all,"),
            Self::JsonLines => match text.strip_prefix("{\"step\":") {
                None => agree(text, "{\"step\":"),
                Some(number) => {
                    agree(number.trim_start_matches(|c: char| c.is_ascii_digit()), ",\"stepped\":")
                }
            },
        }
    }
}

/// Longer than what tells a log from other files.
const BEGINNING: u64 = 64;

/// Finds out before training whether a log can be written here.
///
/// # Errors
/// If it cannot, if the name does not say which format is meant, or if a file is there that is not
/// a log and must not be replaced.
pub fn check(path: &Path) -> Result<()> {
    let format = Format::of(path)?;
    output::check_file(path)?;
    let name = path.display();
    if path.exists() {
        let mut begin = Vec::new();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        file.take(BEGINNING).read_to_end(&mut begin).context("--log")?;
        ensure!(
            str::from_utf8(&begin).is_ok_and(|begin| format.begins_with(begin)),
            "cannot log to {name}: there is a file that is no log; take another name"
        );
    }
    Ok(())
}

/// Begins a log, or goes on with that of a run that goes on. Batches that make no step are not in
/// it.
///
/// # Errors
/// If the file cannot be written.
pub fn open(path: &Path, goes_on: bool) -> Result<Box<dyn Observer>> {
    output::make_folder_of(path)?;
    Ok(match (Format::of(path)?, goes_on) {
        (Format::JsonLines, false) => Box::new(JsonLines::create(path)?.every(1)),
        (Format::JsonLines, true) => Box::new(JsonLines::append(path)?.every(1)),
        (Format::Csv, false) => Box::new(Csv::create(path)?.every(1)),
        (Format::Csv, true) => Box::new(Csv::append(path)?.every(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_a_log_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text, replaced) in [
            ("empty.jsonl", "", true),
            ("cut.jsonl", "{\"step\":12", true),
            ("log.jsonl", "{\"step\":12,\"stepped\":true,\"skipped\":false}\n", true),
            ("other.jsonl", "{\"step\":1,\"loss\":0.5}\n", false),
            ("bytes.jsonl", "\u{b5}", false),
            ("cut.csv", "step,stepped,par", true),
            ("log.csv", "step,stepped,parameters,skipped,skipped_in_all,lr.all\n1", true),
            ("other.csv", "step,stepped,mine\n", false),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            assert_eq!(check(&path).is_ok(), replaced, "{name}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
