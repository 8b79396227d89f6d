use crate::transforms::sign;
use crate::{Bound, InvalidOption, Paper, Range, Real, Rule, fields, l2};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// RMSProp: the gradient divided by a running average of its size.
///
/// ```text
/// g ← ±g + λ θ
/// v ← ρ v + (1 − ρ) g²
/// centered:  ḡ ← ρ ḡ + (1 − ρ) g,   σ² = max(v − ḡ², 0);    else σ² = v
/// d = g / (√(σ² + eps_root) + eps)
/// momentum:  b ← μ b + d,           θ ← θ − η b;            else θ ← θ − η d
/// ```
///
/// PyTorch has `eps` outside the root; optax and Keras inside, here `eps_root`. TensorFlow's form
/// starts `v` at 1: `initial_accumulator_value`. In optax and Keras the learning rate goes into
/// the momentum, which is the same path while the rate is constant.
///
/// - Defaults: `rho` 0.9 as in the lecture (PyTorch's `alpha` is 0.99); the rest PyTorch's:
///   `eps` 1e-8, `momentum` 0, `weight_decay` 0, not centered; `eps_root` 0,
///   `initial_accumulator_value` 0.
/// - Memory: one number a weight, one more each for `centered` and for `momentum`. Traffic in
///   f32: read 12, write 8 bytes a weight; 4 and 4 more for each of the two.
/// - A NaN gradient makes its weight and state NaN, and no other.
/// - Reference: Tieleman & Hinton 2012, lecture 6.5,
///   <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>; centered:
///   Graves 2013, <https://arxiv.org/abs/1308.0850>.
///
/// ```
/// use burn_descent_rules::{RmsProp, Rule};
///
/// let pytorch = RmsProp::new().rho(0.99).momentum(0.9).centered(true);
/// pytorch.check()?;
/// assert_eq!(pytorch.start().presence(), 0b11);
/// # use burn_descent_rules::Fields;
/// # Ok::<(), burn_descent_rules::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Decay `ρ` of the averages, in [0, 1). Default 0.9.
    #[doc(alias = "alpha")]
    #[doc(alias = "decay")]
    pub rho: f64,
    /// Added to the root, >= 0. Default 1e-8. This or `eps_root` must be > 0.
    #[doc(alias = "epsilon")]
    pub eps: f64,
    /// Added under the root, >= 0. Default 0.
    pub eps_root: f64,
    /// Decay `μ` of the velocity, in [0, 1). Default 0: no velocity is kept.
    pub momentum: f64,
    /// Subtract the squared average of the gradient. Default false.
    pub centered: bool,
    /// L2 penalty `λ`, >= 0, added to the gradient. Default 0.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// What `v` starts at, >= 0. Default 0.
    pub initial_accumulator_value: f64,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            rho: 0.9,
            eps: 1e-8,
            eps_root: 0.0,
            momentum: 0.0,
            centered: false,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            maximize: false,
        }
    }
}

fields! {
    /// State of [`RmsProp`].
    pub struct Averages {
        /// Average of the squared gradient.
        v,
        /// Average of the gradient, where centered.
        g_avg: optional,
        /// Velocity, with momentum.
        b: optional,
    }
}

fields! {
    /// Scalars of [`RmsProp`].
    pub struct Scalars { sign, weight_decay, rho, one_rho, momentum, lr, eps, eps_root }
}

impl Rule for RmsProp {
    const NAME: &'static str = "rmsprop";
    const TITLE: &'static str = "RMSProp";
    const PAPER: Paper = Paper {
        cite: "Tieleman & Hinton 2012",
        url: "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
    };
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("rho", self.rho),
            Range::NonNegative.of("eps", self.eps),
            Range::NonNegative.of("eps_root", self.eps_root),
            Range::Decay.of("momentum", self.momentum),
            Range::NonNegative.of("weight_decay", self.weight_decay),
            Range::NonNegative.of("initial_accumulator_value", self.initial_accumulator_value),
        ]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_one_positive(
            Self::NAME,
            &[("eps", self.eps), ("eps_root", self.eps_root)],
        )
    }

    fn start(&self) -> Averages<f64> {
        Averages {
            v: self.initial_accumulator_value,
            g_avg: self.centered.then_some(0.0),
            b: (self.momentum > 0.0).then_some(0.0),
        }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars {
            sign: sign(self.maximize),
            weight_decay: self.weight_decay,
            rho: self.rho,
            one_rho: 1.0 - self.rho,
            momentum: self.momentum,
            lr,
            eps: self.eps,
            eps_root: self.eps_root,
        }
    }

    #[inline(always)]
    fn update<R: Real>(p: R, g: R, s: Averages<R>, k: Scalars<R>) -> (R, Averages<R>) {
        let g = l2(k.sign, g, k.weight_decay, p);
        let v = k.rho * s.v + k.one_rho * g * g;
        let g_avg = s.g_avg.map(|g_avg| k.rho * g_avg + k.one_rho * g);
        let variance = g_avg.map_or(v, |g_avg| (v - g_avg * g_avg).max(R::lit(0.0)));
        let d = g / ((variance + k.eps_root).sqrt() + k.eps);
        let b = s.b.map(|b| k.momentum * b + d);
        (p - k.lr * b.unwrap_or(d), Averages { v, g_avg, b })
    }
}
