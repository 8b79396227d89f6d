//! What stands in front of a rule.

use crate::Real;

/// The gradient of the loss plus the penalty `weight_decay / 2 * p²`; `sign` is -1 where the loss
/// is to be maximised, else 1.
#[inline(always)]
pub fn l2<R: Real>(sign: R, g: R, weight_decay: R, p: R) -> R {
    sign * g + weight_decay * p
}

/// Weight decay as a penalty in the gradient, the `weight_decay` of [`l2`], and as a factor of the
/// weights: where it is decoupled it is all in the second, else all in the first.
pub(crate) fn decay(weight_decay: f64, decoupled: bool, lr: f64) -> (f64, f64) {
    if decoupled { (0.0, 1.0 - lr * weight_decay) } else { (weight_decay, 1.0) }
}

/// `sign` of [`l2`].
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}
