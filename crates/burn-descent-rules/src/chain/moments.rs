//! Transforms that remember averages.

use super::{Point, Transform};
use crate::transforms::debias;
use crate::{Over, Real, fields, options};

options! {
    /// Adam's direction: `m̂ / (√(v̂ + eps_root) + eps)`, as [`Adam`](crate::Adam) without its learning
    /// rate. With `nesterov` it is that of [`NAdam`](crate::NAdam) with `constant_momentum`, as in optax:
    /// `m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) u / (1 − β₁ᵗ)`.
    pub struct ScaleByAdam {
        /// Decay `β₁` of the first moment.
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        beta2: Decay = 0.999,
        /// Added to the root.
        eps: Positive = 1e-8,
        /// Added under the root.
        eps_root: NonNegative = 0.0,
        /// Look one step ahead.
        nesterov: bool = false,
    }
}

fields! {
    /// State of [`ScaleByAdam`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
    }
}

fields! {
    /// Scalars of [`ScaleByAdam`].
    pub struct AdamScalars {
        beta1, one_beta1, beta2, one_beta2,
        /// Shares of `u` and of the first moment in `m̂`.
        of_u, of_m,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps, eps_root,
    }
}

impl Transform for ScaleByAdam {
    const NAME: &'static str = "scale_by_adam";
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = AdamScalars<R>;

    fn scalars(&self, _lr: f64, t: u64) -> AdamScalars<f64> {
        let Self { beta1, beta2, eps, eps_root, nesterov } = *self;
        let one_beta1 = 1.0 - beta1;
        let (of_u, of_m) = match nesterov {
            true => (one_beta1 * debias(beta1, t), beta1 * debias(beta1, t + 1)),
            false => (0.0, debias(beta1, t)),
        };
        let (one_beta2, debias2) = (1.0 - beta2, debias(beta2, t));
        AdamScalars { beta1, one_beta1, beta2, one_beta2, of_u, of_m, debias2, eps, eps_root }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Moments<R>,
        k: AdamScalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * u;
        let v = k.beta2 * s.v + k.one_beta2 * u * u;
        let m_hat = k.of_u * u + k.of_m * m;
        (m_hat / ((v * k.debias2 + k.eps_root).sqrt() + k.eps), Moments { m, v })
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
    pub struct Square { v: positive }
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
