use super::RAdam;
use super::moments::Moments;
use crate::Domain::{Model, Tensor};
use crate::transforms::{at_most, debias, decay_or_fixed, one_or_more, trust};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// LAMB: Adam, each tensor's step as long as its weights.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// u = m̂ / (√(v̂ + eps_root) + ε) + λ θ
    /// θ ← θ − η ‖θ‖ / ‖u‖ · u
    /// ```
    ///
    /// The norms are those of the tensor; where one of them is 0 the factor is 1. With
    /// `decoupled_weight_decay` the decay stands outside of the norms, `θ ← (1 − η λ) θ` before the step, as in
    /// Keras and timm.
    ///
    /// The ratio of the norms: `trust_clip` lets it be 1 at most, and `adapt_without_decay` false, as timm has
    /// it, leaves it out where nothing decays, such as for biases in a group of their own. Without `adapt` it is 1
    /// everywhere.
    ///
    /// pytorch_optimizer corrects the bias of no moment and divides the learning rate by `1 − β₁ᵗ`, adds its epsilon to
    /// `‖u‖` too, and lets `‖θ‖` be 10 at most: `bias_correction` false, `debias_rate`, `norm_eps` 1e-6 and
    /// `max_weight_norm` 10. With `rectify` the denominator comes in as in [`RAdam`], and the norm below `‖θ‖` is
    /// that of the weights after a step without the ratio, as that library has it.
    ///
    /// With `max_grad_norm` the gradients of all parameters together are made that long at most, in the same
    /// step: a norm over the model, which `Descent` takes and burn's `ModuleOptimizer` cannot. There it is
    /// refused; without it a LAMB step needs its own tensor only.
    ///
    /// - Defaults: optax's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-6, no weight decay, no clipping.
    /// - Memory: two numbers a weight. Traffic in f32: read 32, write 12 bytes a weight, 16 of those read for the
    ///   norms.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: You et al. 2019, algorithm 2, <https://arxiv.org/abs/1904.00962>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Lamb, rules::slices::Walk};
    ///
    /// // A step is a hundredth of the weights, whatever the gradient is.
    /// let mut x = [3.0_f64, 4.0];
    /// Walk::new(Lamb::new(), x.len())?.step(0.01, &mut x, &[1e-3, -2.0])?;
    /// let length = (3.0 - x[0]).hypot(4.0 - x[1]);
    /// assert!((length - 0.05).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Lamb {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-6,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Let the weights decay outside of the norms.
        decoupled_weight_decay: bool = false,
        /// The weights decay outside of the norms by `λ` instead of `η λ`.
        fixed_decay: bool = false,
        /// Divide the moments by `1 − βᵗ`.
        bias_correction: bool = true,
        /// Divide the learning rate by `1 − β₁ᵗ`.
        debias_rate: bool = false,
        /// The share of the new gradient in the first moment is `1 − β₁`; if false, 1.
        grad_averaging: bool = true,
        /// Wait with the denominator until enough gradients have been seen for it.
        rectify: bool = false,
        /// The `ρ_t` beyond which steps are rectified.
        #[doc(alias = "n_sma_threshold")]
        threshold: AtLeast(4.0) = 5.0,
        /// Before the rectification sets in, step along the momentum; if false, do not step then.
        degenerated_to_sgd: bool = true,
        /// Take the ratio of the norms; if false, it is 1.
        adapt: bool = true,
        /// Take the ratio where `weight_decay` is 0 too.
        #[doc(alias = "always_adapt")]
        adapt_without_decay: bool = true,
        /// The ratio is 1 at most.
        trust_clip: bool = false,
        /// The greatest norm of the weights in the ratio; 0 is no limit.
        max_weight_norm: NonNegative = 0.0,
        /// Added to the norm of `u`, and to that of all gradients.
        norm_eps: NonNegative = 0.0,
        /// The greatest norm of all gradients together; 0 is no limit.
        max_grad_norm: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`Lamb`].
    pub struct Scalars {
        /// `λ` inside of the norms, and `1 − η λ` outside of them.
        decay, keep,
        beta1, inflow, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, eps_root,
        /// The share of the step with a denominator, and of the one without: 1 and 0 if nothing is rectified.
        adaptive, plain,
        /// The shares of `θ` and of `u` in what the ratio is taken to: 0 and 1 if nothing is rectified.
        of_p, of_u,
        norm_eps, max_weight_norm,
        max_grad_norm: optional,
        /// The greatest ratio, where there is one.
        most_trust: optional,
    }
}

impl Rule for Lamb {
    const NAME: &'static str = "lamb";
    const TITLE: &'static str = "LAMB";
    const PAPER: Paper = Paper::arxiv("You et al. 2019", "1904.00962");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, norm_eps, max_grad_norm, .. } = *self;
        let decoupled = self.decoupled_weight_decay;
        let (decay, keep) = decay_or_fixed(self.weight_decay, decoupled, self.fixed_decay, lr);
        let debias_if = |on: bool, beta: f64| if on { debias(beta, t) } else { 1.0 };
        let lr = lr * debias_if(self.debias_rate, beta1);
        let (adaptive, plain) = if self.rectify { self.rectification(t) } else { (1.0, 0.0) };
        let (of_p, of_u) = if self.rectify { (1.0, -lr) } else { (0.0, 1.0) };
        let or_infinite = |most: f64| if most > 0.0 { most } else { f64::INFINITY };
        let adapts = self.adapt && (self.adapt_without_decay || self.weight_decay > 0.0);
        let most = if self.trust_clip { 1.0 } else { f64::INFINITY };
        Scalars {
            decay,
            keep,
            beta1,
            inflow: if self.grad_averaging { 1.0 - beta1 } else { 1.0 },
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            debias1: debias_if(self.bias_correction, beta1),
            debias2: debias_if(self.bias_correction, beta2),
            eps,
            eps_root,
            adaptive,
            plain,
            of_p,
            of_u,
            norm_eps,
            max_weight_norm: or_infinite(self.max_weight_norm),
            max_grad_norm: (max_grad_norm > 0.0).then_some(max_grad_norm),
            most_trust: adapts.then_some(most),
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
        let g = match k.max_grad_norm {
            Some(most) => g / one_or_more((over.norm(Model, g) + k.norm_eps) / most),
            None => g,
        };
        let m = k.beta1 * s.m + k.inflow * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let root = (v * k.debias2 + k.eps_root).sqrt() + k.eps;
        let u = m * k.debias1 * (k.adaptive / root + k.plain) + k.decay * p;
        let p = k.keep * p;
        let trust = match k.most_trust {
            Some(most) => {
                let of_u = over.norm(Tensor, k.of_p * p + k.of_u * u);
                let of_p = over.norm(Tensor, p);
                let ratio = at_most(k.max_weight_norm, of_p) / (of_u + k.norm_eps);
                trust(of_p, of_u, at_most(most, ratio))
            }
            None => R::lit(1.0),
        };
        (p - k.lr * trust * u, Moments { m, v })
    }
}

impl Lamb {
    /// The shares of the steps with and without a denominator at step `t`, for moments whose bias is corrected or
    /// not.
    fn rectification(&self, t: u64) -> (f64, f64) {
        let radam = RAdam::new().beta2(self.beta2).threshold(self.threshold);
        let (adaptive, plain) = radam.degenerated_to_sgd(self.degenerated_to_sgd).rectification(t);
        let root_bias2 = (1.0 - self.beta2.powf(t as f64)).sqrt();
        (if self.bias_correction { adaptive } else { adaptive * root_bias2 }, plain)
    }
}
