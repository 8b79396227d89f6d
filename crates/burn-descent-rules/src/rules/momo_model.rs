//! The step that MoMo and MoMo-Adam take from their model of the loss.

use super::polyak_sgd::polyak_step;
use crate::Real;
use crate::transforms::no_less_than_zero;

/// What the step depends on besides the sums.
pub(super) struct LossModel<R> {
    /// `1 + η λ`.
    pub grown: R,
    /// `1 − βᵗ` where averages begin with 0, or 1.
    pub debias: R,
    /// The greatest step.
    pub most: R,
    pub lower_bound: R,
    /// 1 to estimate the bound, or 0.
    pub adapt: R,
}

/// Averages and sums of the whole model.
pub(super) struct Sums<R> {
    /// Average of the loss.
    pub f: R,
    /// Average of `⟨g, θ⟩`.
    pub gamma: R,
    /// `⟨d, θ⟩`.
    pub along: R,
    /// `‖d‖²`, in the metric of the step.
    pub norm2: R,
}

/// What follows.
pub(super) struct Seen<R> {
    /// `τ`.
    pub step: R,
    /// The new `f*`.
    pub bound: R,
}

impl<R: Real> LossModel<R> {
    #[inline(always)]
    pub(super) fn step(self, of: Sums<R>, bound: R) -> Seen<R> {
        let Self { grown, debias, most, lower_bound, adapt } = self;
        let Sums { f, gamma, along, norm2 } = of;
        let (zero, half) = (R::lit(0.0), R::lit(0.5));
        let adapted = |new: R| {
            let new = R::select(new.lt(lower_bound), lower_bound, new);
            R::select(zero.lt(adapt), new, bound)
        };

        let cap = grown * (f - gamma) + along;
        let lower = adapted(half * cap / (debias * grown));
        let here = R::select(cap.lt(grown * debias * bound), lower, bound);
        let above = grown * (f - debias * here - gamma) + along;
        let step = polyak_step(no_less_than_zero(above), norm2, most);
        // Where a norm has overflowed there is no step.
        let gain = R::select(zero.lt(step), half * step * norm2, zero * step);
        let bound = adapted((f + along - gamma - gain) / debias);
        Seen { step, bound }
    }
}
