use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Optimistic gradient descent: twice the gradient less the one of the step before, which in games
    /// of two players ends the going round in circles.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// θ ← θ − η ((α + β) g − β g')  g' the gradient of the step before, g in step 1
    /// ```
    ///
    /// `beta` 0 is plain gradient descent; `β (g − g')` is a guess at how the gradient goes on
    /// changing.
    ///
    /// - Defaults: the paper's and optax's. `alpha` 1, `beta` 1; no weight decay.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and state NaN or infinite, and no other.
    /// - Reference: Daskalakis et al. 2017, <https://arxiv.org/abs/1711.00141>; with two rates Mokhtari
    ///   et al. 2019, <https://arxiv.org/abs/1901.08511>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{OptimisticGd, rules::slices::Walk};
    ///
    /// // min over x, max over y of x y: plain descent and ascent leave (0, 0), this one finds it.
    /// let (mut x, mut y) = ([1.0_f64], [1.0]);
    /// let mut down = Walk::new(OptimisticGd::new(), 1)?;
    /// let mut up = Walk::new(OptimisticGd::new().maximize(true), 1)?;
    /// for _ in 0..200 {
    ///     let gradients = (y, x);
    ///     down.step(0.3, &mut x, &gradients.0)?;
    ///     up.step(0.3, &mut y, &gradients.1)?;
    /// }
    /// assert!(x[0].hypot(y[0]) < 1e-3);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct OptimisticGd {
        /// Factor `α` of the gradient.
        alpha: NonNegative = 1.0,
        /// Factor `β` of its change since the step before.
        #[doc(alias = "optimism")]
        beta: NonNegative = 1.0,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

/// The factors of what is new and of what was there a step before, at step `t`.
pub(super) fn optimism(alpha: f64, beta: f64, t: u64) -> (f64, f64) {
    if t == 1 { (alpha, 0.0) } else { (alpha + beta, beta) }
}

fields! {
    /// State of [`OptimisticGd`].
    pub struct Past {
        /// Gradient of the step before.
        g_prev,
    }

    /// Scalars of [`OptimisticGd`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        /// Factors of the gradient and of the one before.
        of_g, of_prev,
        lr,
    }
}

impl Rule for OptimisticGd {
    const NAME: &'static str = "optimistic_gd";
    const TITLE: &'static str = "Optimistic gradient descent";
    const PAPER: Paper = Paper::arxiv("Daskalakis et al. 2017", "1711.00141");
    type State<R: Copy> = Past<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (of_g, of_prev) = optimism(self.alpha, self.beta, t);
        Scalars { l2, keep, of_g, of_prev, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Past<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Past<R>) {
        let g = g + k.l2 * p;
        let step = k.of_g * g - k.of_prev * s.g_prev;
        (k.keep * p - k.lr * step, Past { g_prev: g })
    }
}
