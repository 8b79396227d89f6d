use super::anneal::{Anneal, between, left};
use super::declare::schedule;
use crate::{Bound, Schedule};

schedule! {
    /// Half a wave of the cosine.
    ///
    /// ```text
    /// η(t) = end + (value − end) ((1 + cos(π t / steps)) / 2)ᵖ,    p = exponent
    /// ```
    ///
    /// Leaves `value` flat, is steepest halfway, comes to `end` flat, and stays there (PyTorch's rises
    /// again after its `T_max`). An exponent above 1 brings it down sooner.
    ///
    /// - Defaults: `end` 0, `exponent` 1.
    /// - Source: Loshchilov & Hutter 2016, <https://arxiv.org/abs/1608.03983>; the exponent is optax's.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Cosine, Schedule};
    ///
    /// let lr = Cosine::new(1e-3, 1000).end(1e-5);
    /// assert_eq!((lr.at(0), lr.at(1000), lr.at(1001)), (1e-3, 1e-5, 1e-5));
    /// assert!((lr.at(500) - 5.05e-4).abs() < 1e-15);
    /// ```
    pub struct Cosine(value: f64, steps: u64) {
        /// Where it begins.
        value: NonNegative,
        /// Its length.
        steps: Steps,
        /// Where it ends and stays.
        end: NonNegative = 0.0,
        /// The exponent `p`.
        exponent: Positive = 1.0,
    }
}

impl Schedule for Cosine {
    fn name(&self) -> &'static str {
        "cosine"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        let height = Anneal::Cosine.height(left(step, self.steps));
        between(self.value, self.end, height.powf(self.exponent))
    }
}

schedule! {
    /// SGDR: cosines that start over, each `mult` times as long as the one before.
    ///
    /// ```text
    /// η(t) = end + (value − end) (1 + cos(π u / T)) / 2
    /// u = t − (steps of the cycles before),    T = steps · multⁱ in cycle i
    /// ```
    ///
    /// Falls as [`Cosine`] does, jumps back to `value` where it would reach `end`, and falls again, for
    /// ever.
    ///
    /// - Defaults: `end` 0; `mult` 1, cycles of the same length. The paper also likes 2.
    /// - Source: Loshchilov & Hutter 2016, <https://arxiv.org/abs/1608.03983>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{CosineRestarts, Schedule};
    ///
    /// // Cycles of 10, 20, 40, ... steps.
    /// let lr = CosineRestarts::new(0.1, 10).mult(2);
    /// assert_eq!((lr.at(0), lr.at(10), lr.at(30), lr.at(70)), (0.1, 0.1, 0.1, 0.1));
    /// assert!((lr.at(20) - 0.05).abs() < 1e-15);
    /// ```
    pub struct CosineRestarts(value: f64, steps: u64) {
        /// Where each cycle begins.
        value: NonNegative,
        /// Length of the first cycle.
        steps: Steps,
        /// What each cycle falls to.
        end: NonNegative = 0.0,
        /// How many times as long as the one before a cycle is.
        mult: Steps = 1,
    }
}

impl Schedule for CosineRestarts {
    fn name(&self) -> &'static str {
        "cosine_restarts"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, mut step: u64) -> f64 {
        let mut cycle = self.steps.max(1);
        if self.mult <= 1 {
            step %= cycle;
        }
        // At most 64 rounds: the cycle at least doubles.
        while step >= cycle {
            step -= cycle;
            cycle = cycle.saturating_mul(self.mult);
        }
        Cosine::new(self.value, cycle).end(self.end).at(step)
    }
}
