use super::anneal::between;
use super::steps;
use crate::{Bound, Range, Schedule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Up and down between two values, again and again.
///
/// ```text
/// η(t) = start + (peak − start) · x · h
/// x: 0 → 1 in up steps, 1 → 0 in down steps,    h: the height
/// ```
///
/// A saw with straight edges. Its teeth are all the same, or lower and lower: see [`Height`].
/// [`momentum`](Cyclic::momentum) goes the other way: down while the rate rises.
///
/// - Defaults: `down` as long as `up`; the same height always.
/// - Source: Smith 2015, <https://arxiv.org/abs/1506.01186>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{Cyclic, Height, Schedule};
///
/// let lr = Cyclic::new(0.0, 1.0, 4).down(2).height(Height::Halving);
/// assert_eq!((lr.at(0), lr.at(2), lr.at(4), lr.at(5), lr.at(6)), (0.0, 0.5, 1.0, 0.5, 0.0));
/// assert_eq!((lr.at(10), lr.at(16)), (0.5, 0.25));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// Where each cycle begins and ends, >= 0.
    #[setters(skip)]
    pub start: f64,
    /// The other value, which the first cycle reaches, >= 0.
    #[setters(skip)]
    pub peak: f64,
    /// The steps from `start` to `peak`, > 0.
    #[setters(skip)]
    pub up: u64,
    /// The steps from `peak` to `start`, > 0. Default `up`.
    pub down: u64,
    /// What becomes of the height of the cycles. Default [`Height::Same`].
    pub height: Height,
}

/// What becomes of the height of a [`Cyclic`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Height {
    /// It stays; `triangular` in the paper and in PyTorch.
    Same,
    /// Each cycle has half of the one before; `triangular2`.
    Halving,
    /// Each step has `gamma`, in [0, 1], times that of the one before; `exp_range`.
    Decaying {
        /// The factor of a step.
        gamma: f64,
    },
}

impl Cyclic {
    /// From `start` to `peak` in `up` steps and back in as many.
    pub fn new(start: f64, peak: f64, up: u64) -> Self {
        Self { start, peak, up, down: up, height: Height::Same }
    }

    /// The momentum that goes with it: from `high` to `low` while the rate rises, then back.
    /// PyTorch's are 0.8 and 0.9.
    pub fn momentum(&self, low: f64, high: f64) -> Self {
        Self { start: high, peak: low, ..self.clone() }
    }
}

impl Schedule for Cyclic {
    fn name(&self) -> &'static str {
        "cyclic"
    }

    fn bounds(&self) -> Vec<Bound> {
        let mut bounds = vec![
            Range::NonNegative.of("start", self.start),
            Range::NonNegative.of("peak", self.peak),
            steps("up", self.up),
            steps("down", self.down),
        ];
        if let Height::Decaying { gamma } = self.height {
            bounds.push(Range::Fraction.of("gamma", gamma));
        }
        bounds
    }

    fn at(&self, step: u64) -> f64 {
        let cycle = self.up.saturating_add(self.down).max(1);
        let (cycles, within) = (step / cycle, step % cycle);
        let x = if within < self.up {
            within as f64 / self.up as f64
        } else {
            (cycle - within) as f64 / self.down as f64
        };
        let height = match self.height {
            Height::Same => 1.0,
            Height::Halving => 0.5_f64.powf(cycles as f64),
            Height::Decaying { gamma } => gamma.powf(step as f64),
        };
        between(self.peak, self.start, x * height)
    }
}
