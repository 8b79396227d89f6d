//! A loss large enough for f16.

use burn_descent_rules::{InvalidOption, Range};
use derive_setters::Setters;

/// Dynamic loss scaling, for training in f16: gradients of the scaled loss do not vanish in the
/// precision, and a scale under which they overflow is given up.
///
/// Multiply the loss with [`Descent::scale_loss`](crate::Descent::scale_loss) before `backward`
/// ([`step_with`](crate::Descent::step_with) does it by itself). The step divides by the scale
/// before anything is clipped, in the optimizers' own pass. A step whose gradients are not finite
/// is skipped, and the scale falls by `backoff_factor`; after `growth_interval` good steps in a row
/// it grows by `growth_factor`. Reads the norm of the gradients: a GPU waits for it.
///
/// Defaults are those of PyTorch's `GradScaler`, which has no bounds.
///
/// Reference: Micikevicius et al. 2017, <https://arxiv.org/abs/1710.03740>.
#[derive(Clone, Debug, PartialEq, Setters)]
#[doc(alias = "GradScaler")]
pub struct LossScale {
    /// The scale to begin with, from `min_scale` to `max_scale`. Default 65536.
    pub init_scale: f64,
    /// What the scale grows by, >= 1. Default 2.
    pub growth_factor: f64,
    /// What the scale falls by, in (0, 1). Default 0.5.
    pub backoff_factor: f64,
    /// Good steps in a row before the scale grows, > 0. Default 2000.
    pub growth_interval: u64,
    /// The least scale, > 0. Default 1.
    pub min_scale: f64,
    /// The greatest scale. Default 2²⁴.
    pub max_scale: f64,
}

impl Default for LossScale {
    fn default() -> Self {
        Self {
            init_scale: 65536.0,
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval: 2000,
            min_scale: 1.0,
            max_scale: 16_777_216.0,
        }
    }
}

impl LossScale {
    /// With the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        let Self { init_scale, growth_factor, backoff_factor, min_scale, max_scale, .. } = *self;
        let growth_interval = self.growth_interval as f64;
        Range::Positive.of("min_scale", min_scale).check(NAME)?;
        Range::Positive.of("growth_interval", growth_interval).check(NAME)?;
        let rules = [
            ("max_scale", max_scale, max_scale >= min_scale, ">= min_scale"),
            ("init_scale", init_scale, (min_scale..=max_scale).contains(&init_scale), IN_BOUNDS),
            ("growth_factor", growth_factor, growth_factor >= 1.0, "a number >= 1"),
            (
                "backoff_factor",
                backoff_factor,
                (0.0..1.0).contains(&backoff_factor) && backoff_factor > 0.0,
                "in (0, 1)",
            ),
        ];
        InvalidOption::unless_all_hold(NAME, &rules)
    }
}

const NAME: &str = "loss_scale";
const IN_BOUNDS: &str = "from min_scale to max_scale";

/// The scale now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) value: f64,
    /// Good steps since it has changed.
    pub(super) good: u64,
}

impl Scale {
    pub(super) fn start(options: &LossScale) -> Self {
        Self { value: options.init_scale, good: 0 }
    }

    pub(super) fn after_good(&mut self, options: &LossScale) {
        self.good += 1;
        if self.good >= options.growth_interval {
            self.value = (self.value * options.growth_factor).min(options.max_scale);
            self.good = 0;
        }
    }

    /// Did it fall?
    pub(super) fn after_overflow(&mut self, options: &LossScale) -> bool {
        let before = self.value;
        self.value = (self.value * options.backoff_factor).max(options.min_scale);
        self.good = 0;
        self.value < before
    }
}
