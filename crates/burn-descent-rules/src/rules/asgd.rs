use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// ASGD: stochastic gradient descent evaluated by the average of the weights it has been at.
    ///
    /// ```text
    /// g ← g + weight_decay θ
    /// θ ← (1 − λ η_t) θ − η_t g,      η_t = η / (1 + λ η (t − 1))^alpha
    /// ax ← ax + μ_t (θ − ax),         μ_t = 1 / max(1, t − 1 − t0)
    /// ```
    ///
    /// `ax` is the average of the weights since step `t0 + 2`; until then it is the weights themselves.
    /// The weights to evaluate and to ship are `ax`, from [`evaluate`](Rule::evaluate); PyTorch keeps them
    /// in its state and uses them nowhere. The state here is `ax − θ`, which few bytes can hold. Where the
    /// learning rate `η` changes, PyTorch's `η_t` follows one step late.
    ///
    /// - Defaults: PyTorch's. `lambd` 1e-4, `alpha` 0.75, `t0` 1e6, `weight_decay` 0: for an average
    ///   set `t0` to a step of your training.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and `ax` NaN or infinite, and no other.
    /// - Reference: Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>; this schedule: Bottou
    ///   2010, <https://leon.bottou.org/papers/bottou-2010>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Asgd, rules::slices::Walk};
    ///
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Asgd::new().lambd(0.0).t0(0.0), x.len())?;
    /// for g in [8.0, -4.0, -2.0, -2.0] {
    ///     walk.step(0.5, &mut x, &[g])?;
    /// }
    /// // The weights after the steps 2, 3 and 4: -2, -1, 0.
    /// assert_eq!((x, walk.evaluate(&x)), ([0.0], vec![-1.0]));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Asgd {
        /// Decay `λ` of the weights and, with `alpha`, of the learning rate. Where weight decay is
        /// switched off for some weights it is 0, so their learning rate stays too.
        #[doc(alias = "lambda")]
        lambd: WeightDecay = 1e-4,
        /// Power of the decay of the learning rate.
        alpha: NonNegative = 0.75,
        /// The average begins with the weights after step `t0 + 2`.
        t0: NonNegative = 1e6,
        /// L2 penalty, added to the gradient.
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Asgd`].
    pub struct Average {
        /// `ax − θ`.
        d,
    }

    /// Scalars of [`Asgd`].
    pub struct Scalars {
        weight_decay,
        /// `1 − λ η_t`.
        keep,
        /// `η_t`.
        lr,
        /// `1 − μ_t`.
        one_mu,
    }
}

impl Rule for Asgd {
    const NAME: &'static str = "asgd";
    const TITLE: &'static str = "ASGD";
    const PAPER: Paper =
        Paper::at("Polyak & Juditsky 1992; Bottou 2010", "https://doi.org/10.1137/0330046");
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { lambd, weight_decay, .. } = *self;
        let before = (t - 1) as f64;
        let lr = lr / (1.0 + lambd * lr * before).powf(self.alpha);
        let mu = 1.0 / (before - self.t0).max(1.0);
        Scalars { weight_decay, keep: 1.0 - lambd * lr, lr, one_mu: 1.0 - mu }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Average<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        let ax = p + s.d;
        let g = g + k.weight_decay * p;
        let p = k.keep * p - k.lr * g;
        (p, Average { d: k.one_mu * (ax - p) })
    }

    fn evaluate<R: Real>(p: R, s: Average<R>, _k: Scalars<R>) -> R {
        p + s.d
    }
}
