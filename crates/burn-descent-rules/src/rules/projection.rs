//! The projection of [`AdamP`](crate::AdamP) and [`Sgdp`](crate::Sgdp).

use crate::Domain::{Row, Tensor};
use crate::transforms::at_least;
use crate::{Domain, Over, Real};

/// The direction `u` without its part along the weights, where those are scale invariant, and the factor of the
/// weight decay.
///
/// Weights are taken as scale invariant where the gradient is nearly orthogonal to them: row by row, in all rows of a
/// tensor, or the tensor as a whole.
#[inline(always)]
pub(super) fn without_radial<R: Real>(
    u: R,
    p: R,
    g: R,
    [delta, wd_ratio, eps]: [R; 3],
    over: &mut impl Over<R>,
) -> (R, R) {
    let rows = Angle::of(p, g, u, Row, eps, over);
    let layer = Angle::of(p, g, u, Tensor, eps, over);
    let by_row = over.max(Tensor, rows.cosine).lt(delta / over.count(Row).sqrt());
    let whole = layer.cosine.lt(delta / over.count(Tensor).sqrt());

    let norm = R::select(by_row, rows.norm, layer.norm) + eps;
    let along = R::select(by_row, rows.along, layer.along);
    let tangential = u - p / norm * (along / norm);
    let either = |yes: R, no: R| R::select(by_row, yes, R::select(whole, yes, no));
    (either(tangential, u), either(wd_ratio, R::lit(1.0)))
}

/// How the gradient and a direction stand to the weights of a row or of the tensor.
struct Angle<R> {
    /// Of the weights.
    norm: R,
    /// Absolute cosine of the angle between weights and gradient.
    cosine: R,
    /// Product of weights and direction.
    along: R,
}

impl<R: Real> Angle<R> {
    #[inline(always)]
    fn of(p: R, g: R, u: R, of: Domain, eps: R, over: &mut impl Over<R>) -> Self {
        let norm = over.norm(of, p);
        let of_g = over.norm(of, g);
        let cosine = over.sum(of, g * p).abs() / (at_least(eps, of_g) * at_least(eps, norm));
        Self { norm, cosine, along: over.sum(of, p * u) }
    }
}
