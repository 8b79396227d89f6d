use crate::transforms::decay;
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// BCOS: the step size of each weight is the best one for the noise of its gradient, by an estimate
    /// that needs no second moment in memory.
    ///
    /// ```text
    /// θ ← (1 − η λ) θ
    /// m ← β m + (1 − β) g
    /// v = (3β² − 2β³) m² + (1 − β)² g² + 2β (1 − β)² m g
    /// θ ← θ − η m / (√v + eps)
    /// ```
    ///
    /// `v` is the expected square of `m`, given what has been seen. With `simple` it is
    /// `β₂ m² + (1 − β₂) g²`, where `β₂` is `1 − (1 − β)²` unless it is given.
    ///
    /// Not `conditional`: `v ← β₂ v + (1 − β₂) m²` is remembered, with `β₂` as `β` unless it is given;
    /// without `momentum` too, `g` takes the place of `m`, which is RMSProp.
    ///
    /// Averages begin with the first gradient. In the estimate of the paper and of the authors' code `m`
    /// is the momentum before the step; pytorch_optimizer has it after, as here.
    ///
    /// - Defaults: pytorch_optimizer's. `beta` 0.9, `beta2` 0 (it follows from `beta`), `eps` 1e-6,
    ///   `weight_decay` 0.1, which acts on the weights.
    /// - Memory: one number a weight; two if not conditional with momentum. Traffic in f32: read 12,
    ///   write 8 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight until `m²` does not overflow any more, or, where `v` is remembered, for good.
    /// - Reference: Jiang & Xiao 2025, <https://arxiv.org/abs/2507.08963>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Bcos, rules::slices::Walk};
    ///
    /// // The estimate of g² in the first step is g² itself: a step of the learning rate.
    /// let mut x = [0.0_f64];
    /// Walk::new(Bcos::new(), 1)?.step(0.1, &mut x, &[5.0])?;
    /// assert!((x[0] + 0.1).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Bcos {
        /// Decay `β` of the momentum.
        #[doc(alias = "momentum")]
        beta: Decay = 0.9,
        /// Decay `β₂` of the second moment; with 0 it follows from `beta`. Not used with
        /// `conditional` unless it is `simple`.
        beta2: Decay = 0.0,
        /// Estimate the second moment instead of remembering it. Needs `momentum`.
        #[doc(alias = "mode")]
        conditional: bool = true,
        /// Take the simpler one of the two estimates. Needs `conditional`.
        #[doc(alias = "simple_cond")]
        simple: bool = false,
        /// Step along the momentum, not the gradient.
        momentum: bool = true,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.1,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Bcos`].
    pub struct Averages {
        /// Momentum, if the step goes along it.
        m: optional,
        /// Second moment, if it is remembered.
        v: optional positive,
    }

    /// Scalars of [`Bcos`].
    pub struct Scalars {
        keep, lr, eps,
        /// Shares of the momentum before and of the gradient in the momentum.
        beta, one_beta,
        /// Shares in the second moment of itself, of `m²`, of `g²` and of `m g`.
        of_v, of_m2, of_g2, with_m,
    }
}

impl Rule for Bcos {
    const NAME: &'static str = "bcos";
    const TITLE: &'static str = "BCOS";
    const PAPER: Paper = Paper::arxiv("Jiang & Xiao 2025", "2507.08963");
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let (conditional, simple) = (f64::from(self.conditional), f64::from(self.simple));
        let needs = [
            ("conditional", conditional, self.momentum || !self.conditional, "with momentum"),
            ("simple", simple, self.conditional || !self.simple, "with conditional"),
        ];
        InvalidOption::unless_all_hold(Self::NAME, &needs)
    }

    fn start(&self) -> Averages<f64> {
        let (m, v) = (self.momentum, !self.conditional);
        Averages { m: m.then_some(0.0), v: v.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (_, keep) = decay(self.weight_decay, true, lr);
        // Averages are the first gradient in the first step.
        let begun = |decay: f64| if t == 1 { 0.0 } else { decay };
        let b = self.beta;
        let beta2 = |otherwise: f64| if self.beta2 > 0.0 { self.beta2 } else { otherwise };
        let [of_v, of_m2, of_g2, with_m] = match (self.conditional, self.simple) {
            (false, _) => [begun(beta2(b)), 1.0 - begun(beta2(b)), 0.0, 0.0],
            (true, true) => {
                let beta2 = beta2(1.0 - (1.0 - b).powi(2));
                [0.0, beta2, 1.0 - beta2, 0.0]
            }
            (true, false) => {
                let rest = (1.0 - b).powi(2);
                [0.0, b * b * (2.0 - b * b), rest, b]
            }
        };
        let (beta, one_beta) = (begun(b), 1.0 - begun(b));
        Scalars { keep, lr, eps: self.eps, beta, one_beta, of_v, of_m2, of_g2, with_m }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Averages<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Averages<R>) {
        let m = s.m.map(|m| k.beta * m + k.one_beta * g);
        let d = m.unwrap_or(g);
        let v = match s.v {
            Some(v) => k.of_v * v + k.of_m2 * d * d,
            // The paper's three terms as two squares, which cannot cancel where they overflow.
            None => {
                let both = g + k.with_m * d;
                k.of_m2 * d * d + k.of_g2 * both * both
            }
        };
        (k.keep * p - k.lr * (d / (v.sqrt() + k.eps)), Averages { m, v: s.v.map(|_| v) })
    }
}
