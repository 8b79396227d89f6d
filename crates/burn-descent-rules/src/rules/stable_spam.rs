use crate::Domain::Tensor;
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};
use std::f64::consts::PI;

options! {
    /// StableSPAM: Adam with gradients whose spikes are clipped and whose norm is evened out, and with moments that
    /// begin anew now and then.
    ///
    /// ```text
    /// c ← θ c + (1 − θ) max |g|,    ĉ = c / (1 − θᵗ)
    /// g ← g ĉ / max |g|                                where |g| > ĉ
    /// n ← γ₁ n + (1 − γ₁) ‖g‖,      n̂ = n / (1 − γ₁ᵗ)
    /// w ← γ₂ w + (1 − γ₂) ‖g‖²,     ŵ = w / (1 − γ₂ᵗ)
    /// g ← g / ‖g‖ · n̂ / (√ŵ + eps)
    /// m ← β₁ m + (1 − β₁) g,    v ← β₂ v + (1 − β₂) g²        (0 in place of m and v every reset_every steps)
    /// weights ← (1 − η λ) weights − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// Maxima and norms are those of the tensor. The bias of `m` and `v` is corrected by the number of steps since
    /// they began anew. Where the gradient of a tensor is all zeros only `c` changes, and weights decay.
    ///
    /// With `t_max` the decays `β₁` and `γ₁` are multiplied by a factor that goes from 1 to `eta_min` along half a
    /// cosine, and stays there from step `t_max` on.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `gamma1` 0.7, `gamma2` 0.9, `theta` 0.999, `eps` 1e-8,
    ///   `reset_every` 1000, no `t_max`, no weight decay.
    /// - Memory: two numbers a weight, and three a tensor. Traffic in f32: read 24, write 12 bytes a weight, 8
    ///   of those read for the maximum and the norm.
    /// - A gradient that is NaN makes its whole tensor NaN; one whose square overflows stops its tensor for good.
    /// - Reference: Huang et al. 2025, algorithm 1, <https://arxiv.org/abs/2502.17055>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{StableSpam, rules::slices::Walk};
    ///
    /// // A spike of a hundred times the gradients so far moves its weight no further than they did.
    /// let mut x = [0.0_f64, 0.0];
    /// let mut walk = Walk::new(StableSpam::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[1.0, 0.5])?;
    /// let before = x;
    /// walk.step(0.1, &mut x, &[100.0, 0.5])?;
    /// assert!(before[0] - x[0] < 0.11);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct StableSpam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `γ₁` of the norm.
        gamma1: Decay = 0.7,
        /// Decay `γ₂` of the square of the norm.
        gamma2: Decay = 0.9,
        /// Decay `θ` of the greatest element.
        theta: Decay = 0.999,
        /// Added to the roots.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// After how many steps the moments begin anew.
        #[doc(alias = "update_proj_gap")]
        reset_every: Count(1) = 1000,
        /// The step from which on `β₁` and `γ₁` are multiplied by `eta_min`; 0 for never.
        t_max: u64 = 0,
        /// The least factor of `β₁` and `γ₁`.
        eta_min: Fraction = 0.5,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`StableSpam`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// Average norm `n`.
        norm: Tensor,
        /// Average square of the norm, `w`.
        norm2: Tensor,
        /// Average of the greatest element, `c`.
        greatest: Tensor,
    }

    /// Scalars of [`StableSpam`].
    pub struct Scalars {
        keep,
        theta, one_theta, gamma1, one_gamma1, gamma2, one_gamma2,
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − dᵗ)` of each decay.
        debias_theta, debias_gamma1, debias_gamma2, debias1, debias2,
        lr, eps,
    }
}

impl StableSpam {
    /// The factor of `β₁` and `γ₁` in step `t`: a cosine over `t_max + 1` steps, which is 1 one step before the first.
    fn warmth(&self, t: u64) -> f64 {
        let cosine = |t: u64| 1.0 + (PI * t as f64 / (self.t_max + 1) as f64).cos();
        match self.t_max {
            0 => 1.0,
            t_max if t >= t_max => self.eta_min,
            _ => self.eta_min + (1.0 - self.eta_min) * cosine(t + 1) / cosine(1),
        }
    }
}

impl Rule for StableSpam {
    const NAME: &'static str = "stable_spam";
    const TITLE: &'static str = "StableSPAM";
    const PAPER: Paper = Paper::arxiv("Huang et al. 2025", "2502.17055");
    const SUMS: usize = 2;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { theta, gamma2, eps, reset_every, .. } = *self;
        let (beta1, gamma1) = (self.beta1 * self.warmth(t), self.gamma1 * self.warmth(t));
        let begins = t.is_multiple_of(reset_every);
        let of_old = |beta: f64| if begins { 0.0 } else { beta };
        // Steps since the moments began: the one in which they do is the first.
        let since = if t < reset_every { t } else { t % reset_every + 1 };
        Scalars {
            keep: 1.0 - lr * self.weight_decay,
            theta,
            one_theta: 1.0 - theta,
            gamma1,
            one_gamma1: 1.0 - gamma1,
            gamma2,
            one_gamma2: 1.0 - gamma2,
            beta1: of_old(beta1),
            one_beta1: 1.0 - beta1,
            beta2: of_old(self.beta2),
            one_beta2: 1.0 - self.beta2,
            debias_theta: debias(theta, t),
            debias_gamma1: debias(gamma1, t),
            debias_gamma2: debias(gamma2, t),
            debias1: debias(beta1, since),
            debias2: debias(self.beta2, since),
            lr,
            eps,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let zero = R::lit(0.0);
        let max = over.max(Tensor, g.abs());
        let greatest = k.theta * s.greatest + k.one_theta * max;
        let most = greatest * k.debias_theta;
        // In units of `most`, so that squares are of numbers up to 1.
        let g = g / R::select(most.lt(g.abs()), max, R::select(zero.lt(most), most, R::lit(1.0)));
        let length = over.norm(Tensor, g);
        let of_g = most * length;

        let moves = |new: R, old: R| R::select(zero.lt(of_g), new, old + zero * of_g);
        let norm = moves(k.gamma1 * s.norm + k.one_gamma1 * of_g, s.norm);
        let norm2 = moves(k.gamma2 * s.norm2 + k.one_gamma2 * of_g * of_g, s.norm2);
        let size = norm * k.debias_gamma1 / ((norm2 * k.debias_gamma2).sqrt() + k.eps);
        let g = g / length * size;
        let m = moves(k.beta1 * s.m + k.one_beta1 * g, s.m);
        let v = moves(k.beta2 * s.v + k.one_beta2 * g * g, s.v);
        let u = m * k.debias1 / ((v * k.debias2).sqrt() + k.eps);
        (k.keep * p - k.lr * moves(u, zero), Moments { m, v, norm, norm2, greatest })
    }
}
