//! The way from one value to another.

use core::f64::consts::FRAC_PI_2;
use serde::{Deserialize, Serialize};

/// The shape of the way from one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// A straight line.
    Linear,
    /// Half a wave of the cosine: slow, fast, slow. Loshchilov & Hutter 2016,
    /// <https://arxiv.org/abs/1608.03983>.
    Cosine,
    /// `1 − √x`: fast, then slower and slower. Hägele et al. 2024,
    /// <https://arxiv.org/abs/2405.18392>.
    Sqrt,
}

impl Anneal {
    /// The share of the height that is left where the share `left` of the steps is: both fall from
    /// 1 to 0.
    pub(super) fn height(self, left: f64) -> f64 {
        match self {
            Anneal::Linear => left,
            // (1 + cos π(1 − left)) / 2, exact at both ends.
            Anneal::Cosine => (FRAC_PI_2 * left).sin().powi(2),
            Anneal::Sqrt => 1.0 - (1.0 - left).sqrt(),
        }
    }
}

/// From `value` to `end` as `height` goes from 1 to 0; exact at both.
pub(super) fn between(value: f64, end: f64, height: f64) -> f64 {
    value * height + end * (1.0 - height)
}

/// The share that is left of a way of so many steps: from 1 to 0, where it stays.
pub(super) fn left(step: u64, steps: u64) -> f64 {
    if step >= steps { 0.0 } else { (steps - step) as f64 / steps as f64 }
}
