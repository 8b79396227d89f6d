use super::moments::Moments;
use crate::Domain::{Model, Tensor};
use crate::transforms::{at_most, debias, decay, one_or_more, trust};
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
    /// it, leaves it out where nothing decays, such as for biases in a group of their own.
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
        /// Divide the moments by `1 − βᵗ`.
        bias_correction: bool = true,
        /// The share of the new gradient in the first moment is `1 − β₁`; if false, 1.
        grad_averaging: bool = true,
        /// Take the ratio where `weight_decay` is 0 too.
        #[doc(alias = "always_adapt")]
        adapt_without_decay: bool = true,
        /// The ratio is 1 at most.
        trust_clip: bool = false,
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
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, max_grad_norm, .. } = *self;
        let (decay, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let debias = |beta: f64| if self.bias_correction { debias(beta, t) } else { 1.0 };
        let adapts = self.adapt_without_decay || self.weight_decay > 0.0;
        let most = if self.trust_clip { 1.0 } else { f64::INFINITY };
        Scalars {
            decay,
            keep,
            beta1,
            inflow: if self.grad_averaging { 1.0 - beta1 } else { 1.0 },
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            debias1: debias(beta1),
            debias2: debias(beta2),
            eps,
            eps_root,
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
            Some(most) => g / one_or_more(over.norm(Model, g) / most),
            None => g,
        };
        let m = k.beta1 * s.m + k.inflow * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let u = m * k.debias1 / ((v * k.debias2 + k.eps_root).sqrt() + k.eps) + k.decay * p;
        let p = k.keep * p;
        let trust = match k.most_trust {
            Some(most) => {
                let (of_p, of_u) = (over.norm(Tensor, p), over.norm(Tensor, u));
                trust(of_p, of_u, at_most(most, of_p / of_u))
            }
            None => R::lit(1.0),
        };
        (p - k.lr * trust * u, Moments { m, v })
    }
}
