//! Transforms that remember averages.

use super::{Point, Transform};
use crate::rules::adam;
use crate::{Adam, Over, Real, Rule, fields, options};

options! {
    /// Adam's direction: `m̂ / (√(v̂ + eps_root) + eps)`, as [`Adam`](crate::Adam) without its learning
    /// rate.
    pub struct ScaleByAdam {
        /// Decay `β₁` of the first moment.
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        beta2: Decay = 0.999,
        /// Added to the root.
        eps: Positive = 1e-8,
        /// Added under the root.
        eps_root: NonNegative = 0.0,
    }
}

fields! {
    /// State of [`ScaleByAdam`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v,
    }
}

fields! {
    /// Scalars of [`ScaleByAdam`].
    pub struct AdamScalars { beta1, one_beta1, beta2, one_beta2, debias1, debias2, eps, eps_root }
}

impl Transform for ScaleByAdam {
    const NAME: &'static str = "scale_by_adam";
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = AdamScalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> AdamScalars<f64> {
        let adam = Adam::new().beta1(self.beta1).beta2(self.beta2);
        let k = adam.eps(self.eps).eps_root(self.eps_root).scalars(lr, t);
        AdamScalars {
            beta1: k.beta1,
            one_beta1: k.one_beta1,
            beta2: k.beta2,
            one_beta2: k.one_beta2,
            debias1: k.debias1,
            debias2: k.debias2,
            eps: k.eps,
            eps_root: k.eps_root,
        }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Moments<R>,
        k: AdamScalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let k = adam::Scalars {
            decay: R::lit(0.0),
            beta1: k.beta1,
            one_beta1: k.one_beta1,
            beta2: k.beta2,
            one_beta2: k.one_beta2,
            lr: R::lit(1.0),
            debias1: k.debias1,
            debias2: k.debias2,
            debias_in_max: R::lit(1.0),
            debias_max: k.debias2,
            eps: k.eps,
            eps_root: k.eps_root,
            xi: None,
            cautious_decay: None,
            stable: None,
        };
        let (u, s) = adam::direction(u, adam::Moments { m: s.m, v: s.v, v_max: None }, k);
        (u, Moments { m: s.m, v: s.v })
    }
}

options! {
    /// `u / (√v + eps)`, `v` an average of `u²` that starts at `initial_scale`: RMSProp. optax adds its
    /// `eps` under the root.
    pub struct ScaleByRms {
        /// Decay of the average.
        decay: Decay = 0.9,
        /// Added to the root.
        eps: Positive = 1e-8,
        /// The average before the first step.
        initial_scale: NonNegative = 0.0,
    }
}

fields! {
    /// State of [`ScaleByRms`].
    pub struct Square { v }
}

fields! {
    /// Scalars of [`ScaleByRms`].
    pub struct RmsScalars { decay, one_decay, eps }
}

impl Transform for ScaleByRms {
    const NAME: &'static str = "scale_by_rms";
    type State<R: Copy> = Square<R>;
    type Scalars<R: Copy> = RmsScalars<R>;

    fn start(&self) -> Square<f64> {
        Square { v: self.initial_scale }
    }

    fn scalars(&self, _lr: f64, _t: u64) -> RmsScalars<f64> {
        RmsScalars { decay: self.decay, one_decay: 1.0 - self.decay, eps: self.eps }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Square<R>,
        k: RmsScalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Square<R>) {
        let v = k.decay * s.v + k.one_decay * u * u;
        (u / (v.sqrt() + k.eps), Square { v })
    }
}

options! {
    /// `m ← u + momentum m`: momentum; the update is `m`, or `u + momentum m` with Nesterov.
    pub struct Trace(momentum: f64) {
        /// Decay of the sum.
        #[doc(alias = "decay")]
        momentum: Decay = 0.9,
        /// The update is `u + momentum m`: look one step ahead.
        nesterov: bool = false,
    }
}

fields! {
    /// State of [`Trace`].
    pub struct Sum { m }
}

fields! {
    /// Scalars of [`Trace`].
    pub struct TraceScalars {
        momentum,
        /// Shares of `u` and of the new sum in the update.
        of_u, of_m,
    }
}

impl Transform for Trace {
    const NAME: &'static str = "trace";
    type State<R: Copy> = Sum<R>;
    type Scalars<R: Copy> = TraceScalars<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> TraceScalars<f64> {
        let (of_u, of_m) = if self.nesterov { (1.0, self.momentum) } else { (0.0, 1.0) };
        TraceScalars { momentum: self.momentum, of_u, of_m }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Sum<R>,
        k: TraceScalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Sum<R>) {
        let m = u + k.momentum * s.m;
        (k.of_u * u + k.of_m * m, Sum { m })
    }
}
