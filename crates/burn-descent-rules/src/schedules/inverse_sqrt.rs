use super::declare::schedule;
use crate::{Bound, Schedule};

schedule! {
    /// One over the square root of the step.
    ///
    /// ```text
    /// η(t) = value √(timescale / (timescale + t))
    /// ```
    ///
    /// Falls slower and slower, without an end: to 71% after `timescale` steps, to half after three
    /// times as many. Nothing depends on how long the training is. With a
    /// [`warmup`](Schedule::warmup) of `timescale` steps it is `value √(timescale / t)` after it.
    ///
    /// - Source: Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>; with a timescale of its own,
    ///   Zhai et al. 2021, <https://arxiv.org/abs/2106.04560>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{InverseSqrt, Schedule};
    ///
    /// let lr = InverseSqrt::new(1.0, 100).warmup(100);
    /// assert_eq!((lr.at(50), lr.at(100), lr.at(400), lr.at(10_000)), (0.5, 1.0, 0.5, 0.1));
    /// ```
    pub struct InverseSqrt(value: f64, timescale: u64) {
        /// Where it begins.
        value: NonNegative,
        /// How slowly it falls, in steps.
        timescale: Steps,
    }
}

impl Schedule for InverseSqrt {
    fn name(&self) -> &'static str {
        "inverse_sqrt"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        let timescale = self.timescale as f64;
        self.value * (timescale / (timescale + step as f64)).sqrt()
    }
}

schedule! {
    /// Noam, the schedule of the first Transformer.
    ///
    /// ```text
    /// η(t) = scale · model_size^(−1/2) · min(n^(−1/2), n · warmup^(−3/2)),    n = t + 1
    /// ```
    ///
    /// Rises in a straight line for `warmup` steps to `scale / √(model_size · warmup)`, then falls
    /// with one over the root of the step: a warmed up [`InverseSqrt`], one step ahead.
    ///
    /// - Defaults: `scale` 1, as in the paper; its base model has size 512 and a warmup of 4000.
    /// - Source: Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Noam, Schedule};
    ///
    /// let lr = Noam::new(512, 4000);
    /// assert!((lr.at(3999) - 6.988e-4).abs() < 1e-7);
    /// assert!((lr.at(15_999) - 3.494e-4).abs() < 1e-7);
    /// ```
    pub struct Noam(model_size: u64, warmup: u64) {
        /// The width of the model.
        model_size: Steps,
        /// Length of the warmup.
        warmup: Steps,
        /// A factor.
        scale: NonNegative = 1.0,
    }
}

impl Schedule for Noam {
    fn name(&self) -> &'static str {
        "noam"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        let peak = self.scale / (self.model_size as f64 * self.warmup as f64).sqrt();
        let ahead = step.saturating_add(1);
        InverseSqrt::new(peak, self.warmup).warmup(self.warmup).at(ahead)
    }
}
