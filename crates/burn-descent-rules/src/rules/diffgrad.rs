use super::RAdam;
use super::moments::uncorrected;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// diffGrad: Adam whose step is shorter, down to a half, where the gradient hardly changes, as it
    /// does near an optimum.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// ξ = sigmoid(|g' − g|)         g' the gradient of the step before, 0 in step 1
    /// θ ← θ − η ξ m̂ / (√v̂ + eps)
    /// ```
    ///
    /// `amsgrad`: `v_max ← max(v_max, v)` takes the place of `v` in `v̂`. `rectify`: the step is
    /// multiplied with the `r` of [`RAdam`], and before that sets in it is `η m̂`, or without
    /// `degenerated_to_sgd` nothing.
    ///
    /// Where epsilon stands: `eps` as in the paper; `eps_hat` added to `√v` before its bias is
    /// corrected, as in the authors' code, and `eps_root_hat` under that root: pytorch_optimizer has
    /// both (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// - Defaults: the paper's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, no weight decay, no AMSGrad,
    ///   not rectified; `eps_hat` and `eps_root_hat` 0.
    /// - Memory: three numbers a weight, four with AMSGrad. Traffic in f32: read 20, write 16 bytes a
    ///   weight; 4 and 4 more with AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite). With `rectify` a huge one is a huge step at first, as in
    ///   [`RAdam`].
    /// - Reference: Dubey et al. 2019, <https://arxiv.org/abs/1909.11015>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DiffGrad, rules::slices::Walk};
    ///
    /// // A gradient that stays the same is worth half a step.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DiffGrad::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// let before = x[0];
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// assert!((x[0] - (before - 0.05)).abs() < 1e-8);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DiffGrad {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
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
        /// Rectify the step as RAdam does.
        rectify: bool = false,
        /// Before the rectification sets in, step along the momentum; if false, do not step then.
        /// Only with `rectify`.
        degenerated_to_sgd: bool = true,
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
    /// State of [`DiffGrad`].
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch packages.
        m,
        /// Second moment, `exp_avg_sq` in PyTorch packages.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
        /// Gradient of the step before.
        g_prev,
    }

    /// Scalars of [`DiffGrad`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// Learning rates of the step with a denominator and of the step without one, for moments
        /// whose bias is not corrected: one is 0.
        adaptive, plain,
        /// Beside and under the root of the second moment as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Rule for DiffGrad {
    const NAME: &'static str = "diffgrad";
    const TITLE: &'static str = "diffGrad";
    const PAPER: Paper = Paper::arxiv("Dubey et al. 2019", "1909.11015");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0), g_prev: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps_root_hat: eps_root, degenerated_to_sgd, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let radam = RAdam::new().beta2(beta2).degenerated_to_sgd(degenerated_to_sgd);
        let (adaptive, plain) = if self.rectify { radam.rectification(t) } else { (1.0, 0.0) };
        let plain = lr * plain / (1.0 - beta1.powf(t as f64));
        let (lr, root_bias2) = uncorrected(lr, beta1, beta2, t);
        let adaptive = lr * adaptive;
        let eps = self.eps * root_bias2 + self.eps_hat;
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, adaptive, plain, eps, eps_root }
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
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let xi = (s.g_prev - g).abs().sigmoid();
        let root = (v_max.unwrap_or(v) + k.eps_root).sqrt();
        let step = m * (xi * k.adaptive / (root + k.eps) + k.plain);
        (k.keep * p - step, Moments { m, v, v_max, g_prev: g })
    }
}
