use super::tam::{alignment, share, view};
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// AdaTAM: TAM's velocity, divided by a running average of the gradient's size.
    ///
    /// ```text
    /// s ← γ s + (1 − γ) m / ‖m‖ · g / ‖g‖
    /// m ← β₁ m + ((1 + s) / 2 + ε) g
    /// v ← β₂ v + (1 − β₂) g²
    /// θ ← θ − η (m / (√v + ε) + λ θ)
    /// ```
    ///
    /// Norms and products are those of [`Tam`](crate::Tam). The bias of the moments is not corrected.
    ///
    /// - Defaults: pytorch_optimizer's. `beta1` 0.9, `beta2` 0.999, `decay_rate` 0.9, `eps` 1e-8, no weight decay.
    /// - Memory: three numbers a weight. Traffic in f32: read 32, write 16 bytes a weight, 12 of those read
    ///   for the norms.
    /// - A NaN gradient makes its column NaN: of a vector, all of it.
    /// - Reference: Malviya et al. 2024, <https://arxiv.org/abs/2412.18790>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaTam, rules::slices::Walk};
    ///
    /// // Half of the first gradient, as there is nothing it could agree with.
    /// let mut x = [1.0_f64];
    /// Walk::new(AdaTam::new().beta2(0.0), x.len())?.step(0.1, &mut x, &[7.0])?;
    /// assert!((x[0] - 0.95).abs() < 1e-7);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaTam {
        /// Decay `β₁` of the velocity.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `γ` of the alignment.
        #[doc(alias = "gamma")]
        decay_rate: Fraction = 0.9,
        /// The least share of a gradient, and what is added to the root: `ε`.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Decay the weights; if false, add the decay to the gradient.
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaTam`].
    pub struct Torque {
        /// Average of the alignment.
        s,
        /// Velocity.
        m,
        /// Second moment.
        v: positive,
    }

    /// Scalars of [`AdaTam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, beta2, one_beta2, gamma, one_gamma, eps, lr,
    }
}

impl Rule for AdaTam {
    const NAME: &'static str = "adatam";
    const TITLE: &'static str = "AdaTAM";
    const PAPER: Paper = Paper::arxiv("Malviya et al. 2024", "2412.18790");
    const SUMS: usize = 2;
    type State<R: Copy> = Torque<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view(shape, by_columns)
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, decay_rate: gamma, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta2, one_gamma) = (1.0 - beta2, 1.0 - gamma);
        Scalars { l2, keep, beta1, beta2, one_beta2, gamma, one_gamma, eps, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Torque<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Torque<R>) {
        let g = g + k.l2 * p;
        let aligned = k.gamma * s.s + k.one_gamma * alignment(s.m, g, over);
        let m = k.beta1 * s.m + share(aligned, k.eps) * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (k.keep * p - k.lr * m / (v.sqrt() + k.eps), Torque { s: aligned, m, v })
    }
}
