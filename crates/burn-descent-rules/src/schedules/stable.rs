use super::anneal::{Anneal, between, left};
use super::steps;
use crate::{Bound, Range, Schedule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct WarmupStableDecay {
    /// The plateau, >= 0.
    #[setters(skip)]
    pub value: f64,
    /// The steps up to it; with 0 it begins there.
    #[setters(skip)]
    pub warmup: u64,
    /// The steps on it, > 0.
    #[setters(skip)]
    pub stable: u64,
    /// The steps down from it, > 0.
    #[setters(skip)]
    pub decay: u64,
    /// Where it ends and stays, >= 0. Default 0.
    pub end: f64,
    /// The shape of the way down. Default [`Anneal::Linear`].
    pub anneal: Anneal,
}

impl WarmupStableDecay {
    /// Straight lines from 0 to `value` and back.
    pub fn new(value: f64, warmup: u64, stable: u64, decay: u64) -> Self {
        Self { value, warmup, stable, decay, end: 0.0, anneal: Anneal::Linear }
    }
}

impl Schedule for WarmupStableDecay {
    fn name(&self) -> &'static str {
        "warmup_stable_decay"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::NonNegative.of("value", self.value),
            steps("stable", self.stable),
            steps("decay", self.decay),
            Range::NonNegative.of("end", self.end),
        ]
    }

    fn at(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.value.warmup(self.warmup).at(step);
        }
        let decaying = step.saturating_sub(self.warmup.saturating_add(self.stable));
        between(self.value, self.end, self.anneal.height(left(decaying, self.decay)))
    }
}
