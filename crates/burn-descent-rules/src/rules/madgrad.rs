use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// MADGRAD: steps from where training began, by the sum of all gradients.
    ///
    /// ```text
    /// g ← g + λ θ
    /// λ_t = (η + eps) √t
    /// s ← s + λ_t g
    /// ν ← ν + λ_t g²
    /// z = θ₀ − s / (∛ν + eps)
    /// θ ← θ + (1 − β) (z − θ)
    /// ```
    ///
    /// `θ₀` are the weights before step 1. As in the authors' code `eps` is added to a learning rate that
    /// is not 0. Their decoupled decay (`decoupled_weight_decay`) takes `(η + eps) λ θ` away, of the
    /// weights before the step; timm's (`decay_first`) decays them before the step, so that `β` weakens
    /// `η λ θ` to `β η λ θ`, unless it is 0.
    ///
    /// - Defaults: the authors'. `momentum` 0.9, `eps` 1e-6, `weight_decay` 0, a penalty. They advise
    ///   a smaller one than for other optimizers, often none.
    /// - Memory: three numbers a weight; without momentum two, and `θ₀` follows from them. Traffic in
    ///   f32: read 20, write 16 bytes a weight; without momentum read 16, write 12.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows takes
    ///   its weight back to where it began, for good (`ν` infinite).
    /// - Reference: Defazio & Jelassi 2021, algorithm 1, <https://arxiv.org/abs/2101.11075>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Madgrad, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(Madgrad::new().momentum(0.0), x.len())?;
    /// walk.step(0.008, &mut x, &[1.0])?;
    /// // λ g / ∛(λ g²), with λ a little more than 0.008.
    /// assert!((x[0] - (1.0 - 0.04)).abs() < 1e-5);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Madgrad {
        /// Share `β` of the old weights in the new ones.
        #[doc(alias = "beta")]
        momentum: Decay = 0.9,
        /// Added to the cube root and to the learning rate.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "decouple_decay")]
        decoupled_weight_decay: bool = false,
        /// Decoupled decay comes before the step, as in timm, not after it.
        decay_first: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Madgrad`].
    pub struct Sums {
        /// Sum of the weighted gradients.
        s,
        /// Sum of their weighted squares.
        nu: positive,
        /// Where the weights began, with momentum; 0 before the first step, which sets it.
        p0: optional,
    }

    /// Scalars of [`Madgrad`].
    pub struct Scalars {
        l2, lambda, eps,
        /// 1 in step 1, then 0; and `1 − β`.
        first, one_beta,
        /// Share of the weights that decays, where that is decoupled.
        decay,
    }
}

impl Rule for Madgrad {
    const NAME: &'static str = "madgrad";
    const TITLE: &'static str = "MADGRAD";
    const PAPER: Paper = Paper::arxiv("Defazio & Jelassi 2021", "2101.11075");
    type State<R: Copy> = Sums<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Sums<f64> {
        Sums { s: 0.0, nu: 0.0, p0: (self.momentum > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { momentum: beta, eps, .. } = *self;
        let (l2, decay) = transforms::split_decay(self.weight_decay, self.decoupled_weight_decay);
        let eta = if lr > 0.0 { lr + eps } else { 0.0 };
        let before = if beta > 0.0 { beta * lr } else { lr };
        let decay = decay * if self.decay_first { before } else { eta };
        let lambda = eta * (t as f64).sqrt();
        Scalars { l2, lambda, eps, first: f64::from(t == 1), one_beta: 1.0 - beta, decay }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Sums<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Sums<R>) {
        let g = g + k.l2 * p;
        let away = |sum: R, nu: R| sum / (nu.cbrt() + k.eps);
        let (sum, nu) = (s.s + k.lambda * g, s.nu + k.lambda * g * g);
        let p0 = s.p0.map(|p0| p0 + k.first * p);
        let step = match p0 {
            Some(p0) => k.one_beta * (p0 - away(sum, nu) - p),
            None => away(s.s, s.nu) - away(sum, nu),
        };
        (p + step - k.decay * p, Sums { s: sum, nu, p0 })
    }
}
