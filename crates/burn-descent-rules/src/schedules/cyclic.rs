use super::anneal::between;
use super::declare::schedule;
use crate::{Bound, InvalidOption, Range, Schedule};
use serde::{Deserialize, Serialize};

schedule! {
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
    pub struct Cyclic(start: f64, peak: f64, up: u64) {
        /// Where each cycle begins and ends.
        start: NonNegative,
        /// The other value, which the first cycle reaches.
        peak: NonNegative,
        /// The steps from `start` to `peak`.
        up: Steps,
        /// The steps from `peak` to `start`.
        down: Steps = up,
        /// What becomes of the height of the cycles.
        height: Choice(Height) = Height::Same,
    }
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
        self.ranges()
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        match self.height {
            Height::Decaying { gamma } => Range::Fraction.of("gamma", gamma).check(self.name()),
            Height::Same | Height::Halving => Ok(()),
        }
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
