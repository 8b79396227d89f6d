use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaMax: Adam with the greatest gradient, slowly forgotten, in the place of the average square.
    ///
    /// ```text
    /// g ← g + λ θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// u ← max(β₂ u, |g| + eps)
    /// θ ← θ − η m̂ / (u + eps_outside)
    /// ```
    ///
    /// With `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ`, and not on the
    /// gradient, as in optax's `adamaxw` and in Keras.
    ///
    /// The paper divides by `u` alone. PyTorch and optax have their epsilon in the maximum, `eps`;
    /// Keras adds it to `u`, `eps_outside` (`.eps(0.0).eps_outside(1e-7)`).
    ///
    /// - Defaults: the paper's, and PyTorch's `eps` 1e-8. `beta1` 0.9, `beta2` 0.999, no weight decay;
    ///   `eps_outside` 0.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and `m` NaN, and no other weight; after a huge one the steps are
    ///   tiny until `u` has decayed.
    /// - Reference: Kingma & Ba 2014, algorithm 2, <https://arxiv.org/abs/1412.6980>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaMax, Rule};
    ///
    /// AdaMax::new().beta2(0.99).weight_decay(0.1).decoupled_weight_decay(true).check()?;
    /// let error = AdaMax::new().eps(0.0).check().unwrap_err();
    /// let expected = "adamax: eps = 0 is not allowed, it must be > 0 unless eps_outside is";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaMax {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the greatest gradient.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the size of the gradient.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the greatest gradient.
        eps_outside: Epsilon = 0.0,
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
    /// State of [`AdaMax`].
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch.
        m,
        /// Greatest gradient, `exp_inf` in PyTorch.
        u: positive,
    }

    /// Scalars of [`AdaMax`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, lr,
        /// `1 / (1 − β₁ᵗ)`.
        debias1,
        eps, eps_outside,
    }
}

impl Rule for AdaMax {
    const NAME: &'static str = "adamax";
    const TITLE: &'static str = "AdaMax";
    const PAPER: Paper = Paper::arxiv("Kingma & Ba 2014", "1412.6980");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_outside, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, debias1) = (1.0 - beta1, debias(beta1, t));
        Scalars { l2, keep, beta1, one_beta1, beta2, lr, debias1, eps, eps_outside }
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
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let u = (k.beta2 * s.u).max(g.abs() + k.eps);
        let m_hat = m * k.debias1;
        (k.keep * p - k.lr * m_hat / (u + k.eps_outside), Moments { m, u })
    }
}
