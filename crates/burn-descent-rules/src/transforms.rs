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

/// A variance that rounding has made negative is 0. A NaN stays one, on every engine.
#[inline(always)]
pub(crate) fn no_less_than_zero<R: Real>(variance: R) -> R {
    R::select(variance.lt(R::lit(0.0)), R::lit(0.0), variance)
}

/// A cautious step leaves out the weights that its direction `u` and the gradient do not agree on:
/// 1 where they do, else 0. What is summed for [`caution`].
#[inline(always)]
pub(crate) fn agreement<R: Real>(u: R, g: R) -> R {
    R::select(R::lit(0.0).lt(u * g), R::lit(1.0), R::lit(0.0))
}

/// How much longer the others' steps become, when `agreed` of `n` weights are stepped:
/// `n / (agreed + ξ)`; without `ξ`, `n / agreed`, at most 1000.
#[inline(always)]
pub(crate) fn caution<R: Real>(xi: R, agreed: R, n: R) -> R {
    let least = R::select(R::lit(0.0).lt(xi), R::lit(0.0), R::lit(1e-3) * n);
    n / (agreed + xi).max(least)
}

/// The direction `u` of a cautious step, if it is one.
#[inline(always)]
pub(crate) fn cautious<R: Real>(u: R, g: R, caution: Option<R>) -> R {
    match caution {
        // Not 0, so that a NaN is not hidden.
        Some(caution) => R::select(R::lit(0.0).lt(u * g), u * caution, R::lit(0.0) * u),
        None => u,
    }
}

#[cfg(test)]
mod tests {
    use super::no_less_than_zero;

    #[test]
    fn a_negative_variance_is_zero_and_a_nan_stays_one() {
        assert_eq!([-1e-9, 0.0, 2.0].map(no_less_than_zero::<f64>), [0.0, 0.0, 2.0]);
        assert!(no_less_than_zero(f32::INFINITY - f32::INFINITY).is_nan());
    }
}
