//! The folder of a run, in which burn keeps metrics and checkpoints.

use super::checked;
use crate::output;
use anyhow::{Context, Result, ensure};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::{ModuleRecord, RecordError};
use std::fs;
use std::path::{Path, PathBuf};

/// Where burn keeps the checkpoints in the folder.
pub(super) const CHECKPOINTS: &str = "checkpoint";

/// The file of what is so called after an epoch.
pub(super) fn checkpoint(folder: &Path, what: &str, epoch: u64) -> PathBuf {
    folder.join(CHECKPOINTS).join(format!("{what}-{epoch}.bpk"))
}

/// Finds out whether a new run can be kept here.
pub(super) fn check_new(folder: &Path) -> Result<()> {
    output::check_writable(folder)?;
    if !folder.exists() {
        return Ok(());
    }
    let name = folder.display();
    let mut files = fs::read_dir(folder).with_context(|| format!("cannot write to {name}"))?;
    ensure!(
        files.next().is_none(),
        "{name} is not empty: a new run needs a folder of its own, --resume goes on with an old one"
    );
    Ok(())
}

/// Finds out whether a run can go on after an epoch: burn would panic if it cannot.
pub(super) fn check_resume(folder: &Path, epoch: u64) -> Result<()> {
    let epochs = checkpoints(folder);
    ensure!(
        epochs.contains(&epoch),
        "there is no checkpoint of epoch {epoch} in {}, there are {epochs:?}",
        folder.display()
    );
    let whole = |what: &str, read: fn(&Path) -> Result<(), RecordError>| {
        let path = checkpoint(folder, what, epoch);
        checked::check(&path)?;
        read(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    whole("model", |path| ModuleRecord::load(path).map(drop))?;
    whole("optim", |path| OptimizerRecord::load(path).map(drop))?;
    whole("scheduler", |path| LrSchedulerRecord::load(path).map(drop))
}

/// The epochs that have a checkpoint.
fn checkpoints(folder: &Path) -> Vec<u64> {
    let files = fs::read_dir(folder.join(CHECKPOINTS)).into_iter().flatten().flatten();
    let epoch = |name: String| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse().ok();
    let mut epochs: Vec<u64> =
        files.filter_map(|file| epoch(file.file_name().into_string().ok()?)).collect();
    epochs.sort_unstable();
    epochs
}
