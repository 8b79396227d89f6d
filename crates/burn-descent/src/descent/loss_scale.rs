//! A loss large enough for f16.

use burn_descent_rules::{InvalidOption, check_options, options};

options! {
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
    #[doc(alias = "GradScaler")]
    pub struct LossScale {
        /// The scale to begin with, from `min_scale` to `max_scale`.
        init_scale: Positive = 65536.0,
        /// What the scale grows by.
        growth_factor: AtLeast(1.0) = 2.0,
        /// What the scale falls by.
        backoff_factor: OpenFraction = 0.5,
        /// Good steps in a row before the scale grows.
        growth_interval: Count(1) = 2000,
        /// The least scale.
        min_scale: Positive = 1.0,
        /// The greatest scale: 2²⁴.
        max_scale: Positive = 16_777_216.0,
    }
}

impl LossScale {
    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, NAME)?;
        let Self { init_scale, min_scale, max_scale, .. } = *self;
        let rules = [
            ("max_scale", max_scale, max_scale >= min_scale, ">= min_scale"),
            ("init_scale", init_scale, (min_scale..=max_scale).contains(&init_scale), IN_BOUNDS),
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
