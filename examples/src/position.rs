//! How far a run has come.

use crate::args::Flags;
use crate::around::Around;
use crate::model::Network;
use crate::recipe::Recipe;
use crate::train::Epoch;
use anyhow::{Result, ensure};
use burn_descent::{Descent, Ema, Mechanic, Schedule};
use serde::{Deserialize, Serialize};

/// Epochs, if nobody says how many.
pub(crate) const EPOCHS: u64 = 20;

/// How a run trains, and how far it has come. A save keeps it beside the walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// How it is trained.
    pub recipe: Recipe,
    /// What is done around the optimizer.
    pub around: Around,
    /// Epochs in all.
    pub epochs: u64,
    /// [`Dataset::checksum`](crate::data::Dataset::checksum) of its data.
    pub data: u32,
    /// Steps taken.
    pub steps: u64,
    /// Batches that wait for a step.
    pub waiting: u64,
    /// The epochs that are done.
    pub history: Vec<Epoch>,
}

impl Position {
    /// A run before its first epoch, or one that goes on from a save: what the flags say; where
    /// they say nothing, what the save says; else the defaults.
    ///
    /// # Errors
    /// If the flags leave nothing to go on with.
    pub fn new(flags: &Flags, recipe: Recipe, data: u32, saved: Option<&Self>) -> Result<Self> {
        let around = flags.around.or(saved.map(|saved| &saved.around));
        let epochs = flags.common.epochs.or(saved.map(|saved| saved.epochs)).unwrap_or(EPOCHS);
        let (steps, waiting) = saved.map_or((0, 0), |saved| (saved.steps, saved.waiting));
        let history = saved.map(|saved| saved.history.clone()).unwrap_or_default();
        let done = history.len() as u64;
        ensure!(
            epochs >= done,
            "the save has {done} epochs: --epochs is the total, it cannot be {epochs}"
        );
        ensure!(
            waiting == 0 || waiting < around.batches().into(),
            "in the save {waiting} batches wait for a step: --accumulate must be more than that"
        );
        Ok(Self { recipe, around, epochs, data, steps, waiting, history })
    }

    /// How many epochs are done.
    pub fn done(&self) -> u64 {
        self.history.len() as u64
    }

    /// The walk of a model that learns from so many examples.
    ///
    /// # Errors
    /// If an option is not allowed, or no step would ever be taken.
    pub fn walk(&self, model: &Network, examples: usize) -> Result<Descent> {
        self.walk_by(model, self.recipe.schedule(self.all_steps(examples)?)?)
    }

    /// The walk of a model by a schedule of the learning rate.
    ///
    /// # Errors
    /// If an option is not allowed.
    pub fn walk_by(&self, model: &Network, schedule: impl Schedule) -> Result<Descent> {
        let Around { clip_norm, ema, .. } = self.around;
        let walk = self.recipe.walk()?.schedule(schedule).accumulate(self.around.batches());
        let walk = clip_norm.into_iter().fold(walk, |walk, norm| walk.clip_norm(norm));
        let walk = ema.into_iter().fold(walk, |walk, decay| walk.average(Ema::new(decay)));
        let walk = if self.around.mechanic { walk.mechanic(Mechanic::new()) } else { walk };
        Ok(walk.build(model)?)
    }

    /// After an epoch of so many batches, with so many steps taken in all.
    pub fn advance(&mut self, epoch: Epoch, batches: usize, steps: u64) {
        self.history.push(epoch);
        self.steps = steps;
        let waiting = (self.waiting + batches as u64) % u64::from(self.around.batches());
        self.waiting = if self.around.flush { 0 } else { waiting };
    }

    /// The steps taken, and those of the epochs that are left.
    fn all_steps(&self, examples: usize) -> Result<u64> {
        let accumulate = self.around.batches();
        let batches = self.recipe.batch_size.batches(examples) as u64;
        let epochs = self.epochs - self.done();
        let left = batches.saturating_mul(epochs);
        let steps = if self.around.flush && epochs > 0 {
            let of_epoch = |batches: u64| batches.div_ceil(accumulate.into());
            let first = of_epoch(batches.saturating_add(self.waiting));
            of_epoch(batches).saturating_mul(epochs - 1).saturating_add(first)
        } else {
            left.saturating_add(self.waiting) / u64::from(accumulate)
        };
        let steps = self.steps.saturating_add(steps);
        ensure!(
            steps > 0,
            "--accumulate {accumulate} is too much: there are {left} batches in all, and no step; \
             --flush takes one at the end of each epoch"
        );
        Ok(steps)
    }
}
