use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AggMo: the average of three velocities that forget at different rates.
    ///
    /// ```text
    /// g ← g + λ θ
    /// vᵢ ← βᵢ vᵢ + g                     i = 1, 2, 3
    /// θ ← θ − η (v₁ + v₂ + v₃) / 3
    /// ```
    ///
    /// The slow velocity makes way, the fast ones damp its oscillations. The paper's rule is for any
    /// number of velocities, and three are its default. With `decoupled_weight_decay` the decay acts
    /// on the weights: `θ ← (1 − η λ) θ − …`.
    ///
    /// - Defaults: the paper's. `beta1` 0, `beta2` 0.9, `beta3` 0.99; `weight_decay` 0, a penalty.
    /// - Memory: one number a weight for each beta that is not 0: two. Traffic in f32: read 16, write
    ///   12 bytes a weight; 4 and 4 more with `beta1` > 0.
    /// - A gradient that is NaN or infinite makes its weight and state NaN or infinite, and no other.
    /// - Reference: Lucas et al. 2018, <https://arxiv.org/abs/1804.00325>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AggMo, rules::slices::Walk};
    ///
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(AggMo::new(), x.len())?;
    /// for _ in 0..2 {
    ///     walk.step(0.3, &mut x, &[1.0])?;
    /// }
    /// assert!((x[0] + 0.1 * (3.0 + 1.0 + 1.9 + 1.99)).abs() < 1e-15);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AggMo {
        /// Decay `β₁` of the first velocity. With 0 it is the gradient.
        #[doc(alias = "betas")]
        beta1: Decay = 0.0,
        /// Decay `β₂` of the second velocity.
        #[doc(alias = "betas")]
        beta2: Decay = 0.9,
        /// Decay `β₃` of the third velocity.
        #[doc(alias = "betas")]
        beta3: Decay = 0.99,
        /// Decay `λ` of the weights.
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
    /// State of [`AggMo`]: the velocities whose decay is not 0.
    pub struct Velocities { v1: optional, v2: optional, v3: optional }

    /// Scalars of [`AggMo`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, beta2, beta3,
        /// A third of the learning rate.
        share,
    }
}

impl Rule for AggMo {
    const NAME: &'static str = "aggmo";
    const TITLE: &'static str = "AggMo";
    const PAPER: Paper = Paper::arxiv("Lucas et al. 2018", "1804.00325");
    type State<R: Copy> = Velocities<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Velocities<f64> {
        let v = |beta: f64| (beta > 0.0).then_some(0.0);
        Velocities { v1: v(self.beta1), v2: v(self.beta2), v3: v(self.beta3) }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars { l2, keep, beta1, beta2, beta3, share: lr / 3.0 }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocities<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Velocities<R>) {
        let g = g + k.l2 * p;
        let v1 = s.v1.map(|v| k.beta1 * v + g);
        let v2 = s.v2.map(|v| k.beta2 * v + g);
        let v3 = s.v3.map(|v| k.beta3 * v + g);
        let sum = v1.unwrap_or(g) + v2.unwrap_or(g) + v3.unwrap_or(g);
        (k.keep * p - k.share * sum, Velocities { v1, v2, v3 })
    }
}
