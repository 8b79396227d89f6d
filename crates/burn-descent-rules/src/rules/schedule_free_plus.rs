use crate::Domain::Model;
use crate::transforms::{debias, no_less_than_zero};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Schedule-Free+: Schedule-Free around Adam, its learning rate a step of Polyak.
    ///
    /// ```text
    /// y = β x + (1 − β) z                                      the weights that are trained
    /// G ← b G + (1 − b) √(π/2) Σ |g|
    /// η_t = η max(0, f + β Σ g (z − x)) / (G / (1 − bᵗ))
    /// m ← β₁ m + (1 − β₁) g,     v ← β₂ v + (1 − β₂) g²
    /// z ← z − η_t² λ y − η_t m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
    /// x ← (1 − c) x + c z,    c = w_t / Σ w,    w_t = tʳ (greatest η so far)^p
    /// ```
    ///
    /// `f` is the loss at `y`, so a step needs it, and the sums go over all parameters of the model that have a
    /// gradient: it walks with `Descent`. The loss has to be one whose least value is about 0. `x` is what to evaluate
    /// and to ship. What is remembered is `z − x`, from which and `y` all three follow.
    ///
    /// In the first `c_warmup` steps `c` is 1 and `w` does not count. With `beta_anneal_steps` the share `β` goes to
    /// `beta_max` in so many steps, `1 − β` by a constant factor in each.
    ///
    /// The decay is that of AdamC, by `η_t²`: weights of 20 or 50 are usual, not 0.1.
    ///
    /// - Defaults: the authors'. `beta` 0.9, `beta1` 0.9, `beta2` 0.95, `eps` 1e-8, `polyak_beta` (`b`) 0, `r` 0,
    ///   `weight_lr_power` (`p`) 2, no weight decay, no warmup, `beta_max` 0.965 after 0 steps, which is never. The
    ///   learning rate is a factor: 1.
    /// - Memory: three numbers a weight, and three a tensor. Traffic in f32: read 28, write 16 bytes a weight, 8 of
    ///   those read for the sums.
    /// - A gradient or a loss that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows
    ///   stops its weight for good (`v` infinite).
    /// - Reference: Defazio 2026, algorithm 1, <https://arxiv.org/abs/2605.19095>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ScheduleFreePlus, rules::slices::Walk};
    ///
    /// // Down (y - 3)².
    /// let mut y = [1.0_f64];
    /// let mut walk = Walk::new(ScheduleFreePlus::new(), y.len())?;
    /// for _ in 0..300 {
    ///     let away = y[0] - 3.0;
    ///     walk.step_with_loss(1.0, away * away, &mut y, &[2.0 * away])?;
    /// }
    /// assert!((walk.evaluate(&y)[0] - 3.0).abs() < 0.1, "{y:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ScheduleFreePlus {
        /// Share `β` of the average `x` in the point `y` of the gradients.
        #[doc(alias = "sf_beta1")]
        beta: Decay = 0.9,
        /// In how many steps that becomes `beta_max`; 0 for never.
        #[doc(alias = "sf_beta1_anneal_steps")]
        beta_anneal_steps: NonNegative = 0.0,
        /// What it becomes.
        #[doc(alias = "sf_beta1_max")]
        beta_max: Decay = 0.965,
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.95,
        /// Added to the root, and the least that the greatest learning rate so far can be.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `b` of the average of `Σ |g|`.
        polyak_beta: Decay = 0.0,
        /// Steps in which the average is the newest `z`.
        c_warmup: NonNegative = 0.0,
        /// Steps count `tʳ` in the average; with 0 all count the same.
        r: NonNegative = 0.0,
        /// Steps count `η_max^p` in the average: the power `p`.
        weight_lr_power: NonNegative = 2.0,
        /// Weight decay `λ` at `y`, times the square of the learning rate.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ScheduleFreePlus`].
    pub struct Averages {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// `z − x`.
        d,
        /// `G`.
        length: Model,
        /// The greatest learning rate so far.
        lr_max: Model,
        /// Sum of the weights of all steps.
        weights: Model,
    }

    /// Scalars of [`ScheduleFreePlus`].
    pub struct Scalars {
        /// `β` of the step before, that of this step, and `1 − β`.
        beta_before, beta, one_beta,
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps,
        polyak_beta,
        /// `(1 − b) √(π/2)`.
        inflow,
        /// `1 / (1 − bᵗ)`.
        debias_length,
        loss, lr, decay,
        /// `tʳ`, or 0 in the warmup.
        weight,
        power,
    }
}

impl ScheduleFreePlus {
    /// `β` of step `t`, from 1.
    fn share(&self, t: u64) -> f64 {
        let Self { beta, beta_anneal_steps: steps, beta_max, .. } = *self;
        let progress = if steps > 0.0 { ((t - 1) as f64 / steps).min(1.0) } else { 0.0 };
        1.0 - (1.0 - beta).powf(1.0 - progress) * (1.0 - beta_max).powf(progress)
    }
}

impl Rule for ScheduleFreePlus {
    const NAME: &'static str = "schedule_free_plus";
    const TITLE: &'static str = "Schedule-Free+";
    const PAPER: Paper = Paper::arxiv("Defazio 2026", "2605.19095");
    const SUMS: usize = 2;
    const LOSS: bool = true;
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Averages<f64> {
        Averages { m: 0.0, v: 0.0, d: 0.0, length: 0.0, lr_max: self.eps, weights: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, polyak_beta, weight_decay: decay, .. } = *self;
        let warms_up = (t as f64) <= self.c_warmup;
        Scalars {
            beta_before: self.share(t.max(2) - 1),
            beta: self.share(t),
            one_beta: 1.0 - self.share(t),
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
            polyak_beta,
            inflow: (1.0 - polyak_beta) * core::f64::consts::FRAC_PI_2.sqrt(),
            debias_length: debias(polyak_beta, t),
            loss: f64::NAN,
            lr,
            decay,
            weight: if warms_up { 0.0 } else { (t as f64).powf(self.r) },
            power: self.weight_lr_power,
        }
    }

    fn with_loss(&self, k: Scalars<f64>, loss: f64) -> Scalars<f64> {
        Scalars { loss, ..k }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Averages<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Averages<R>) {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let length = k.polyak_beta * s.length + k.inflow * over.sum(Model, g.abs());
        let above = no_less_than_zero(k.loss + k.beta * over.sum(Model, g * s.d));
        let long = length * k.debias_length;
        let lr = R::select(zero.lt(long), k.lr * above / long, zero * long);
        let lr_max = R::select(lr.lt(s.lr_max), s.lr_max, lr);
        let weight = k.weight * lr_max.powf(k.power);
        let weights = s.weights + weight;
        // In the warmup no weight has been counted, and the average is the newest point.
        let left = R::select(zero.lt(k.weight), one - weight / weights, zero);

        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let u = m * k.debias1 / ((v * k.debias2).sqrt() + k.eps) + lr * k.decay * p;
        let step = lr * u;
        let d = left * (s.d - step);
        let new = p + k.beta_before * s.d - k.beta * d - step;
        (new, Averages { m, v, d, length, lr_max, weights })
    }

    fn evaluate<R: Real>(p: R, s: Averages<R>, k: Scalars<R>) -> R {
        p - k.one_beta * s.d
    }
}

#[cfg(test)]
mod tests {
    use super::ScheduleFreePlus;
    use crate::slices::Walk;
    use core::f64::consts::FRAC_PI_2;

    /// The same with `x`, `y` and `z` held one by one, as the definition has them.
    fn by_definition(rule: &ScheduleFreePlus, steps: &[(f64, f64, f64)]) -> (f64, f64) {
        let (mut x, mut y, mut z) = (1.0_f64, 1.0, 1.0);
        let (mut m, mut v, mut length, mut lr_max, mut weights) = (0.0, 0.0, 0.0, rule.eps, 0.0);
        for (t, (lr, loss, g)) in (1_i32..).zip(steps.iter().copied()) {
            let progress = (f64::from(t - 1) / rule.beta_anneal_steps).min(1.0);
            let (from, to) = ((1.0 - rule.beta).ln(), (1.0 - rule.beta_max).ln());
            let beta = 1.0 - (from * (1.0 - progress) + to * progress).exp();
            let b = rule.polyak_beta;
            length = b * length + (1.0 - b) * g.abs() * FRAC_PI_2.sqrt();
            let above = (loss + beta * g * (z - x)).max(0.0);
            let lr = lr * above / (length / (1.0 - b.powi(t)));
            lr_max = lr.max(lr_max);
            let c = if f64::from(t) <= rule.c_warmup {
                1.0
            } else {
                let weight = f64::from(t).powf(rule.r) * lr_max.powf(rule.weight_lr_power);
                weights += weight;
                weight / weights
            };
            z -= lr * lr * rule.weight_decay * y;
            m = rule.beta1 * m + (1.0 - rule.beta1) * g;
            v = rule.beta2 * v + (1.0 - rule.beta2) * g * g;
            let root = (v / (1.0 - rule.beta2.powi(t))).sqrt() + rule.eps;
            z -= lr * (m / (1.0 - rule.beta1.powi(t))) / root;
            x = (1.0 - c) * x + c * z;
            y = beta * x + (1.0 - beta) * z;
        }
        (y, x)
    }

    #[test]
    fn it_walks_as_the_definition_says() {
        let rule = ScheduleFreePlus::new()
            .beta_anneal_steps(4.0)
            .polyak_beta(0.5)
            .c_warmup(2.0)
            .r(1.0)
            .weight_decay(3.0);
        let steps = [
            (0.1, 0.5, 0.5),
            (0.2, 0.7, -1.0),
            (0.2, 0.1, 0.25),
            (0.3, 0.01, -0.5),
            (0.1, 0.6, 2.0),
            (0.1, 0.0, -0.125),
        ];
        let mut walk = Walk::new(rule.clone(), 1).unwrap();
        let mut p = [1.0_f64];
        for (number, (lr, loss, g)) in steps.into_iter().enumerate() {
            walk.step_with_loss(lr, loss, &mut p, &[g]).unwrap();
            let (y, x) = by_definition(&rule, &steps[..=number]);
            assert!((p[0] - y).abs() < 1e-13, "{p:?} {y}");
            assert!((walk.evaluate(&p)[0] - x).abs() < 1e-13);
        }
    }
}
