//! What rules have in common.

use crate::Domain::Tensor;
use crate::real::polynomial;
use crate::{Domain, Over, Real, View};

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

/// The same, where the weights may decay by `λ` instead of `η λ`: `fixed`.
pub(crate) fn decay_or_fixed(
    weight_decay: f64,
    decoupled: bool,
    fixed: bool,
    lr: f64,
) -> (f64, f64) {
    decay(weight_decay, decoupled, if fixed { 1.0 } else { lr })
}

/// `1 / (1 − βᵗ)`: the factor that corrects the bias of an average that began with 0.
pub(crate) fn debias(beta: f64, t: u64) -> f64 {
    1.0 / (1.0 - beta.powf(t as f64))
}

/// `max(least, x)`, which keeps a NaN in `x`, as `max` may not.
#[inline(always)]
pub(crate) fn at_least<R: Real>(least: R, x: R) -> R {
    R::select(x.lt(least), least, x)
}

/// `min(most, x)`, which keeps a NaN in `x`.
#[inline(always)]
pub(crate) fn at_most<R: Real>(most: R, x: R) -> R {
    R::select(most.lt(x), most, x)
}

/// The factor of adaptive gradient clipping: by it a gradient of norm `of_g` is `clipping` times as long as its weights, at
/// most. A NaN stays one.
#[inline(always)]
pub fn adaptive_clip<R: Real>(clipping: R, eps: R, of_p: R, of_g: R) -> R {
    let most = clipping * at_least(eps, of_p);
    let share = most / at_least(R::lit(1e-6), of_g);
    R::select(of_g.lt(most), R::lit(1.0), share)
}

/// A variance that rounding has made negative is 0. A NaN stays one, on every engine.
#[inline(always)]
pub(crate) fn no_less_than_zero<R: Real>(variance: R) -> R {
    at_least(R::lit(0.0), variance)
}

/// The root of a second moment `R C / mean of R`, of which there is a mean for each row and one for each
/// column. It is made of roots: in f32 a product of two squares of 1e-30 is 0.
#[inline(always)]
pub(crate) fn factored_root<R: Real>(row: R, column: R, mean: R) -> R {
    row.sqrt() / mean.sqrt() * column.sqrt()
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
    at_least(R::lit(1.0), x)
}

/// A ratio of the norm of the weights to that of an update; 1 where one of the two norms is 0.
#[inline(always)]
pub(crate) fn trust<R: Real>(of_p: R, of_u: R, ratio: R) -> R {
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    let ratio = R::select(zero.lt(of_p), ratio, one);
    // Not 1, so that a NaN is not hidden.
    R::select(zero.lt(of_u), ratio, one + zero * of_u)
}

/// The weights after a step of Hyperball along the direction `u`, which points uphill: it is `lr` times as long as the
/// weights of their domain, and these stay as long as they were before the first step, which is `radius`.
#[inline(always)]
pub(crate) fn on_sphere<R: Real>(
    p: R,
    u: R,
    lr: R,
    (of, radius): (Domain, R),
    over: &mut impl Over<R>,
) -> R {
    let least = R::lit(1e-12);
    let new = p - lr * radius / at_least(least, over.norm(of, u)) * u;
    new * (radius / at_least(least, over.norm(of, new)))
}

/// The norm that the weights of a domain had before the first step: now, if `first` is 1, else `then`.
#[inline(always)]
pub(crate) fn first_norm<R: Real>(
    p: R,
    first: R,
    (of, then): (Domain, R),
    over: &mut impl Over<R>,
) -> R {
    let norm = over.norm(of, p);
    R::select(R::lit(0.0).lt(first), norm, then)
}

/// How a rule sees a tensor if it treats vectors in another way: a matrix of one row is no vector.
pub(crate) fn view_of_matrix(shape: &[usize], by_columns: bool) -> View {
    let view = View::of(shape, by_columns);
    if shape.len() > 1 && view.rows == 1 { view.by_columns() } else { view }
}

/// A number `x >= 0`, such as a norm whose squares may overflow: `other` where it is infinite. A NaN
/// stays one.
#[inline(always)]
pub(crate) fn finite_or<R: Real>(x: R, other: R) -> R {
    let one = R::lit(1.0);
    // The last line adds 0 to `other`, or makes a NaN of it.
    R::select(x.lt(one + x + x), x, other + one / x)
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
    use super::{
        at_least, factored_root, finite_or, no_less_than_zero, softplus, trust, view_of_matrix,
    };
    use crate::{Lars, slices::Walk};

    #[test]
    fn the_root_of_small_factors_is_not_zero() {
        let root = factored_root(1e-30_f32, 1e-30, 1e8);
        assert!((root / 1e-34 - 1.0).abs() < 1e-5, "{root}");
    }

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

    #[test]
    fn a_ratio_of_norms_is_one_where_one_is_zero_and_hides_no_nan() {
        assert_eq!(
            [(2.0, 4.0), (0.0, 4.0), (2.0, 0.0)].map(|(p, u)| trust(p, u, p / u)),
            [0.5, 1.0, 1.0]
        );
        assert!(trust(0.0, f64::NAN, 0.0).is_nan());
    }

    #[test]
    fn a_matrix_of_one_row_is_no_vector() {
        for by_columns in [false, true] {
            let view = |shape: &[usize]| view_of_matrix(shape, by_columns);
            assert!(view(&[6]).is_vector() && view(&[]).is_vector());
            for shape in [&[1, 6][..], &[6, 1], &[1, 1, 6], &[2, 3]] {
                assert!(!view(shape).is_vector() && view(shape).len() == 6, "{shape:?}");
            }
        }
        // So its decay is not left out.
        let rule = Lars::new().weight_decay(0.1).adapt_vectors(false);
        let step = |shape: &[usize]| {
            let mut x = [1.0_f64, 2.0];
            let mut walk = Walk::of(rule.clone(), view_of_matrix(shape, false)).unwrap();
            walk.step(1.0, &mut x, &[0.0; 2]).unwrap();
            x
        };
        assert_eq!(step(&[2]), [1.0, 2.0]);
        assert!(step(&[1, 2])[0] < 1.0);
    }

    #[test]
    fn what_is_infinite_is_another_number_and_a_nan_stays_one() {
        assert_eq!(
            [0.0, 2.0, f32::MAX, f32::INFINITY].map(|x| finite_or(x, 3.0)),
            [0.0, 2.0, f32::MAX, 3.0]
        );
        assert!(finite_or(f64::NAN, 3.0).is_nan() && at_least(3.0, f64::NAN).is_nan());
    }
}
