use crate::transforms::{debias, split_decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// GPA-AdamW: AdamW, its gradient taken between where it is and a moving average of where it was.
    ///
    /// ```text
    /// y = μ_y x + (1 − μ_y) z                                  the weights that are trained
    /// m ← β₁ m + (1 − β₁) g(y),     v ← β₂ v + (1 − β₂) g(y)²
    /// z ← z − η (m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + λ z)
    /// x ← μ_x x + (1 − μ_x) z                                  the weights to evaluate
    /// ```
    ///
    /// Generalized Primal Averaging. What is remembered is `z − x`, from which and `y` all three follow. With
    /// `μ_y = 1` it is momentum `μ_x` on the steps of AdamW, each `1 − μ_x` as long, and with `μ_y = μ_x` that of
    /// Nesterov. [`ScheduleFreeAdamW`](crate::ScheduleFreeAdamW) takes the mean of all `z` for `x`, and has the second
    /// moment only.
    ///
    /// - Defaults: the authors'. `mu_y` 0.7, `mu_x` 0.9967, which is as slow as 32 local steps of DiLoCo, `beta1` 0.9,
    ///   `beta2` 0.999, `eps` 1e-8, no weight decay; with a schedule.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops its `z` for
    ///   good (`v` infinite).
    /// - Reference: Defazio et al. 2025, <https://arxiv.org/abs/2512.17131>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{GpaAdamW, rules::slices::Walk};
    ///
    /// // Down f(x) = x² / 2, whose gradient is x.
    /// let mut y = [1.0_f64];
    /// let mut walk = Walk::new(GpaAdamW::new().mu_x(0.9), y.len())?;
    /// for _ in 0..500 {
    ///     let g = y;
    ///     walk.step(0.02, &mut y, &g)?;
    /// }
    /// assert!(walk.evaluate(&y)[0].abs() < 0.02);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct GpaAdamW {
        /// Share `μ_y` of the average in the point of the gradients.
        mu_y: Fraction = 0.7,
        /// Decay `μ_x` of the average.
        mu_x: Decay = 0.9967,
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay is by `λ y`, not by `λ z`.
        decay_at_y: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`GpaAdamW`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// `z − x`.
        d,
    }

    /// Scalars of [`GpaAdamW`].
    pub struct Scalars {
        mu_y,
        /// `1 − μ_y`.
        one_mu_y,
        mu_x, beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, lr,
        /// `λ` by `z` and by `y`.
        decay_z, decay_y,
    }
}

impl Rule for GpaAdamW {
    const NAME: &'static str = "gpa_adamw";
    const TITLE: &'static str = "GPA-AdamW";
    const PAPER: Paper = Paper::arxiv("Defazio et al. 2025", "2512.17131");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { mu_y, mu_x, beta1, beta2, eps, .. } = *self;
        let (decay_z, decay_y) = split_decay(self.weight_decay, self.decay_at_y);
        Scalars {
            mu_y,
            one_mu_y: 1.0 - mu_y,
            mu_x,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
            lr,
            decay_z,
            decay_y,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let z = p + k.mu_y * s.d;
        let u = m * k.debias1 / ((v * k.debias2).sqrt() + k.eps) + k.decay_z * z + k.decay_y * p;
        let step = k.lr * u;
        let d = k.mu_x * (s.d - step);
        (p + k.mu_y * (s.d - d) - step, Moments { m, v, d })
    }

    fn evaluate<R: Real>(p: R, s: Moments<R>, k: Scalars<R>) -> R {
        p - k.one_mu_y * s.d
    }
}

#[cfg(test)]
mod tests {
    use super::GpaAdamW;
    use crate::AdamW;
    use crate::slices::Walk;

    const GRADIENTS: [f64; 6] = [0.5, -1.0, 0.25, 2.0, -0.125, 0.0];

    /// The steps of AdamW along the gradients, at a tenth.
    fn steps() -> Vec<f64> {
        let mut walk = Walk::new(AdamW::new().weight_decay(0.0), 1).unwrap();
        let mut p = [0.0];
        let step = |g| {
            let before = p[0];
            walk.step(0.1, &mut p, &[g]).unwrap();
            p[0] - before
        };
        GRADIENTS.map(step).to_vec()
    }

    /// How GPA walks where `next` says what the weight and a velocity become with a step of AdamW.
    fn walks_as(rule: GpaAdamW, mut next: impl FnMut(&mut f64, &mut f64, f64)) {
        let mut walk = Walk::new(rule, 1).unwrap();
        let (mut p, mut expected, mut velocity) = ([1.0_f64], 1.0, 0.0);
        for (g, step) in GRADIENTS.into_iter().zip(steps()) {
            walk.step(0.1, &mut p, &[g]).unwrap();
            next(&mut expected, &mut velocity, step);
            assert!((p[0] - expected).abs() < 1e-14, "{p:?} {expected}");
        }
    }

    #[test]
    fn with_the_gradient_at_the_average_it_is_momentum() {
        walks_as(GpaAdamW::new().mu_y(1.0).mu_x(0.9), |p, velocity, step| {
            *velocity = 0.9 * *velocity + (1.0 - 0.9) * step;
            *p += *velocity;
        });
    }

    #[test]
    fn with_equal_shares_it_is_the_momentum_of_nesterov() {
        walks_as(GpaAdamW::new().mu_y(0.8).mu_x(0.8), |p, velocity, step| {
            *velocity = 0.8 * *velocity + step;
            *p += (1.0 - 0.8) * (step + 0.8 * *velocity);
        });
    }

    #[test]
    fn without_shares_it_is_adamw() {
        walks_as(GpaAdamW::new().mu_y(0.0).mu_x(0.0), |p, _, step| *p += step);
    }

    #[test]
    fn the_average_is_what_is_evaluated() {
        let rule = GpaAdamW::new().mu_x(0.5).weight_decay(0.1);
        let mut walk = Walk::new(rule, 1).unwrap();
        // Decay as of the definition, in z.
        let mut adam = Walk::new(AdamW::new().weight_decay(0.0), 1).unwrap();
        let (mut p, mut z, mut x) = ([1.0_f64], [1.0_f64], 1.0_f64);
        for g in GRADIENTS {
            walk.step(0.1, &mut p, &[g]).unwrap();
            let decay = 0.1 * 0.1 * z[0];
            adam.step(0.1, &mut z, &[g]).unwrap();
            z[0] -= decay;
            x = 0.5 * x + 0.5 * z[0];
            assert!((p[0] - (0.7 * x + (1.0 - 0.7) * z[0])).abs() < 1e-14);
            assert!((walk.evaluate(&p)[0] - x).abs() < 1e-14);
        }
    }
}
