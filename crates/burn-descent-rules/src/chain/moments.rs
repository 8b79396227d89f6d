//! Transforms that remember averages.

use super::{Point, Transform};
use crate::rules::adam;
use crate::{Adam, Bound, Over, Range, Real, Rule, fields};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Adam's direction: `m̂ / (√(v̂ + eps_root) + eps)`, as [`Adam`](crate::Adam) without its learning
/// rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct ScaleByAdam {
    /// Decay `β₁` of the first moment, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// Decay `β₂` of the second moment, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// Added to the root, > 0. Default 1e-8.
    pub eps: f64,
    /// Added under the root, >= 0. Default 0.
    pub eps_root: f64,
}

impl ScaleByAdam {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Default for ScaleByAdam {
    fn default() -> Self {
        let Adam { beta1, beta2, eps, eps_root, .. } = Adam::new();
        Self { beta1, beta2, eps, eps_root }
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

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("beta1", self.beta1),
            Range::Decay.of("beta2", self.beta2),
            Range::Positive.of("eps", self.eps),
            Range::NonNegative.of("eps_root", self.eps_root),
        ]
    }

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0 }
    }

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
            sign: R::lit(1.0),
            decay: R::lit(0.0),
            beta1: k.beta1,
            one_beta1: k.one_beta1,
            beta2: k.beta2,
            one_beta2: k.one_beta2,
            lr: R::lit(1.0),
            debias1: k.debias1,
            debias2: k.debias2,
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

/// `u / (√v + eps)`, `v` an average of `u²` that starts at `initial_scale`: RMSProp. optax adds its
/// `eps` under the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct ScaleByRms {
    /// Decay of the average, in [0, 1). Default 0.9.
    pub decay: f64,
    /// Added to the root, > 0. Default 1e-8.
    pub eps: f64,
    /// The average before the first step, >= 0. Default 0.
    pub initial_scale: f64,
}

impl ScaleByRms {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Default for ScaleByRms {
    fn default() -> Self {
        Self { decay: 0.9, eps: 1e-8, initial_scale: 0.0 }
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

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("decay", self.decay),
            Range::Positive.of("eps", self.eps),
            Range::NonNegative.of("initial_scale", self.initial_scale),
        ]
    }

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

/// `m ← u + momentum m`: momentum; the update is `m`, or `u + momentum m` with Nesterov.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct Trace {
    /// Decay of the sum, in [0, 1). Default 0.9.
    #[doc(alias = "decay")]
    pub momentum: f64,
    /// The update is `u + momentum m`: look one step ahead. Default false.
    pub nesterov: bool,
}

impl Trace {
    /// With this momentum, without Nesterov.
    pub fn new(momentum: f64) -> Self {
        Self { momentum, nesterov: false }
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new(0.9)
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

    fn bounds(&self) -> Vec<Bound> {
        vec![Range::Decay.of("momentum", self.momentum)]
    }

    fn start(&self) -> Sum<f64> {
        Sum { m: 0.0 }
    }

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
