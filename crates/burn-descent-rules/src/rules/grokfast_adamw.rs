use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// GrokFast-AdamW: AdamW on gradients whose slow part is amplified.
    ///
    /// ```text
    /// e ← α e + (1 − α) g              (e ← g in step 1)
    /// ĝ = g + λ e
    /// m ← β₁ m + (1 − β₁) ĝ,           m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) ĝ²,          v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η weight_decay) θ − η m̂ / max(√v̂, eps)
    /// ```
    ///
    /// In the first `grokfast_after_step` steps `ĝ = g`, and `e` stays the first gradient. Amplified
    /// gradients are `1 + λ` times as great, by which `normalize_lr` divides the learning rate `η`, also
    /// that of the decay. The paper's filter stands in front of any optimizer; this one, with `max`
    /// where [`AdamW`](crate::AdamW) adds `eps`, is that of lucidrains and pytorch_optimizer.
    ///
    /// - Defaults: lucidrains'. `beta1` 0.9, `beta2` 0.99, `eps` 1e-8, `grokfast_alpha` 0.98,
    ///   `grokfast_lamb` 2, `grokfast_after_step` 0, `normalize_lr` true, `weight_decay` 0.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows
    ///   stops its weight for good (`v` infinite).
    /// - Reference: Lee et al. 2024, <https://arxiv.org/abs/2405.20233>; lucidrains 2024,
    ///   <https://github.com/lucidrains/grokfast-pytorch>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{GrokFastAdamW, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(GrokFastAdamW::new(), x.len())?;
    /// walk.step(0.3, &mut x, &[5.0])?;
    /// assert!((x[0] - (1.0 - 0.1)).abs() < 1e-15);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct GrokFastAdamW {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// The least divisor.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `α` of the slow average.
        grokfast_alpha: Decay = 0.98,
        /// Factor `λ` of the slow average where it is added to the gradient.
        #[doc(alias = "lambda")]
        grokfast_lamb: NonNegative = 2.0,
        /// Steps before the slow average begins.
        grokfast_after_step: NonNegative = 0.0,
        /// Divide the learning rate by `1 + λ`.
        normalize_lr: bool = true,
        /// Decoupled decay of the weights.
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`GrokFastAdamW`].
    pub struct Moments {
        /// First moment of the amplified gradients.
        m,
        /// Their second moment.
        v: positive,
        /// Slow average of the gradients.
        e,
    }

    /// Scalars of [`GrokFastAdamW`].
    pub struct Scalars {
        /// `α` and `1 − α`; 0 and 1 in step 1, then 1 and 0 until the average begins.
        alpha, one_alpha,
        /// `λ`, 0 until then.
        lamb,
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, lr,
        /// `1 −` the decay.
        keep,
    }
}

impl Rule for GrokFastAdamW {
    const NAME: &'static str = "grokfast_adamw";
    const TITLE: &'static str = "GrokFast-AdamW";
    const PAPER: Paper = Paper::arxiv("Lee et al. 2024", "2405.20233");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, grokfast_lamb: lamb, .. } = *self;
        let lr = if self.normalize_lr { lr / (1.0 + lamb) } else { lr };
        let begun = t as f64 > self.grokfast_after_step;
        let later = if begun { self.grokfast_alpha } else { 1.0 };
        let alpha = if t == 1 { 0.0 } else { later };
        Scalars {
            alpha,
            one_alpha: 1.0 - alpha,
            lamb: if begun { lamb } else { 0.0 },
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
            lr,
            keep: 1.0 - lr * self.weight_decay,
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
        let e = k.alpha * s.e + k.one_alpha * g;
        let g = g + k.lamb * e;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let step = m * k.debias1 / (v * k.debias2).sqrt().max(k.eps);
        (k.keep * p - k.lr * step, Moments { m, v, e })
    }
}
