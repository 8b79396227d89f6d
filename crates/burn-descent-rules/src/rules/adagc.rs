use super::moments::uncorrected;
use crate::Domain::{Model, Tensor};
use crate::transforms::{at_least, decay, finite_or, one_or_more};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaGC: AdamW with the gradient of each tensor clipped to little more than its usual length.
    ///
    /// ```text
    /// t = 1 or t < warmup_steps:
    ///     h = min(λ_abs / (‖G‖ + eps), 1)                        G all gradients of the model
    ///     γ ← min(γ, ‖h g‖)
    /// afterwards:
    ///     h = min(λ_rel max(γ, eps) / max(‖g‖, eps), 1)
    ///     γ ← β γ + (1 − β) ‖h g‖
    /// m ← β₁ m + (1 − β₁) h g,         m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) (h g)²,      v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η λ) θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// `‖g‖` is the norm of the tensor. `‖G‖` needs all tensors at once, so the rule walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused.
    ///
    /// `γ` begins as the least norm of the warm-up. A tensor whose gradient is 0 in one of these steps, as that of
    /// weights in front of a layer of zeros is in step 1, therefore has `γ` 0, and is clipped to `λ_rel eps` for a
    /// long time: so it is in the paper.
    ///
    /// - Defaults: pytorch_optimizer's, with the paper's constants for clipping. `beta1` 0.9, `beta2` 0.999, `beta`
    ///   0.98, `lambda_abs` 1, `lambda_rel` 1.05, `warmup_steps` 100, `eps` 1e-8, `weight_decay` 0.1, decoupled.
    /// - Memory: two numbers a weight, and one a tensor. Traffic in f32: read 24, write 12 bytes a weight, 8 of
    ///   those read for the norms.
    /// - A gradient that is NaN makes its whole tensor NaN, and in the warm-up the whole model; of one whose norm
    ///   overflows nothing is taken.
    /// - Reference: Wang et al. 2025, <https://arxiv.org/abs/2502.11034>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaGC, rules::slices::Walk};
    ///
    /// // A gradient a thousand times as long as usual makes a step as usual.
    /// let rule = AdaGC::new().warmup_steps(0).weight_decay(0.0);
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(rule, x.len())?;
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// walk.step(0.1, &mut x, &[1000.0])?;
    /// assert!((x[0] + 0.2).abs() < 1e-3, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaGC {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β` of the usual norm.
        beta: Decay = 0.98,
        /// The greatest norm `λ_abs` of all gradients together in the warm-up.
        lambda_abs: Positive = 1.0,
        /// The greatest norm `λ_rel` of a gradient afterwards, in usual ones.
        lambda_rel: Positive = 1.05,
        /// The step from which on gradients are clipped to their usual norm.
        #[doc(alias = "t_start")]
        warmup_steps: u64 = 100,
        /// Added to the root; the least norm that is divided by.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.1,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaGC`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// The usual norm of the gradient as it is taken.
        gamma: Tensor,
    }

    /// Scalars of [`AdaGC`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        /// 1 in the warm-up, else 0.
        warm,
        lambda_abs, lambda_rel, eps, beta, one_beta,
        beta1, one_beta1, beta2, one_beta2,
        /// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, for moments whose bias is not corrected, and what is added to the root then.
        lr, eps_of_root,
    }
}

impl Rule for AdaGC {
    const NAME: &'static str = "adagc";
    const TITLE: &'static str = "AdaGC";
    const PAPER: Paper = Paper::arxiv("Wang et al. 2025", "2502.11034");
    const SUMS: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        // More than any norm.
        Moments { m: 0.0, v: 0.0, gamma: f64::from(f32::MAX) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta, lambda_abs, lambda_rel, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (lr, root_bias2) = uncorrected(lr, beta1, beta2, t);
        Scalars {
            l2,
            keep,
            warm: f64::from(t == 1 || t < self.warmup_steps),
            lambda_abs,
            lambda_rel,
            eps,
            beta,
            one_beta: 1.0 - beta,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            eps_of_root: eps * root_bias2,
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
        let warm = zero.lt(k.warm);
        let g = g + k.l2 * p;
        let (of_all, norm) = (over.norm(Model, g), over.norm(Tensor, g));
        // 1 / h
        let absolute = (of_all + k.eps) / k.lambda_abs;
        let relative = at_least(k.eps, norm) / (k.lambda_rel * at_least(k.eps, s.gamma));
        let shorter = one_or_more(R::select(warm, absolute, relative));
        let (g, norm) = (g / shorter, finite_or(norm, zero) / shorter);
        let least = R::select(s.gamma.lt(norm), s.gamma, norm);
        let gamma = R::select(warm, least, k.beta * s.gamma + k.one_beta * norm);
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (k.keep * p - k.lr * m / (v.sqrt() + k.eps_of_root), Moments { m, v, gamma })
    }
}
