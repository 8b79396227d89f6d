use super::ademamix::{half_life, warmth};
use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Simplified AdEMAMix: one long momentum, which is a sum, and the gradient itself beside it, in
    /// the place of the two momenta of [`AdEmaMix`](crate::AdEmaMix).
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + g                  average: m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η (m + α g) / (√(v̂ + eps_root) + eps)
    /// ```
    ///
    /// A sum is up to `1 / (1 − β₁)` gradients long, so the learning rate is as many times smaller than
    /// Adam's. `beta1` may grow from `min_beta1` in `beta1_warmup` steps, as in AdEMAMix evenly in the
    /// steps in which it halves.
    ///
    /// The two libraries differ. optax's is the default. In pytorch_optimizer the momentum is an
    /// `average`, and the step is divided by `1 − β₂ᵗ` in the end (`debias_twice`).
    ///
    /// - Defaults: optax's. `beta1` 0.99, `beta2` 0.95, `alpha` 0, `eps` 1e-8, no warm-up, no weight
    ///   decay, decoupled if there is one; `min_beta1` 0.9, `eps_root` 0, both switches off.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Morwani et al. 2025, <https://arxiv.org/abs/2502.02431>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Rule, SimplifiedAdEmaMix};
    ///
    /// let rule = SimplifiedAdEmaMix::new().beta1_warmup(100.0);
    /// assert!((0.9..0.99).contains(&rule.scalars(1e-3, 50).beta1));
    /// assert_eq!(rule.scalars(1e-3, 200).beta1, 0.99);
    /// ```
    pub struct SimplifiedAdEmaMix {
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.99,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.95,
        /// Share `α` of the gradient itself.
        alpha: NonNegative = 0.0,
        /// Steps in which `β₁` grows from `min_beta1`. With 0 it is there from the start.
        beta1_warmup: NonNegative = 0.0,
        /// What `β₁` grows from.
        min_beta1: Decay = 0.9,
        /// The momentum is an average, not a sum.
        average: bool = false,
        /// Divide the step by `1 − β₂ᵗ`.
        debias_twice: bool = false,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`SimplifiedAdEmaMix`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1,
        /// Share of the gradient in the momentum.
        inflow,
        beta2, one_beta2, alpha,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps, eps_root, lr,
    }
}

impl Rule for SimplifiedAdEmaMix {
    const NAME: &'static str = "simplified_ademamix";
    const TITLE: &'static str = "Simplified AdEMAMix";
    const PAPER: Paper = Paper::arxiv("Morwani et al. 2025", "2502.02431");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta2, alpha, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let beta1 = half_life(self.min_beta1, self.beta1, warmth(t, self.beta1_warmup));
        let inflow = if self.average { 1.0 - beta1 } else { 1.0 };
        let (one_beta2, debias2) = (1.0 - beta2, debias(beta2, t));
        let lr = if self.debias_twice { lr * debias2 } else { lr };
        Scalars { l2, keep, beta1, inflow, beta2, one_beta2, alpha, debias2, eps, eps_root, lr }
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
        let m = k.beta1 * s.m + k.inflow * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let step = (m + k.alpha * g) / ((v * k.debias2 + k.eps_root).sqrt() + k.eps);
        (k.keep * p - k.lr * step, Moments { m, v })
    }
}
