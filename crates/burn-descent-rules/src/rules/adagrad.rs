use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaGrad: a learning rate of its own for every weight, that only ever shrinks.
    ///
    /// ```text
    /// g ← g + λ θ
    /// s ← s + g²
    /// θ ← θ − η_t g / (√(s + eps_root) + eps),    η_t = η / (1 + (t − 1) lr_decay)
    /// ```
    ///
    /// PyTorch has `eps` outside the root; optax and Keras inside, here `eps_root`
    /// (`.eps(0.0).eps_root(1e-7)`; they also start `s` at 0.1: `initial_accumulator_value`).
    ///
    /// - Defaults: PyTorch's. `lr_decay` 0, `weight_decay` 0, `initial_accumulator_value` 0,
    ///   `eps` 1e-10; `eps_root` 0.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - A NaN gradient makes its weight and `s` NaN, and no other; one whose square overflows stops
    ///   its weight for good (`s` infinite).
    /// - Reference: Duchi, Hazan & Singer 2011, <https://jmlr.org/papers/v12/duchi11a.html>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaGrad, Rule};
    ///
    /// let keras = AdaGrad::new().initial_accumulator_value(0.1).eps(0.0).eps_root(1e-7);
    /// keras.check()?;
    /// assert!(AdaGrad::new().eps(0.0).check().is_err());
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaGrad {
        /// Decay of the learning rate with the number of steps.
        lr_decay: NonNegative = 0.0,
        /// L2 penalty `λ`, added to the gradient.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// What the sum of squares starts at.
        initial_accumulator_value: NonNegative = 0.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-10,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaGrad`].
    pub struct Sum {
        /// Sum of the squared gradients.
        s: positive,
    }

    /// Scalars of [`AdaGrad`].
    pub struct Scalars { weight_decay, lr, eps, eps_root }
}

impl Rule for AdaGrad {
    const NAME: &'static str = "adagrad";
    const TITLE: &'static str = "AdaGrad";
    const PAPER: Paper =
        Paper::at("Duchi et al. 2011", "https://jmlr.org/papers/v12/duchi11a.html");
    type State<R: Copy> = Sum<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Sum<f64> {
        Sum { s: self.initial_accumulator_value }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { weight_decay, eps, eps_root, .. } = *self;
        let lr = lr / (1.0 + (t - 1) as f64 * self.lr_decay);
        Scalars { weight_decay, lr, eps, eps_root }
    }

    #[inline(always)]
    fn update<R: Real>(p: R, g: R, s: Sum<R>, k: Scalars<R>, _: &mut impl Over<R>) -> (R, Sum<R>) {
        let g = g + k.weight_decay * p;
        let s = s.s + g * g;
        let step = g / ((s + k.eps_root).sqrt() + k.eps);
        (p - k.lr * step, Sum { s })
    }
}
