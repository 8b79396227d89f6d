//! Transforms that look at the norm of a tensor.

use super::{Point, Transform};
use crate::Domain::Tensor;
use crate::rules::adam::instability;
use crate::transforms::{at_least, debias, first_norm, on_sphere, one_or_more, trust};
use crate::{Empty, Over, Real, fields, options};

options! {
    /// `trust_coefficient ‖p‖ / (‖u‖ + eps) · u`: the ratio of [`Lamb`](crate::Lamb) and [`Lars`](crate::Lars), after
    /// any direction. The factor is 1 where one of the norms, `min_norm` at least, is 0.
    #[doc(alias = "TrustRatio")]
    pub struct ScaleByTrustRatio {
        /// The least norm of parameter and update.
        min_norm: NonNegative = 0.0,
        /// The share of the parameter's norm.
        trust_coefficient: Positive = 1.0,
        /// Added to the norm of the update.
        eps: NonNegative = 0.0,
    }
}

fields! {
    /// Scalars of [`ScaleByTrustRatio`].
    pub struct TrustScalars { min_norm, coefficient, eps }
}

impl Transform for ScaleByTrustRatio {
    const NAME: &'static str = "scale_by_trust_ratio";
    const SUMS: usize = 2;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = TrustScalars<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> TrustScalars<f64> {
        let Self { min_norm, trust_coefficient, eps } = *self;
        TrustScalars { min_norm, coefficient: trust_coefficient, eps }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Empty<R>,
        k: TrustScalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let of_p = at_least(k.min_norm, over.norm(Tensor, at.p));
        let of_u = at_least(k.min_norm, over.norm(Tensor, u));
        (trust(of_p, of_u, k.coefficient * of_p / (of_u + k.eps)) * u, s)
    }
}

options! {
    /// `u / max(1, RMS(u) / threshold)`: [`Adafactor`](crate::Adafactor)'s clipping, after any direction.
    #[doc(alias = "ClipUpdateRms")]
    pub struct ClipByBlockRms(threshold: f64) {
        /// The greatest root of the mean of the update's squares.
        threshold: Positive = 1.0,
    }
}

fields! {
    /// Scalars of [`ClipByBlockRms`].
    pub struct Threshold { threshold }
}

impl Transform for ClipByBlockRms {
    const NAME: &'static str = "clip_by_block_rms";
    const SUMS: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Threshold<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> Threshold<f64> {
        Threshold { threshold: self.threshold }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Empty<R>,
        k: Threshold<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        (u / one_or_more(over.rms(Tensor, u) / k.threshold), s)
    }
}

options! {
    /// `u / max(1, RMS(g / √v̂))`: the clipping of StableAdamW ([`AdamW`](crate::AdamW) with `stable`), after any
    /// direction. It keeps a second moment `v` of the gradient for itself.
    pub struct ClipByGradientRms {
        /// Decay of the second moment.
        beta2: Decay = 0.999,
        /// The least root of the second moment.
        eps: Positive = 1e-8,
    }
}

fields! {
    /// State of [`ClipByGradientRms`].
    pub struct Square { v: positive }

    /// Scalars of [`ClipByGradientRms`].
    pub struct SquareScalars { beta2, one_beta2, debias2, eps }
}

impl Transform for ClipByGradientRms {
    const NAME: &'static str = "clip_by_gradient_rms";
    const SUMS: usize = 1;
    type State<R: Copy> = Square<R>;
    type Scalars<R: Copy> = SquareScalars<R>;

    fn scalars(&self, _lr: f64, t: u64) -> SquareScalars<f64> {
        let Self { beta2, eps } = *self;
        SquareScalars { beta2, one_beta2: 1.0 - beta2, debias2: debias(beta2, t), eps }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Square<R>,
        k: SquareScalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Square<R>) {
        let v = k.beta2 * s.v + k.one_beta2 * at.g * at.g;
        (u / instability(at.g, v * k.debias2, k.eps, over), Square { v })
    }
}

options! {
    /// The step of Hyperball, down any direction: `η` times as long as the weights of the tensor, which are then made
    /// as long as they were before the first step. The last of a chain, in place of
    /// [`ScaleByLearningRate`](super::ScaleByLearningRate); behind [`ScaleByAdam`](super::ScaleByAdam) it is
    /// [`AdamH`](crate::AdamH).
    pub struct Hyperball {}
}

fields! {
    /// State of [`Hyperball`].
    pub struct Sphere {
        /// The norm of the weights.
        radius: Tensor,
    }

    /// Scalars of [`Hyperball`].
    pub struct SphereScalars {
        lr,
        /// 1 in the first step, then 0.
        first,
    }
}

impl Transform for Hyperball {
    const NAME: &'static str = "hyperball";
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Sphere<R>;
    type Scalars<R: Copy> = SphereScalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> SphereScalars<f64> {
        SphereScalars { lr, first: f64::from(t == 1) }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Sphere<R>,
        k: SphereScalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Sphere<R>) {
        let radius = first_norm(at.p, k.first, (Tensor, s.radius), over);
        (on_sphere(at.p, u, k.lr, (Tensor, radius), over) - at.p, Sphere { radius })
    }
}
