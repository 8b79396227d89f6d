use super::anneal::{between, left};
use super::steps;
use crate::{Bound, Range, Schedule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct Rex {
    /// Where it begins, >= 0.
    #[setters(skip)]
    pub value: f64,
    /// Its length, > 0.
    #[setters(skip)]
    pub steps: u64,
    /// Where it ends and stays, >= 0. Default 0.
    pub end: f64,
}

impl Rex {
    /// From `value` to 0.
    pub fn new(value: f64, steps: u64) -> Self {
        Self { value, steps, end: 0.0 }
    }
}

impl Schedule for Rex {
    fn name(&self) -> &'static str {
        "rex"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::NonNegative.of("value", self.value),
            steps("steps", self.steps),
            Range::NonNegative.of("end", self.end),
        ]
    }

    fn at(&self, step: u64) -> f64 {
        let x = left(step, self.steps);
        between(self.value, self.end, x / (0.5 + 0.5 * x))
    }
}
