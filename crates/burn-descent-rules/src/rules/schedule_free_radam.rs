use super::radam::RAdam;
use super::schedule_free::{self, MEMORY, back, share};
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Schedule-Free RAdam: Schedule-Free AdamW whose warm-up is RAdam's rectification.
    ///
    /// ```text
    /// v ← β₂ v + (1 − β₂) g²,      v̂ = v / (1 − β₂ᵗ)
    /// u = g / (√v̂ + eps) + λ y    while ρ_t <= 4: g + λ y
    /// z ← z − η_t u                η_t = r_t η;   while ρ_t <= 4: 0, or η
    /// x ← (1 − c) x + c z,         c = w / Σ w,   w = tʳ η_max^p
    /// y ← (1 − β₁) z + β₁ x
    /// ```
    ///
    /// `ρ_t` and `r_t` (`r` there) as in [`RAdam`](crate::RAdam); `η_max` is the greatest `η_t` so far.
    /// `x` is the point to evaluate and ship: take it with `evaluate`. With `silent_sgd_phase` the first
    /// steps, in which the second moment is not yet to be trusted, move nothing; else they are plain.
    ///
    /// - Defaults: the authors' code. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `r` 0,
    ///   `weight_lr_power` (`p`) 2, no weight decay, the first steps silent.
    /// - Memory: two numbers a weight, `z − y` and `v`, and two for the tensor. Traffic in f32: read
    ///   16, write 12 bytes a weight.
    /// - Bad gradients: as [`ScheduleFreeAdamW`](crate::ScheduleFreeAdamW), but in a plain step a huge one
    ///   is a huge step.
    /// - Reference: Defazio et al. 2024, <https://arxiv.org/abs/2405.15682>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ScheduleFreeRAdam, rules::slices::Walk};
    ///
    /// let mut y = [1.0_f64];
    /// let mut walk = Walk::new(ScheduleFreeRAdam::new(), y.len())?;
    /// (0..4).try_for_each(|_| walk.step(0.1, &mut y, &[1.0]))?;
    /// assert_eq!(y, [1.0]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ScheduleFreeRAdam {
        /// Share `β₁` of the average `x` in the point `y` of the gradients.
        #[doc(alias = "betas")]
        beta1: OpenFraction = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Steps count `tʳ` in the average; with 0 all count the same.
        r: NonNegative = 0.0,
        /// Steps count `η_max^p` in the average: the power `p`.
        weight_lr_power: NonNegative = 2.0,
        /// Move nothing in the first steps; if false, take plain ones.
        silent_sgd_phase: bool = true,
        /// Weight decay `λ` at `y`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ScheduleFreeRAdam`].
    pub struct Moments {
        /// `z − y`.
        d,
        /// Second moment.
        v: positive,
    }

    /// Scalars of [`ScheduleFreeRAdam`].
    pub struct Scalars {
        decay, lr, beta1, beta2, one_beta2,
        /// Factors of the gradient over its root and of the plain one: one is 1, the other 0.
        adaptive, plain,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps,
        /// Share of the newest point in the average, and what is left to the others.
        c, one_c,
        /// `1 − 1/β`, by which the average is found.
        back,
    }
}

impl Rule for ScheduleFreeRAdam {
    const NAME: &'static str = "schedule_free_radam";
    const TITLE: &'static str = "Schedule-Free RAdam";
    const PAPER: Paper = Paper::arxiv("Defazio et al. 2024", "2405.15682");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn memory(&self) -> Vec<(&'static str, f64)> {
        MEMORY.to_vec()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { weight_decay: decay, beta1, beta2, eps, .. } = *self;
        let radam = RAdam::new().beta2(beta2).threshold(4.0);
        let (rectified, plain) = radam.degenerated_to_sgd(!self.silent_sgd_phase).rectification(t);
        let lr = lr * (rectified + plain);
        let adaptive = f64::from(rectified > 0.0);
        let plain = 1.0 - adaptive;
        let (one_beta2, debias2) = (1.0 - beta2, debias(beta2, t));
        let (c, one_c, back) = (1.0, 0.0, back(beta1));
        Scalars {
            decay,
            lr,
            beta1,
            beta2,
            one_beta2,
            adaptive,
            plain,
            debias2,
            eps,
            c,
            one_c,
            back,
        }
    }

    fn remember(&self, _lr: f64, t: u64, k: Scalars<f64>, memory: &mut [f64]) -> Scalars<f64> {
        let c = share(k.lr, t, self.r, self.weight_lr_power, memory);
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
        let root = (v * k.debias2).sqrt() + k.eps;
        let u = g * (k.adaptive / root + k.plain) + k.decay * p;
        let (p, d) = schedule_free::step(p, s.d, u, [k.lr, k.beta1, k.c, k.one_c]);
        (p, Moments { d, v })
    }

    fn evaluate<R: Real>(p: R, s: Moments<R>, k: Scalars<R>) -> R {
        p + k.back * s.d
    }
}
