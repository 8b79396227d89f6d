//! How a run trains.

use super::flags::Flags;
use crate::output;
use crate::position::EPOCHS;
use crate::recipe::Recipe;
use anyhow::{Context, Result, ensure};
use burn_descent::LrSchedule;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

const FILE: &str = "run.json";

/// How a run trains: what burn's checkpoints do not say. It is kept beside them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// What it has in common with `classifier`.
    pub(super) recipe: Recipe,
    /// Epochs in all.
    pub(super) epochs: u64,
    /// [`Dataset::checksum`](crate::data::Dataset::checksum) of its data.
    pub(super) data: u32,
}

impl Run {
    /// What the flags say; where they say nothing, what the run says that goes on; else the
    /// defaults.
    pub(super) fn new(
        flags: &Flags,
        saved: Option<Run>,
        recipe: Recipe,
        data: u32,
    ) -> Result<Self> {
        let epochs = flags.common.epochs.or(saved.map(|saved| saved.epochs)).unwrap_or(EPOCHS);
        let done = flags.resume.unwrap_or(0);
        ensure!(
            epochs >= done,
            "the save has {done} epochs: --epochs is the total, it cannot be {epochs}"
        );
        Ok(Self { recipe, epochs, data })
    }

    /// The learning rate over all steps with so many examples.
    pub(super) fn lr(&self, examples: usize) -> Result<LrSchedule> {
        let batches = self.recipe.batch_size.batches(examples) as u64;
        let steps = batches.saturating_mul(self.epochs);
        Ok(LrSchedule::new(self.recipe.schedule(steps)?)?)
    }

    /// Reads what is kept in a folder.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let json = fs::read(&path).with_context(|| format!("no run: {}", path.display()))?;
        serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Keeps it in a folder.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).context(FILE)?;
        output::write_file(&folder.join(FILE), |path| Ok(fs::write(path, &json)?))
    }
}
