//! What the walk does around the optimizer.

use clap::Args;
use serde::{Deserialize, Serialize};

/// What is asked of the walk beside an optimizer and its schedule: flags, and kept in a save.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// Clip the gradients of a step to this norm, all together: a remedy for steps that leap out of
    /// a valley [default: no limit]
    #[arg(long, value_name = "NORM", allow_negative_numbers = true, help_heading = "Training")]
    pub clip_norm: Option<f64>,

    /// Accumulate the gradients of so many batches, and take a step with their mean: a batch of K
    /// times the size, where that does not fit in memory. Batches left over at the end of an epoch
    /// wait for the next one; see --flush [default: 1]
    #[arg(long, value_name = "K", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Training")]
    pub accumulate: Option<u32>,

    /// Take a step with the batches left over at the end of each epoch, instead of letting them wait
    /// for the next one
    #[arg(long, help_heading = "Training")]
    #[serde(default)]
    pub flush: bool,

    /// Evaluate an exponential moving average of the weights, with this decay: 0.99 averages over
    /// about a hundred steps; 0 is none [default: none]
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true, help_heading = "Training")]
    pub ema: Option<f64>,

    /// Let Mechanic tune a factor of the optimizer's steps, so that --lr matters less
    #[arg(long, help_heading = "Training")]
    #[serde(default)]
    pub mechanic: bool,
}

impl Around {
    /// The same, with what is open as in a save.
    pub fn or(&self, saved: Option<&Self>) -> Self {
        let saved = saved.cloned().unwrap_or_default();
        Self {
            clip_norm: self.clip_norm.or(saved.clip_norm),
            accumulate: self.accumulate.or(saved.accumulate),
            flush: self.flush || saved.flush,
            ema: self.ema.or(saved.ema),
            mechanic: self.mechanic || saved.mechanic,
        }
    }

    /// How many batches make a step.
    pub fn batches(&self) -> u32 {
        self.accumulate.unwrap_or(1)
    }
}
