use crate::{Bound, InvalidOption, Range};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Reduces a value when a metric has stopped improving.
///
/// ```text
/// better: metric < best (1 − threshold)         (min, relative; see Better and Threshold)
/// after more than patience metrics that are not: value ← max(factor · value, min)
/// ```
///
/// Stays where it is while the metric improves and drops when it does not; after a drop it looks
/// away for `cooldown` metrics. This is the one schedule that depends on more than the step: it has
/// a state, which is part of it and is saved and loaded with it.
///
/// - Defaults and behaviour: PyTorch's `ReduceLROnPlateau`. `factor` 0.1, `patience` 10,
///   `threshold` 1e-4 relative, `cooldown` 0, `min` 0, `eps` 1e-8; a smaller metric is better.
/// - A metric that is NaN or infinite is never better.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::ReduceOnPlateau;
///
/// let mut lr = ReduceOnPlateau::new(0.5).patience(1).factor(0.5);
/// lr.check()?;
/// let lrs = [3.0, 2.0, 2.0, 2.0, 1.0].map(|loss| lr.observe(loss));
/// assert_eq!(lrs, [0.5, 0.5, 0.5, 0.25, 0.25]);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// Which metric is better. Default [`Better::Min`].
    pub better: Better,
    /// The factor of a reduction, in [0, 1). Default 0.1.
    pub factor: f64,
    /// How many metrics in a row may be no better, before one more reduces. Default 10.
    pub patience: u64,
    /// By how much a metric has to be better than the best, >= 0. Default 1e-4.
    pub threshold: f64,
    /// What the threshold is a share of. Default [`Threshold::Relative`].
    #[doc(alias = "threshold_mode")]
    pub threshold_is: Threshold,
    /// How many metrics after a reduction are not counted. Default 0.
    pub cooldown: u64,
    /// The least value, >= 0. Default 0.
    #[doc(alias = "min_lr")]
    pub min: f64,
    /// A reduction by no more than this is not made, >= 0. Default 1e-8.
    pub eps: f64,
    #[setters(skip)]
    value: f64,
    /// None until there was a finite metric.
    #[setters(skip)]
    best: Option<f64>,
    /// Metrics in a row that were no better.
    #[setters(skip)]
    worse: u64,
    /// Metrics still not to be counted.
    #[setters(skip)]
    cooling: u64,
}

/// Which of two metrics is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The smaller, as of a loss.
    Min,
    /// The larger, as of an accuracy.
    Max,
}

/// What a threshold is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The best metric so far.
    Relative,
    /// One: it is a difference of metrics.
    Absolute,
}

impl ReduceOnPlateau {
    /// Begins at `value`.
    pub fn new(value: f64) -> Self {
        Self {
            better: Better::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_is: Threshold::Relative,
            cooldown: 0,
            min: 0.0,
            eps: 1e-8,
            value,
            best: None,
            worse: 0,
            cooling: 0,
        }
    }

    /// The value now.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Takes the next metric, such as the validation loss of an epoch, and returns the new value.
    pub fn observe(&mut self, metric: f64) -> f64 {
        if self.improves(metric) {
            self.best = Some(metric);
            self.worse = 0;
        } else {
            self.worse += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.worse = 0;
        }
        if self.worse > self.patience {
            let reduced = (self.value * self.factor).max(self.min);
            if self.value - reduced > self.eps {
                self.value = reduced;
            }
            self.cooling = self.cooldown;
            self.worse = 0;
        }
        self.value
    }

    fn improves(&self, metric: f64) -> bool {
        let Some(best) = self.best else { return metric.is_finite() };
        let sign = match self.better {
            Better::Min => -1.0,
            Better::Max => 1.0,
        };
        let goal = match self.threshold_is {
            Threshold::Relative => best * (1.0 + sign * self.threshold),
            Threshold::Absolute => best + sign * self.threshold,
        };
        metric.is_finite() && sign * metric > sign * goal
    }

    /// Are all options allowed?
    ///
    /// # Errors
    /// The first option that is not, with its value and what is allowed.
    pub fn check(&self) -> Result<(), InvalidOption> {
        self.bounds().iter().try_for_each(|bound| bound.check("reduce_on_plateau"))
    }

    /// Every numeric option with its value and range.
    pub fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::NonNegative.of("value", self.value),
            Range::Decay.of("factor", self.factor),
            Range::NonNegative.of("threshold", self.threshold),
            Range::NonNegative.of("min", self.min),
            Range::NonNegative.of("eps", self.eps),
        ]
    }
}
