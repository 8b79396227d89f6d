use crate::transforms::{debias, decay, finite_or};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdamG: Adam without a learning rate to tune, whose momentum weighs each gradient with a power of the size
    /// that gradients have had.
    ///
    /// ```text
    /// g ← g + λ θ                          decoupled_weight_decay: θ ← (1 − η λ) θ
    /// v ← β₂ v + (1 − β₂) g²,              v̂ = v / (1 − β₂ᵗ)
    /// r ← β₃ r + (1 − β₃) s(v),            s(x) = p x^q
    /// m ← β₁ m + (1 − β₁) r g,             m̂ = m / (1 − β₁ᵗ)
    /// θ ← θ − min(η, 1 / √t) m̂ / (√v̂ + eps)
    /// ```
    ///
    /// - Defaults: the paper's, with its learning rate of 1. `beta1` 0.95, `beta2` 0.999, `beta3` 0.95, `p` 0.2, `q`
    ///   0.24, `eps` 1e-8, no weight decay.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops its weight
    ///   for good (`v` infinite).
    /// - Reference: Pang et al. 2024, <https://arxiv.org/abs/2405.04376>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamG, rules::slices::Walk};
    ///
    /// // Down x², at the learning rate that is always 1.
    /// let mut x = [2.0_f64];
    /// let mut walk = Walk::new(AdamG::new(), x.len())?;
    /// for _ in 0..300 {
    ///     let g = [2.0 * x[0]];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!(x[0].abs() < 0.5, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamG {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.95,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β₃` of the weight of gradients.
        #[doc(alias = "betas")]
        beta3: Decay = 0.95,
        /// The factor `p` of `s(x) = p x^q`.
        p: Positive = 0.2,
        /// The exponent `q` of `s(x) = p x^q`.
        q: Positive = 0.24,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdamG`].
    pub struct Moments {
        /// First moment of the weighed gradient.
        m,
        /// Second moment.
        v: positive,
        /// The weight of gradients.
        r: positive,
    }

    /// Scalars of [`AdamG`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3, p, q,
        /// `min(η, 1 / √t) / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        lr, debias2,
        eps,
    }
}

impl Rule for AdamG {
    const NAME: &'static str = "adamg";
    const TITLE: &'static str = "AdamG";
    const PAPER: Paper = Paper::arxiv("Pang et al. 2024", "2405.04376");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, p, q, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            p,
            q,
            lr: lr.min(1.0 / (t as f64).sqrt()) * debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
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
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let size = k.p * finite_or(v, R::lit(0.0)).powf(k.q);
        let r = k.beta3 * s.r + k.one_beta3 * size;
        let m = k.beta1 * s.m + k.one_beta1 * r * g;
        let step = k.lr * m / ((v * k.debias2).sqrt() + k.eps);
        (k.keep * p - step, Moments { m, v, r })
    }
}
