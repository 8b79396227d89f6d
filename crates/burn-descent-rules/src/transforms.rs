//! What stands in front of a rule.

use crate::Real;

/// The gradient of the loss plus the penalty `weight_decay / 2 * p²`; `sign` is -1 where the loss
/// is to be maximised, else 1.
#[inline(always)]
pub fn l2<R: Real>(sign: R, g: R, weight_decay: R, p: R) -> R {
    sign * g + weight_decay * p
}

/// `sign` of [`l2`].
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}
