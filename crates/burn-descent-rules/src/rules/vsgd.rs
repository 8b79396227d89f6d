use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// VSGD: the true gradient and its noise are estimated as a Kalman filter does, by variational
    /// inference, and the step is Adam's.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// σ² = b / a,    σ̂² = b̂ / a          variances of the change of the gradient and of its noise
    /// μ′ ← μ,    μ ← (σ̂² μ + σ² g) / (σ² + σ̂²),    s = σ² σ̂² / (σ² + σ̂²)
    /// b ← (1 − ρ₁) b + ρ₁ (2γ + s + (μ − μ′)²),         ρ₁ = t^−τ₁
    /// b̂ ← (1 − ρ₂) b̂ + ρ₂ (2κγ + s + (g − μ)²),         ρ₂ = t^−τ₂
    /// θ ← θ − η μ / (√(μ² + s) + eps)
    /// ```
    ///
    /// `γ` is the strength of the prior, `κ` the ratio of the two variances that it expects; `b` begins
    /// with `2γ` and `b̂` with `2κγ`. `a = 2γ + 1.0001`, one less in the first step, as in the authors'
    /// code. The squares in `b` and `b̂` are capped at 1e30, so that they do not overflow.
    ///
    /// - Defaults: pytorch_optimizer's. `ghattg` 30, `ps` 1e-8, `tau1` 0.81, `tau2` 0.9, `eps` 1e-8, no
    ///   weight decay, decoupled if there is one.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN or infinite gradient makes its weight NaN, and no other; one that is huge stops its weight
    ///   until `μ²` does not overflow any more.
    /// - Reference: Chen et al. 2024, <https://arxiv.org/abs/2404.06549>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Vsgd, rules::slices::Walk};
    ///
    /// // Where the gradient is much greater than its uncertainty a step is as long as the learning rate,
    /// // whatever its size.
    /// let mut x = [0.0_f64, 0.0];
    /// Walk::new(Vsgd::new(), 2)?.step(0.1, &mut x, &[1e4, -1e6])?;
    /// assert!((x[0] + 0.1).abs() < 1e-3 && (x[1] - 0.1).abs() < 1e-3);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Vsgd {
        /// Ratio `κ` of the variances that the prior expects.
        ghattg: Positive = 30.0,
        /// Strength `γ` of the prior.
        ps: Positive = 1e-8,
        /// How fast the variance of the gradient is forgotten, `τ₁`.
        tau1: NonNegative = 0.81,
        /// How fast the variance of the noise is forgotten, `τ₂`.
        tau2: NonNegative = 0.9,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl Vsgd {
    /// `2γ` and `2κγ`.
    fn priors(&self) -> [f64; 2] {
        [2.0 * self.ps, 2.0 * self.ghattg * self.ps]
    }
}

fields! {
    /// State of [`Vsgd`].
    pub struct Beliefs {
        /// The gradient.
        mu,
        /// Of the variance of its change, and of its noise.
        b: positive, b_hat: positive,
    }

    /// Scalars of [`Vsgd`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        lr, eps,
        /// `1 / a`, `2γ` and `2κγ`.
        by_a, prior, prior_hat,
        /// `ρ₁`, `ρ₂`, and what is missing to 1.
        rho1, one_rho1, rho2, one_rho2,
    }
}

impl Rule for Vsgd {
    const NAME: &'static str = "vsgd";
    const TITLE: &'static str = "VSGD";
    const PAPER: Paper = Paper::arxiv("Chen et al. 2024", "2404.06549");
    type State<R: Copy> = Beliefs<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Beliefs<f64> {
        let [b, b_hat] = self.priors();
        Beliefs { mu: 0.0, b, b_hat }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let [prior, prior_hat] = self.priors();
        let by_a = 1.0 / (prior + 1.0 + 1e-4 - f64::from(t == 1));
        let [rho1, rho2] = [self.tau1, self.tau2].map(|tau| (t as f64).powf(-tau));
        let (one_rho1, one_rho2, eps) = (1.0 - rho1, 1.0 - rho2, self.eps);
        Scalars { l2, keep, lr, eps, by_a, prior, prior_hat, rho1, one_rho1, rho2, one_rho2 }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Beliefs<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Beliefs<R>) {
        let g = g + k.l2 * p;
        let (variance, variance_hat) = (k.by_a * s.b, k.by_a * s.b_hat);
        let share = variance / (variance + variance_hat);
        let mu = s.mu + share * (g - s.mu);
        let posterior = variance_hat * share;
        let capped = |x: R| (x * x).clamp(R::lit(0.0), R::lit(1e30));
        let b = k.one_rho1 * s.b + k.rho1 * (k.prior + posterior + capped(mu - s.mu));
        let b_hat = k.one_rho2 * s.b_hat + k.rho2 * (k.prior_hat + posterior + capped(g - mu));
        let step = k.lr / ((mu * mu + posterior).sqrt() + k.eps) * mu;
        (k.keep * p - step, Beliefs { mu, b, b_hat })
    }
}
