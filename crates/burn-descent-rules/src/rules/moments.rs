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
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let root_bias2 = (1.0 - self.beta2.powf(t as f64)).sqrt();
        Scalars {
            l2,
            keep,
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            beta2: self.beta2,
            one_beta2: 1.0 - self.beta2,
            lr: lr * root_bias2 / (1.0 - self.beta1.powf(t as f64)),
            eps: self.eps * root_bias2 + self.eps_hat,
            eps_root: self.eps_root_hat,
        }
    }
}

/// The step `η m̂ / (√v̂ + ε)`.
#[inline(always)]
pub(super) fn step<R: Real>(m: R, v: R, k: Scalars<R>) -> R {
    k.lr * m / ((v + k.eps_root).sqrt() + k.eps)
}
