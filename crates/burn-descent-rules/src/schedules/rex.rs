use super::anneal::{between, left};
use super::declare::schedule;
use crate::{Bound, Schedule};

schedule! {
    /// REX, the reflected exponential: holds the rate up for long, then drops.
    ///
    /// ```text
    /// η(t) = end + (value − end) x / (1/2 + x/2),    x = 1 − t / steps
    /// ```
    ///
    /// Falls half as fast as a straight line at first and twice as fast in the end; halfway it still
    /// has two thirds of its height. Made for when there are few steps.
    ///
    /// - Defaults: `end` 0, as in the paper.
    /// - Source: Chen, Wolfe & Kyrillidis 2021, <https://arxiv.org/abs/2107.04197>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Rex, Schedule};
    ///
    /// let lr = Rex::new(0.3, 100);
    /// assert_eq!((lr.at(0), lr.at(100)), (0.3, 0.0));
    /// assert!((lr.at(50) - 0.2).abs() < 1e-15);
    /// ```
    pub struct Rex(value: f64, steps: u64) {
        /// Where it begins.
        value: NonNegative,
        /// Its length.
        steps: Steps,
        /// Where it ends and stays.
        end: NonNegative = 0.0,
    }
}

impl Schedule for Rex {
    fn name(&self) -> &'static str {
        "rex"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        let x = left(step, self.steps);
        between(self.value, self.end, x / (0.5 + 0.5 * x))
    }
}
