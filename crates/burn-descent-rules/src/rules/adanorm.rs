use super::moments::uncorrected;
use crate::Domain::Tensor;
use crate::transforms::{decay, finite_or, one_or_more};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaNorm: Adam whose momentum takes gradients that are shorter than usual as if they were as long as
    /// usual.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// e ← γ e + (1 − γ) ‖g‖
    /// s = g e / ‖g‖  where e > ‖g‖, else g
    /// m ← β₁ m + (1 − β₁) s,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// The norm is that of the tensor. `amsgrad`: `v_max ← max(v_max, v)` takes the place of `v` in `v̂`.
    ///
    /// Where epsilon stands: `eps` as in the paper; `eps_hat` added to `√v` before its bias is corrected, and
    /// `eps_root_hat` under that root: pytorch_optimizer has both
    /// (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// - Defaults: the paper's. `beta1` 0.9, `beta2` 0.999 (pytorch_optimizer: 0.99), `gamma` 0.95, `eps` 1e-8,
    ///   no weight decay (pytorch_optimizer's acts on the weights), no AMSGrad; `eps_hat` and `eps_root_hat` 0.
    /// - Memory: two numbers a weight, three with AMSGrad, and one a tensor. Traffic in f32: read 24, write 12
    ///   bytes a weight, 8 of those read for the norm; 4 and 4 more with AMSGrad.
    /// - A gradient that is NaN makes its whole tensor NaN. One whose square overflows stops its weight for good
    ///   (`v` infinite), and its norm is not counted in `e`.
    /// - Reference: Dubey et al. 2022, where this is AdamNorm, <https://arxiv.org/abs/2210.06364>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaNorm, rules::slices::Walk};
    ///
    /// // A short gradient after a long one is taken as 0.905 of the long one.
    /// let rule = AdaNorm::new().beta1(0.0).beta2(0.0).gamma(0.9);
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(rule, x.len())?;
    /// walk.step(1.0, &mut x, &[10.0])?;
    /// walk.step(1.0, &mut x, &[0.1])?;
    /// // e is 1 after the first step, and then 0.91: 9.1 times the gradient that divides it.
    /// assert!((x[0] + 1.0 + 9.1).abs() < 1e-5, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaNorm {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `γ` of the average norm.
        #[doc(alias = "r")]
        gamma: Decay = 0.95,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Added under the root before its bias is corrected.
        eps_root_hat: Epsilon = 0.0,
        /// Divide by the greatest second moment so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaNorm`].
    pub struct Moments {
        /// First moment of the gradients as they are taken.
        m,
        /// Second moment.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
        /// Average norm of the gradient.
        e: Tensor,
    }

    /// Scalars of [`AdaNorm`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, gamma, one_gamma,
        /// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, for moments whose bias is not corrected.
        lr,
        /// Beside and under the root of the second moment as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Rule for AdaNorm {
    const NAME: &'static str = "adanorm";
    const TITLE: &'static str = "AdaNorm";
    const PAPER: Paper = Paper::arxiv("Dubey et al. 2022", "2210.06364");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0), e: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, gamma, eps_root_hat: eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2, one_gamma) = (1.0 - beta1, 1.0 - beta2, 1.0 - gamma);
        let (lr, root_bias2) = uncorrected(lr, beta1, beta2, t);
        let eps = self.eps * root_bias2 + self.eps_hat;
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1,
            beta2,
            one_beta2,
            gamma,
            one_gamma,
            lr,
            eps,
            eps_root,
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
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let g = g + k.l2 * p;
        let norm = over.norm(Tensor, g);
        let e = k.gamma * s.e + k.one_gamma * finite_or(norm, s.e);
        // Not 1, so that a NaN is not hidden.
        let ratio = R::select(zero.lt(norm), e / norm, one + norm);
        let m = k.beta1 * s.m + k.one_beta1 * one_or_more(ratio) * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let root = (v_max.unwrap_or(v) + k.eps_root).sqrt();
        (k.keep * p - k.lr * m / (root + k.eps), Moments { m, v, v_max, e })
    }
}
