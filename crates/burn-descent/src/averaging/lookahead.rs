use burn_descent_rules::{InvalidOption, check_options, options};

options! {
    /// Lookahead: `k` steps forward, one step back.
    ///
    /// ```text
    /// every k steps:    slow ← slow + α (w − slow),    w ← slow
    /// ```
    ///
    /// The states of the optimizers go on through it. The slow weights are those to evaluate and ship. A
    /// parameter that is frozen stays where it is and has none; when it is trained again, or comes to the
    /// model later, they begin at its weights then.
    ///
    /// - Memory: one number a weight, in f32 (f64 for f64), and every k steps one pass of tensor
    ///   operations.
    /// - Reference: Zhang et al. 2019, <https://arxiv.org/abs/1907.08610>.
    ///
    /// ```
    /// use burn_descent::{Build, Descent, Lookahead, Sgd};
    ///
    /// let walk = Descent::builder(Sgd::new().build()?).lookahead(Lookahead::new().k(10));
    /// # drop(walk);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Lookahead {
        /// The steps between two meetings.
        k: Count(1) = 5,
        /// How far the slow weights go toward the fast ones.
        alpha: Fraction = 0.5,
    }
}

impl Lookahead {
    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, "lookahead")
    }
}
