use super::schedule_free::{self, MEMORY, back, share, warm, warm_step};
use crate::transforms::split_decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Schedule-Free SGD: an average of all steps in place of a schedule of the learning rate.
    ///
    /// ```text
    /// g ← g + λ y                 at y, the weights that are trained
    /// z ← z − η g
    /// x ← (1 − c) x + c z,         c = w / Σ w,   w = tʳ η_max^p
    /// y ← (1 − β) z + β x
    /// ```
    ///
    /// `x` is the point to evaluate and ship: take it with `evaluate`. The learning rate stays where it
    /// is, as great as SGD stands it; `warmup_steps` is the only schedule. A schedule works too: `η_max`
    /// is the greatest learning rate so far.
    ///
    /// - Defaults: the authors' code. `momentum` (`β`) 0.9, `warmup_steps` 0, `r` 0,
    ///   `weight_lr_power` (`p`) 2, no weight decay.
    /// - Memory: one number a weight, `z − y`, and two for the tensor. Traffic in f32: read 12, write 8
    ///   bytes a weight.
    /// - A NaN or infinite gradient makes its weight NaN and its state NaN or infinite, and no other.
    /// - Reference: Defazio et al. 2024, <https://arxiv.org/abs/2405.15682>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ScheduleFreeSgd, rules::slices::Walk};
    ///
    /// // Down f(x) = x² / 2, whose gradient is x.
    /// let mut y = [1.0_f64];
    /// let mut walk = Walk::new(ScheduleFreeSgd::new(), y.len())?;
    /// for _ in 0..200 {
    ///     let g = y;
    ///     walk.step(0.5, &mut y, &g)?;
    /// }
    /// assert!(walk.evaluate(&y)[0].abs() < 1e-3);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ScheduleFreeSgd {
        /// Share `β` of the average `x` in the point `y` of the gradients.
        #[doc(alias = "beta")]
        momentum: OpenFraction = 0.9,
        /// Steps in which the learning rate grows linearly.
        warmup_steps: NonNegative = 0.0,
        /// The learning rate of the first of them is 0, as in optax.
        warmup_from_zero: bool = false,
        /// Steps count `tʳ` in the average; with 0 all count the same.
        r: NonNegative = 0.0,
        /// Steps count `η_max^p` in the average: the power `p`.
        weight_lr_power: NonNegative = 2.0,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Decay `z` by `η λ`, and `y` by `1 − β` of that, before the step, as pytorch_optimizer's wrapper does; if
        /// false, add `λ y` to the gradient.
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ScheduleFreeSgd`].
    pub struct Difference {
        /// `z − y`.
        d,
    }

    /// Scalars of [`ScheduleFreeSgd`].
    pub struct Scalars {
        l2,
        /// `η λ`, and `1 − β` of it, where the decay is decoupled.
        of_z, of_y,
        lr, beta,
        /// Share of the newest point in the average, and what is left to the others.
        c, one_c,
        /// `1 − 1/β`, by which the average is found.
        back,
    }
}

impl Rule for ScheduleFreeSgd {
    const NAME: &'static str = "schedule_free_sgd";
    const TITLE: &'static str = "Schedule-Free SGD";
    const PAPER: Paper = Paper::arxiv("Defazio et al. 2024", "2405.15682");
    type State<R: Copy> = Difference<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn memory(&self) -> Vec<(&'static str, f64)> {
        MEMORY.to_vec()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { momentum: beta, .. } = *self;
        let (l2, decay) = split_decay(self.weight_decay, self.decoupled_weight_decay);
        let of_z = lr * decay;
        let lr = warm_step(lr, t, self.warmup_steps, self.warmup_from_zero);
        let (c, one_c) = (1.0, 0.0);
        Scalars { l2, of_z, of_y: of_z * (1.0 - beta), lr, beta, c, one_c, back: back(beta) }
    }

    fn remember(&self, lr: f64, t: u64, k: Scalars<f64>, memory: &mut [f64]) -> Scalars<f64> {
        let lr = warm(lr, t, self.warmup_steps);
        let c = share(lr, t, self.r, self.weight_lr_power, memory);
        Scalars { c, one_c: 1.0 - c, ..k }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Difference<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Difference<R>) {
        let g = g + k.l2 * p;
        let d = s.d - k.of_z * s.d - (k.of_z - k.of_y) * p;
        let (p, d) = schedule_free::step(p - k.of_y * p, d, g, [k.lr, k.beta, k.c, k.one_c]);
        (p, Difference { d })
    }

    fn evaluate<R: Real>(p: R, s: Difference<R>, k: Scalars<R>) -> R {
        p + k.back * s.d
    }
}
