use super::moments::Moments;
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Adam-atan2: Adam whose division is an arc tangent, so that it needs no epsilon, and gradients
    /// all as many times as small take the same steps.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η λ) θ − η a atan2(m̂, b √v̂)
    /// ```
    ///
    /// A step is at most `a π / 2` learning rates long. Near 0 the arc tangent is a division, so that
    /// small steps are `a / b` times Adam's. Where a gradient has always been 0 there is no step.
    ///
    /// - Defaults: the paper's constants `a` 1.27 and `b` 1, with which a gradient that stays the same
    ///   moves its weight by the learning rate, as in Adam; `beta1` 0.9, `beta2` 0.999, no weight
    ///   decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Everett et al. 2024, section 5.3, <https://arxiv.org/abs/2407.05872>; lucidrains,
    ///   <https://github.com/lucidrains/adam-atan2-pytorch>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamAtan2, rules::slices::Walk};
    ///
    /// // However small the gradient is, even where its square is 0.
    /// for g in [1.0, 1e-20, 1e-200] {
    ///     let mut x = [1.0_f64];
    ///     let mut walk = Walk::new(AdamAtan2::new(), x.len())?;
    ///     walk.step(0.1, &mut x, &[g])?;
    ///     assert!((0.8..=0.91).contains(&x[0]), "{x:?}");
    /// }
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamAtan2 {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Factor of the arc tangent.
        a: Positive = 1.27,
        /// Factor of the root.
        b: Positive = 1.0,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`AdamAtan2`].
    pub struct Scalars {
        /// `1 −` the decay.
        keep,
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₁ᵗ)`.
        debias1,
        /// `b² / (1 − β₂ᵗ)`.
        debias2,
        /// `η a`.
        lr,
    }
}

impl Rule for AdamAtan2 {
    const NAME: &'static str = "adam_atan2";
    const TITLE: &'static str = "Adam-atan2";
    const PAPER: Paper = Paper::arxiv("Everett et al. 2024", "2407.05872");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, a, b, weight_decay, .. } = *self;
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let debias2 = b * b / (1.0 - beta2.powf(t as f64));
        let (keep, debias1, lr) = (1.0 - lr * weight_decay, debias(beta1, t), lr * a);
        Scalars { keep, beta1, one_beta1, beta2, one_beta2, debias1, debias2, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let (m_hat, root) = (m * k.debias1, (v * k.debias2).sqrt());
        (k.keep * p - k.lr * m_hat.atan2(root), Moments { m, v })
    }
}
