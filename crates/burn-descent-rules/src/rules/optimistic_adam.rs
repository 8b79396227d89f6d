use super::optimistic_gd::optimism;
use super::radam;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Optimistic Adam: twice Adam's step less the one before, for games of two players such as GANs.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// u = m̂ / (√(v̂ + eps_root) + eps)
    /// θ ← θ − η ((α + β) u − β u')  u' that of the step before, u in step 1
    /// ```
    ///
    /// `nesterov`, which is optax's default: the `m̄` of [`NAdam`](crate::NAdam) with constant
    /// momentum takes the place of `m̂`.
    ///
    /// - Defaults: the paper's. `alpha` 1, `beta` 1, without Nesterov's momentum; Adam's `beta1` 0.9,
    ///   `beta2` 0.999, `eps` 1e-8; `eps_root` 0, no weight decay.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite), after a step back along `u'`.
    /// - Reference: Daskalakis et al. 2017, algorithm 1, <https://arxiv.org/abs/1711.00141>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{OptimisticAdam, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(OptimisticAdam::new(), x.len())?;
    /// // While Adam's steps are all alike, so are these.
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// assert!((x[0] - 0.8).abs() < 1e-8);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct OptimisticAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Factor `α` of Adam's step.
        alpha: NonNegative = 1.0,
        /// Factor `β` of its change since the step before.
        #[doc(alias = "optimism")]
        beta: NonNegative = 1.0,
        /// Look one step of momentum ahead.
        nesterov: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`OptimisticAdam`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// Adam's step before this one, for a learning rate of 1.
        u_prev,
    }

    /// Scalars of [`OptimisticAdam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// Shares of the gradient and of the first moment in `m̂` or `m̄`.
        of_g, of_m,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps, eps_root,
        /// Factors of Adam's step and of the one before.
        of_u, of_prev,
        lr,
    }
}

impl Rule for OptimisticAdam {
    const NAME: &'static str = "optimistic_adam";
    const TITLE: &'static str = "Optimistic Adam";
    const PAPER: Paper = Paper::arxiv("Daskalakis et al. 2017", "1711.00141");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (of_g, of_m) = radam::shares(beta1, self.nesterov, t);
        let (of_u, of_prev) = optimism(self.alpha, self.beta, t);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            of_g,
            of_m,
            debias2: debias(beta2, t),
            eps,
            eps_root,
            of_u,
            of_prev,
            lr,
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
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let u = (k.of_g * g + k.of_m * m) / ((v * k.debias2 + k.eps_root).sqrt() + k.eps);
        let step = k.of_u * u - k.of_prev * s.u_prev;
        (k.keep * p - k.lr * step, Moments { m, v, u_prev: u })
    }
}
