//! What rules have in common.

use crate::Domain::Tensor;
use crate::real::polynomial;
use crate::{Over, Real};

/// Weight decay in the gradient and in the weights: where it is decoupled it is all in the second, else
/// all in the first.
pub(crate) fn split_decay(weight_decay: f64, decoupled: bool) -> (f64, f64) {
    if decoupled { (0.0, weight_decay) } else { (weight_decay, 0.0) }
}

/// Weight decay as a penalty in the gradient and as a factor of the weights, split like that.
pub(crate) fn decay(weight_decay: f64, decoupled: bool, lr: f64) -> (f64, f64) {
    let (l2, of_weights) = split_decay(weight_decay, decoupled);
    (l2, 1.0 - lr * of_weights)
}

/// `1 / (1 − βᵗ)`: the factor that corrects the bias of an average that began with 0.
pub(crate) fn debias(beta: f64, t: u64) -> f64 {
    1.0 / (1.0 - beta.powf(t as f64))
}

/// A variance that rounding has made negative is 0. A NaN stays one, on every engine.
#[inline(always)]
pub(crate) fn no_less_than_zero<R: Real>(variance: R) -> R {
    R::select(variance.lt(R::lit(0.0)), R::lit(0.0), variance)
}

/// The direction `u` of a cautious step, if it is one: it leaves out the weights that `u` and the gradient
/// do not agree on, and the steps of the others become longer by `n / (number of them + ξ)`; without `ξ`,
/// by `n / number`, at most 1000.
#[inline(always)]
pub(crate) fn cautious<R: Real>(u: R, g: R, xi: Option<R>, over: &mut impl Over<R>) -> R {
    let Some(xi) = xi else { return u };
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    let n = over.count(Tensor);
    let agreed = over.sum(Tensor, R::select(zero.lt(u * g), one, zero));
    let least = R::select(zero.lt(xi), zero, R::lit(1e-3) * n);
    let longer = n / (agreed + xi).max(least);
    // Not 0, so that a NaN is not hidden.
    R::select(zero.lt(u * g), u * longer, zero * u)
}

/// `max(1, x)`, which keeps a NaN, as `max` may not.
#[inline(always)]
pub(crate) fn one_or_more<R: Real>(x: R) -> R {
    R::select(x.lt(R::lit(1.0)), R::lit(1.0), x)
}

/// `ln(1 + eˣ)` of a number that is not negative.
#[inline(always)]
pub(crate) fn softplus<R: Real>(x: R) -> R {
    let (one, two) = (R::lit(1.0), R::lit(2.0));
    // x + ln(1 + e⁻ˣ) = x + 2 artanh s, of which the series ends where an f64 does: s is a third at most.
    let share = x.sigmoid();
    let s = (one - share) / (one + share);
    x + two * s * polynomial(s * s, &ARTANH)
}

/// `artanh s / s = 1 + s²/3 + s⁴/5 + …` by powers of `s²`.
const ARTANH: [f64; 17] = {
    let mut series = [1.0; 17];
    let mut k = 1;
    while k < series.len() {
        series[k] = 1.0 / (2 * k + 1) as f64;
        k += 1;
    }
    series
};

#[cfg(test)]
mod tests {
    use super::{no_less_than_zero, softplus};

    #[test]
    fn softplus_is_the_logarithm() {
        for x in [0.0_f64, 1e-3, 0.4, 1.0, 3.0, 10.0, 19.0, 40.0, 800.0] {
            let expected = x + (-x).exp().ln_1p();
            assert!((softplus(x) - expected).abs() <= 4e-16 * expected, "{x}");
        }
        assert!(softplus(f32::NAN).is_nan());
    }

    #[test]
    fn a_negative_variance_is_zero_and_a_nan_stays_one() {
        assert_eq!([-1e-9, 0.0, 2.0].map(no_less_than_zero::<f64>), [0.0, 0.0, 2.0]);
        assert!(no_less_than_zero(f32::INFINITY - f32::INFINITY).is_nan());
    }
}
