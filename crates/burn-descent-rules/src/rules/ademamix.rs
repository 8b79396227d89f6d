use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
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
    /// Without `decoupled_weight_decay` the decay is a penalty in the gradient: `g ← g + λ θ`.
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
    pub struct AdEmaMix {
        /// Decay `β₁` of the fast momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β₃` of the slow momentum.
        #[doc(alias = "betas")]
        beta3: Decay = 0.9999,
        /// Share `α` of the slow momentum.
        alpha: NonNegative = 5.0,
        /// Steps in which `α` grows from 0. With 0 it is there from the start.
        #[doc(alias = "t_alpha_beta3")]
        alpha_warmup: NonNegative = 0.0,
        /// Steps in which `β₃` grows from `β₁`. With 0 it is there from the start.
        #[doc(alias = "t_alpha_beta3")]
        beta3_warmup: NonNegative = 0.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
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
        v: positive,
    }

    /// Scalars of [`AdEmaMix`].
    pub struct Scalars {
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
    const PAPER: Paper = Paper::arxiv("Pagliardini et al. 2024", "2409.03137");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let beta3 = half_life(beta1, self.beta3, warmth(t, self.beta3_warmup));
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            alpha: self.alpha * warmth(t, self.alpha_warmup),
            lr,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
            eps_root,
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
        let g = g + k.l2 * p;
        let m1 = k.beta1 * s.m1 + k.one_beta1 * g;
        let m2 = k.beta3 * s.m2 + k.one_beta3 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let mix = m1 * k.debias1 + k.alpha * m2;
        let step = mix / ((v * k.debias2 + k.eps_root).sqrt() + k.eps);
        (k.keep * p - k.lr * step, Moments { m1, m2, v })
    }
}
