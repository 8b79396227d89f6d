use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaDelta: steps as large as the last ones were, so that no learning rate has to be found.
    ///
    /// ```text
    /// g ← g + λ θ
    /// v ← ρ v + (1 − ρ) g²
    /// Δ = √(u + eps) / √(v + eps) · g
    /// u ← ρ u + (1 − ρ) Δ²
    /// θ ← θ − η Δ
    /// ```
    ///
    /// With `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ`, and not on the
    /// gradient, as in Keras.
    ///
    /// `eps` also sets the size of the first step, `√(eps / (1 − ρ))`: where training starts too slowly
    /// it is to be raised. The paper has no `η`, which is 1.
    ///
    /// - Defaults: PyTorch's. `rho` 0.9, `eps` 1e-6, no weight decay. (Keras: `rho` 0.95, `eps` 1e-7,
    ///   and a learning rate of 0.001, with which it hardly moves.)
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Zeiler 2012, algorithm 1, <https://arxiv.org/abs/1212.5701>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaDelta, Rule, rules::slices::Walk};
    ///
    /// AdaDelta::new().rho(0.95).eps(1e-3).check()?;
    /// // The first step has the same size whatever the gradient.
    /// let mut x = [0.0_f64, 0.0];
    /// Walk::new(AdaDelta::new(), 2)?.step(1.0, &mut x, &[1.0, 1000.0])?;
    /// assert!((x[0] / x[1] - 1.0).abs() < 1e-5);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaDelta {
        /// Decay `ρ` of the averages.
        rho: Decay = 0.9,
        /// Added under both roots.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
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
    /// State of [`AdaDelta`].
    pub struct Averages {
        /// Average of the squared gradient, `square_avg` in PyTorch.
        v: positive,
        /// Average of the squared steps, `acc_delta` in PyTorch.
        u: positive,
    }

    /// Scalars of [`AdaDelta`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        rho, one_rho, lr, eps,
    }
}

impl Rule for AdaDelta {
    const NAME: &'static str = "adadelta";
    const TITLE: &'static str = "AdaDelta";
    const PAPER: Paper = Paper::arxiv("Zeiler 2012", "1212.5701");
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars { l2, keep, rho: self.rho, one_rho: 1.0 - self.rho, lr, eps: self.eps }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Averages<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Averages<R>) {
        let g = g + k.l2 * p;
        let v = k.rho * s.v + k.one_rho * g * g;
        let delta = (s.u + k.eps).sqrt() / (v + k.eps).sqrt() * g;
        let u = k.rho * s.u + k.one_rho * delta * delta;
        (k.keep * p - k.lr * delta, Averages { v, u })
    }
}
