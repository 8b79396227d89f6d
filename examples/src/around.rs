//! What the walk does around the optimizer.

use clap::Args;
use serde::{Deserialize, Serialize};

/// What is asked of the walk beside an optimizer and its schedule: flags, and kept in a save.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// Scale all gradients of a step down together where their norm is above this: a remedy for
    /// steps that leap out of a valley [default: no limit]
    #[arg(long, value_name = "NORM", allow_negative_numbers = true, help_heading = "Training")]
    pub clip_norm: Option<f64>,

    /// So many batches make a step, with the mean gradient of all their examples: a batch of K
    /// times the size where that does not fit in memory. Batches that are left over at the end of
    /// an epoch wait for the next one; see --flush [default: 1]
    #[arg(long, value_name = "K", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Training")]
    pub accumulate: Option<u32>,

    /// At the end of each epoch take the step of the batches that are left over there, with the mean
    /// gradient of those, instead of letting them wait for the next epoch
    #[arg(long, help_heading = "Training")]
    #[serde(default)]
    pub flush: bool,

    /// Judge by an exponential moving average of the weights, of which each step keeps this share:
    /// 0.99 smooths over some hundred steps; 0 is none [default: none]
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true, help_heading = "Training")]
    pub ema: Option<f64>,

    /// Let Mechanic tune a factor of the optimizer's steps, so that --lr is of less matter
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
