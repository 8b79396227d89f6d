use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Nesterov's accelerated gradient, with the true look-ahead.
    ///
    /// ```text
    /// m ← β m − η ∇f(θ + β m)
    /// θ ← θ + m
    /// ```
    ///
    /// The gradient is taken at the look-ahead point `x = θ + β m`, so that is what the trained
    /// weights hold: a step takes `x` to the next look-ahead point. The weights to evaluate and to ship
    /// are `θ = x − β m` with the `β` of the last step, from [`evaluate`](Rule::evaluate).
    ///
    /// - Default: `momentum` 0.9, the usual choice.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and `m` NaN or infinite, and no other.
    /// - Reference: Nesterov 1983; in this notation Sutskever et al. 2013, equations 3 and 4,
    ///   <https://proceedings.mlr.press/v28/sutskever13.html>. PyTorch's `SGD(nesterov=True)` is the
    ///   same path as long as the learning rate is constant, evaluated at the look-ahead point: see
    ///   [`Sgd`](crate::Sgd).
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Nesterov, Rule};
    ///
    /// Nesterov::new().momentum(0.95).check()?;
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Nesterov {
        /// Decay `β` of the velocity.
        #[doc(alias = "beta")]
        momentum: Decay = 0.9,
    }
}

fields! {
    /// State of [`Nesterov`].
    pub struct Velocity { m }

    /// Scalars of [`Nesterov`].
    pub struct Scalars { beta, lr }
}

impl Rule for Nesterov {
    const NAME: &'static str = "nesterov";
    const TITLE: &'static str = "Nesterov";
    const PAPER: Paper = Paper::at(
        "Nesterov 1983; Sutskever et al. 2013",
        "https://proceedings.mlr.press/v28/sutskever13.html",
    );
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { beta: self.momentum, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        x: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let theta = x - k.beta * s.m;
        let m = k.beta * s.m - k.lr * g;
        let theta = theta + m;
        (theta + k.beta * m, Velocity { m })
    }

    fn evaluate<R: Real>(x: R, s: Velocity<R>, k: Scalars<R>) -> R {
        x - k.beta * s.m
    }
}
