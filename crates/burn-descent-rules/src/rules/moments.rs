//! What several relatives of Adam have in common: options, scalars and the step.

use crate::transforms::decay;
use crate::{Real, fields};

/// Options of Adam that its relatives have too, under the same names.
pub(super) struct Common {
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
    pub(super) eps_hat: f64,
    pub(super) eps_root_hat: f64,
    pub(super) weight_decay: f64,
    pub(super) decoupled_weight_decay: bool,
}

fields! {
    /// State of rules that have two moments and nothing else.
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch.
        m,
        /// Second moment, `exp_avg_sq` in PyTorch.
        v: positive,
    }

    /// Scalars of [`AdamC`](crate::AdamC) and [`Grams`](crate::Grams).
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, for moments whose bias is not corrected.
        lr,
        /// Beside and under the root of the second moment as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Common {
    pub(super) fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let (lr, root_bias2) = uncorrected(lr, beta1, beta2, t);
        let (eps, eps_root) = (self.eps * root_bias2 + self.eps_hat, self.eps_root_hat);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, lr, eps, eps_root }
    }
}

/// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, the learning rate for moments whose bias is not corrected, and
/// `√(1 − β₂ᵗ)`, the factor of what is added to their root.
pub(super) fn uncorrected(lr: f64, beta1: f64, beta2: f64, t: u64) -> (f64, f64) {
    let root_bias2 = (1.0 - beta2.powf(t as f64)).sqrt();
    (lr * root_bias2 / (1.0 - beta1.powf(t as f64)), root_bias2)
}

/// The step `η m̂ / (√v̂ + ε)`.
#[inline(always)]
pub(super) fn step<R: Real>(m: R, v: R, k: Scalars<R>) -> R {
    k.lr * m / ((v + k.eps_root).sqrt() + k.eps)
}
