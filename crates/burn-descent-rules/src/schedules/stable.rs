use super::anneal::{Anneal, between, left};
use super::declare::schedule;
use crate::{Bound, Schedule};

schedule! {
    /// WSD, warmup-stable-decay: up, a long plateau, down.
    ///
    /// ```text
    /// η(t) = value · t / warmup      for warmup steps
    /// η(t) = value                   for stable steps
    /// η(t) = value → end             for decay steps, in the shape of anneal
    /// ```
    ///
    /// A trapezium. While it is on its plateau nothing depends on how long the training will be: a
    /// checkpoint from there can be trained on, or brought down whenever it should be.
    ///
    /// - Defaults: `end` 0; a straight line down. In practice `decay` is 10 to 20% of all steps.
    /// - Source: Hu et al. 2024, <https://arxiv.org/abs/2404.06395>. Its exponential decay is
    ///   `value.warmup(w).then(w + s, Exponential::new(value, 0.5).every(t))`.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Schedule, WarmupStableDecay};
    ///
    /// let lr = WarmupStableDecay::new(1.0, 10, 80, 10);
    /// assert_eq!((lr.at(0), lr.at(5), lr.at(10), lr.at(90)), (0.0, 0.5, 1.0, 1.0));
    /// assert_eq!((lr.at(95), lr.at(100), lr.at(101)), (0.5, 0.0, 0.0));
    /// ```
    pub struct WarmupStableDecay(value: f64, warmup: u64, stable: u64, decay: u64) {
        /// The plateau.
        value: NonNegative,
        /// The steps up to it; with 0 it begins there.
        warmup: u64,
        /// The steps on it.
        stable: Steps,
        /// The steps down from it.
        decay: Steps,
        /// Where it ends and stays.
        end: NonNegative = 0.0,
        /// The shape of the way down.
        anneal: Choice(Anneal) = Anneal::Linear,
    }
}

impl Schedule for WarmupStableDecay {
    fn name(&self) -> &'static str {
        "warmup_stable_decay"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.value.warmup(self.warmup).at(step);
        }
        let decaying = step.saturating_sub(self.warmup.saturating_add(self.stable));
        between(self.value, self.end, self.anneal.height(left(decaying, self.decay)))
    }
}
