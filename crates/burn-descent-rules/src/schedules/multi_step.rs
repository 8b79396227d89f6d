use super::steps;
use crate::{Bound, Range, Schedule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// A drop at each of some steps.
///
/// ```text
/// η(t) = value · factorⁿ,    n = how many milestones are <= t
/// ```
///
/// A staircase down that drops where you say. The order of the milestones does not matter; one
/// that is there twice drops twice.
///
/// - Defaults: `factor` 0.1, as in PyTorch.
/// - Source: known from He et al. 2015, <https://arxiv.org/abs/1512.03385>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{MultiStep, Schedule};
///
/// let lr = MultiStep::new(1.0, [30, 60]).factor(0.5);
/// assert_eq!((lr.at(29), lr.at(30), lr.at(59), lr.at(60)), (1.0, 0.5, 0.5, 0.25));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// Where it begins, >= 0.
    #[setters(skip)]
    pub value: f64,
    /// The steps of the drops, each > 0.
    #[setters(skip)]
    pub milestones: Vec<u64>,
    /// The factor of a drop, in [0, 1]. Default 0.1.
    pub factor: f64,
}

impl MultiStep {
    /// A tenth at each milestone.
    pub fn new(value: f64, milestones: impl Into<Vec<u64>>) -> Self {
        Self { value, milestones: milestones.into(), factor: 0.1 }
    }
}

impl Schedule for MultiStep {
    fn name(&self) -> &'static str {
        "multi_step"
    }

    fn bounds(&self) -> Vec<Bound> {
        let options =
            [Range::NonNegative.of("value", self.value), Range::Fraction.of("factor", self.factor)];
        let milestones = self.milestones.iter().map(|step| steps("milestones", *step));
        options.into_iter().chain(milestones).collect()
    }

    fn at(&self, step: u64) -> f64 {
        let drops = self.milestones.iter().filter(|milestone| **milestone <= step).count();
        self.value * self.factor.powf(drops as f64)
    }
}
