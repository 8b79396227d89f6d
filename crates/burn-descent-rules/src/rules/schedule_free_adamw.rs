use super::schedule_free::{self, MEMORY, back, share, warm, warm_step};
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Schedule-Free AdamW: an average of all steps in place of a schedule of the learning rate.
    ///
    /// ```text
    /// v ← β₂ v + (1 − β₂) g²,      v̂ = v / (1 − β₂ᵗ)
    /// u = g / (√v̂ + eps) + λ y    at y, the weights that are trained
    /// z ← z − η u
    /// x ← (1 − c) x + c z,         c = w / Σ w,   w = tʳ η_max^p
    /// y ← (1 − β₁) z + β₁ x
    /// ```
    ///
    /// `x` is the point to evaluate and ship: take it with `evaluate`. The average is the momentum, so
    /// there is no first moment. The learning rate stays where it is, one to ten times AdamW's;
    /// `warmup_steps` is the only schedule. A schedule works too: `η_max` is the greatest learning rate
    /// so far. With `warmup_from_zero`, as in optax, a step has the rate that the one before counts with, so that
    /// the first has none.
    ///
    /// `amsgrad`: `v_max ← max(v_max, v̂)` takes the place of `v̂`. With `decoupling_c` the share `c` is multiplied by
    /// `(1 − β₁)` times that, and 1 at most. Both are pytorch_optimizer's.
    ///
    /// - Defaults: the authors' code. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `warmup_steps` 0, `r` 0,
    ///   `weight_lr_power` (`p`) 2, no weight decay.
    /// - Memory: two numbers a weight, `z − y` and `v`, and two for the tensor. Traffic in f32: read
    ///   16, write 12 bytes a weight; 4 and 4 more with AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its `z` for good (`v` infinite).
    /// - Reference: Defazio et al. 2024, <https://arxiv.org/abs/2405.15682>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ScheduleFreeAdamW, rules::slices::Walk};
    ///
    /// // Down f(x) = x² / 2, whose gradient is x.
    /// let mut y = [1.0_f64];
    /// let mut walk = Walk::new(ScheduleFreeAdamW::new(), y.len())?;
    /// for _ in 0..500 {
    ///     let g = y;
    ///     walk.step(0.02, &mut y, &g)?;
    /// }
    /// assert!(walk.evaluate(&y)[0].abs() < 0.02);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ScheduleFreeAdamW {
        /// Share `β₁` of the average `x` in the point `y` of the gradients.
        #[doc(alias = "betas")]
        beta1: OpenFraction = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Added under the root.
        eps_root: NonNegative = 0.0,
        /// Steps in which the learning rate grows linearly.
        warmup_steps: NonNegative = 0.0,
        /// The learning rate of the first of them is 0.
        warmup_from_zero: bool = false,
        /// Steps count `tʳ` in the average; with 0 all count the same.
        r: NonNegative = 0.0,
        /// Steps count `η_max^p` in the average: the power `p`.
        weight_lr_power: NonNegative = 2.0,
        /// Weight decay `λ` at `y`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// Factor of the share of the newest point; 0 for none.
        decoupling_c: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ScheduleFreeAdamW`].
    pub struct Moments {
        /// `z − y`.
        d,
        /// Second moment.
        v: positive,
        /// Greatest second moment whose bias is corrected, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`ScheduleFreeAdamW`].
    pub struct Scalars {
        decay, lr, beta1, beta2, one_beta2,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps, eps_root,
        /// Share of the newest point in the average, and what is left to the others.
        c, one_c,
        /// `1 − 1/β`, by which the average is found.
        back,
    }
}

impl Rule for ScheduleFreeAdamW {
    const NAME: &'static str = "schedule_free_adamw";
    const TITLE: &'static str = "Schedule-Free AdamW";
    const PAPER: Paper = Paper::arxiv("Defazio et al. 2024", "2405.15682");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { d: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn memory(&self) -> Vec<(&'static str, f64)> {
        MEMORY.to_vec()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { weight_decay: decay, beta1, beta2, eps, eps_root, .. } = *self;
        let lr = warm_step(lr, t, self.warmup_steps, self.warmup_from_zero);
        let (one_beta2, debias2, back) = (1.0 - beta2, debias(beta2, t), back(beta1));
        let (c, one_c) = (1.0, 0.0);
        Scalars { decay, lr, beta1, beta2, one_beta2, debias2, eps, eps_root, c, one_c, back }
    }

    fn remember(&self, lr: f64, t: u64, k: Scalars<f64>, memory: &mut [f64]) -> Scalars<f64> {
        let lr = warm(lr, t, self.warmup_steps);
        let c = share(lr, t, self.r, self.weight_lr_power, memory);
        let decoupled = (c * (1.0 - self.beta1) * self.decoupling_c).min(1.0);
        let c = if self.decoupling_c > 0.0 { decoupled } else { c };
        Scalars { c, one_c: 1.0 - c, ..k }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_hat = v * k.debias2;
        let v_max = s.v_max.map(|v_max| v_max.max(v_hat));
        let u = g / ((v_max.unwrap_or(v_hat) + k.eps_root).sqrt() + k.eps) + k.decay * p;
        let (p, d) = schedule_free::step(p, s.d, u, [k.lr, k.beta1, k.c, k.one_c]);
        (p, Moments { d, v, v_max })
    }

    fn evaluate<R: Real>(p: R, s: Moments<R>, k: Scalars<R>) -> R {
        p + k.back * s.d
    }
}
