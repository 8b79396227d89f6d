use crate::transforms::{decay, sign};
use crate::{Bound, InvalidOption, Over, Paper, Range, Real, Rule, fields, l2};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// AdEMAMix: Adam with a second, much slower momentum.
///
/// ```text
/// m₁ ← β₁ m₁ + (1 − β₁) g,       m̂₁ = m₁ / (1 − β₁ᵗ)
/// m₂ ← β₃ m₂ + (1 − β₃) g
/// v  ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
/// θ  ← (1 − η λ) θ − η (m̂₁ + α m₂) / (√(v̂ + eps_root) + eps)
/// ```
///
/// A slow momentum that is there from the start makes training unstable, so both its share and its
/// memory may grow, `α` from 0 in `alpha_warmup` steps, and `β₃` from `β₁` in `beta3_warmup`:
///
/// ```text
/// α  = α min(t / alpha_warmup, 1)
/// β₃ = the decay with 1 / ln β₃(t) on the line from 1 / ln β₁ to 1 / ln β₃, at most β₃
/// ```
///
/// Without `decoupled_weight_decay` the decay is a penalty in the gradient: `g ← ±g + λ θ`.
///
/// - Defaults: optax's. `beta1` 0.9, `beta2` 0.999, `beta3` 0.9999, `alpha` 5 (the authors' code
///   has 2, the paper tries 2 to 10), `eps` 1e-8, `eps_root` 0, no weight decay; no warm-ups (the
///   paper's are as long as the training).
/// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
/// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows
///   stops its weight for good (`v` infinite).
/// - Reference: Pagliardini et al. 2024, algorithm 1, <https://arxiv.org/abs/2409.03137>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdEmaMix, Rule};
///
/// let rule = AdEmaMix::new().alpha(8.0).alpha_warmup(1000.0).beta3_warmup(1000.0);
/// assert_eq!(rule.scalars(0.1, 500).alpha, 4.0);
/// assert_eq!(rule.scalars(0.1, 2000).beta3, 0.9999);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct AdEmaMix {
    /// Decay `β₁` of the fast momentum, in [0, 1). Default 0.9.
    #[doc(alias = "betas")]
    pub beta1: f64,
    /// Decay `β₂` of the second moment, in [0, 1). Default 0.999.
    #[doc(alias = "betas")]
    pub beta2: f64,
    /// Decay `β₃` of the slow momentum, in [0, 1). Default 0.9999.
    #[doc(alias = "betas")]
    pub beta3: f64,
    /// Share `α` of the slow momentum, >= 0. Default 5.
    pub alpha: f64,
    /// Steps in which `α` grows from 0, >= 0. Default 0: it is there from the start.
    #[doc(alias = "t_alpha_beta3")]
    pub alpha_warmup: f64,
    /// Steps in which `β₃` grows from `β₁`, >= 0. Default 0: it is there from the start.
    #[doc(alias = "t_alpha_beta3")]
    pub beta3_warmup: f64,
    /// Added to the root, >= 0. Default 1e-8. This or `eps_root` must be > 0.
    #[doc(alias = "epsilon")]
    pub eps: f64,
    /// Added under the root, >= 0. Default 0.
    pub eps_root: f64,
    /// Decay `λ` of the weights, >= 0. Default 0.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// The decay acts on the weights, not on the gradient. Default true.
    #[doc(alias = "weight_decouple")]
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for AdEmaMix {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            beta3: 0.9999,
            alpha: 5.0,
            alpha_warmup: 0.0,
            beta3_warmup: 0.0,
            eps: 1e-8,
            eps_root: 0.0,
            weight_decay: 0.0,
            decoupled_weight_decay: true,
            maximize: false,
        }
    }
}

impl AdEmaMix {
    /// `β₃` of step `t`.
    fn beta3_at(&self, t: u64) -> f64 {
        half_life(self.beta1, self.beta3, warmth(t, self.beta3_warmup))
    }
}

/// The decay on the way from one to a greater one that is gone to the share `at`, such that the
/// steps in which it halves grow evenly.
pub(super) fn half_life(from: f64, to: f64, at: f64) -> f64 {
    let inverse = (1.0 - at) / from.ln() + at / to.ln();
    (1.0 / inverse).exp().min(to)
}

/// How much of a warm-up of so many steps is over, from 0 to 1.
pub(super) fn warmth(t: u64, steps: f64) -> f64 {
    if steps > 0.0 { (t as f64 / steps).min(1.0) } else { 1.0 }
}

fields! {
    /// State of [`AdEmaMix`].
    pub struct Moments {
        /// Fast momentum.
        m1,
        /// Slow momentum.
        m2,
        /// Second moment.
        v,
    }
}

fields! {
    /// Scalars of [`AdEmaMix`].
    pub struct Scalars {
        sign,
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3, alpha, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, eps_root,
    }
}

impl Rule for AdEmaMix {
    const NAME: &'static str = "ademamix";
    const TITLE: &'static str = "AdEMAMix";
    const PAPER: Paper =
        Paper { cite: "Pagliardini et al. 2024", url: "https://arxiv.org/abs/2409.03137" };
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("beta1", self.beta1),
            Range::Decay.of("beta2", self.beta2),
            Range::Decay.of("beta3", self.beta3),
            Range::NonNegative.of("alpha", self.alpha),
            Range::NonNegative.of("alpha_warmup", self.alpha_warmup),
            Range::NonNegative.of("beta3_warmup", self.beta3_warmup),
            Range::NonNegative.of("eps", self.eps),
            Range::NonNegative.of("eps_root", self.eps_root),
            Range::NonNegative.of("weight_decay", self.weight_decay).as_weight_decay(),
        ]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_one_positive(
            Self::NAME,
            &[("eps", self.eps), ("eps_root", self.eps_root)],
        )
    }

    fn start(&self) -> Moments<f64> {
        Moments { m1: 0.0, m2: 0.0, v: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let beta3 = self.beta3_at(t);
        Scalars {
            sign: sign(self.maximize),
            l2,
            keep,
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            beta2: self.beta2,
            one_beta2: 1.0 - self.beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            alpha: self.alpha * warmth(t, self.alpha_warmup),
            lr,
            debias1: 1.0 / (1.0 - self.beta1.powf(t as f64)),
            debias2: 1.0 / (1.0 - self.beta2.powf(t as f64)),
            eps: self.eps,
            eps_root: self.eps_root,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = l2(k.sign, g, k.l2, p);
        let m1 = k.beta1 * s.m1 + k.one_beta1 * g;
        let m2 = k.beta3 * s.m2 + k.one_beta3 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let mix = m1 * k.debias1 + k.alpha * m2;
        let step = mix / ((v * k.debias2 + k.eps_root).sqrt() + k.eps);
        (k.keep * p - k.lr * step, Moments { m1, m2, v })
    }
}
