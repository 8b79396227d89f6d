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

    /// What every log begins with.
    fn begins(self) -> &'static [u8] {
        match self {
            Self::JsonLines => b"{\"step\":",
            Self::Csv => b"step,stepped,",
        }
    }
}

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
        let whole = format.begins();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        file.take(whole.len() as u64).read_to_end(&mut begin).context("--log")?;
        ensure!(
            whole.starts_with(&begin),
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
