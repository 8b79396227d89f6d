use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// Rprop: every weight has a step size of its own, which grows while its gradient keeps its sign.
    ///
    /// ```text
    /// d ← sign(g)
    /// where d d' > 0:  η ← min(eta_plus η, max_step_size)
    /// where d d' < 0:  η ← max(eta_minus η, min_step_size),   d ← 0
    /// θ ← θ − η d                                              d' ← d
    /// ```
    ///
    /// The learning rate is what every `η` starts at in step 1, no less than `min_step_size` and no more
    /// than `max_step_size`; later ones, and so schedules, change nothing. For gradients of the whole
    /// data: the noise of mini-batches turns signs. As in PyTorch a weight whose gradient has turned
    /// stands still for one step (iRprop−). With `late`, as in optax, each step is taken one step later, unless the
    /// gradient has turned by then.
    ///
    /// - Defaults: the paper's and PyTorch's. `eta_minus` 0.5, `eta_plus` 1.2, `min_step_size` 1e-6,
    ///   `max_step_size` 50.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and `d` NaN, and no other; an infinite one is like any other.
    /// - Reference: Riedmiller & Braun 1993, <https://doi.org/10.1109/ICNN.1993.298623>; iRprop−: Igel
    ///   & Hüsken 2000.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Rprop, rules::slices::Walk};
    ///
    /// let mut x = [1.0];
    /// let mut walk = Walk::new(Rprop::new(), x.len())?;
    /// for g in [3.0, 0.01, -7.0, -7.0] {
    ///     walk.step(0.1, &mut x, &[g])?;
    /// }
    /// let expected: f64 = 1.0 - 0.1 - 0.12 - 0.0 + 0.06;
    /// assert!((x[0] - expected).abs() < 1e-15);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Rprop {
        /// Factor of a step size where the gradient has turned.
        #[doc(alias = "etas")]
        eta_minus: Decay = 0.5,
        /// Factor of a step size where the gradient has kept its sign.
        #[doc(alias = "etas")]
        eta_plus: MoreThan(1.0) = 1.2,
        /// The smallest step size.
        #[doc(alias = "step_sizes")]
        min_step_size: Positive = 1e-6,
        /// The greatest step size, not less than the smallest.
        #[doc(alias = "step_sizes")]
        max_step_size: Positive = 50.0,
        /// Take the step that followed from the gradient before.
        late: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Rprop`].
    pub struct Steps {
        /// Step size; 0 before the first step.
        eta: positive,
        /// Sign of the gradient of the last step, 0 if it had turned.
        d,
    }

    /// Scalars of [`Rprop`].
    pub struct Scalars {
        /// The learning rate in step 1, then 0.
        start,
        /// 1 where steps are late, else 0.
        late,
        eta_minus, eta_plus, min_step_size, max_step_size,
    }
}

impl Rule for Rprop {
    const NAME: &'static str = "rprop";
    const TITLE: &'static str = "Rprop";
    const PAPER: Paper =
        Paper::at("Riedmiller & Braun 1993", "https://doi.org/10.1109/ICNN.1993.298623");
    type State<R: Copy> = Steps<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let (least, most) = (self.min_step_size, self.max_step_size);
        let needs = [("max_step_size", most, most >= least, ">= min_step_size")];
        InvalidOption::unless_all_hold(Self::NAME, &needs)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { eta_minus, eta_plus, min_step_size, max_step_size, .. } = *self;
        let start = if t == 1 { lr } else { 0.0 };
        let late = f64::from(self.late);
        Scalars { start, late, eta_minus, eta_plus, min_step_size, max_step_size }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Steps<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Steps<R>) {
        let zero = R::lit(0.0);
        let d = g.sign();
        let (kept, turned) = (zero.lt(d * s.d), (d * s.d).lt(zero));
        let factor = R::select(turned, k.eta_minus, R::lit(1.0));
        let factor = R::select(kept, k.eta_plus, factor);
        let eta = (s.eta + k.start) * factor;
        let limited = eta.clamp(k.min_step_size, k.max_step_size);
        let changed = R::select(zero.lt((d * s.d).abs()), limited, eta);
        let eta = R::select(zero.lt(k.late), changed, limited);
        let step = R::select(zero.lt(k.late), s.eta * s.d, eta * d);
        let (d, step) = (R::select(turned, zero, d), R::select(turned, zero, step));
        (p - step, Steps { eta, d })
    }
}
