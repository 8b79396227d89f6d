use super::moments::uncorrected;
use super::pnm::shares;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaPNM: the positive-negative momentum of [`Pnm`](crate::Pnm), divided as in Adam.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m_t = β₁² m_t₋₂ + (1 − β₁²) g
    /// v ← β₂ v + (1 − β₂) g²
    /// m̄ = ((1 + β₀) m_t − β₀ m_t₋₁) / √((1 + β₀)² + β₀²) / (1 − β₁ᵗ)
    /// amsgrad: v_max ← max(v_max, v),     v̂ = v_max / (1 − β₂ᵗ);     else v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η m̄ / (√v̂ + eps)
    /// ```
    ///
    /// Where epsilon stands: `eps` as in the paper and the authors' code; `eps_hat` added to the root
    /// before its bias is corrected, and `eps_root_hat` under that root: pytorch_optimizer has both
    /// (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `beta0` 1, `eps` 1e-8, with AMSGrad, no
    ///   weight decay, not decoupled (the authors' is); `eps_hat` and `eps_root_hat` 0.
    /// - Memory: four numbers a weight, three without AMSGrad. Traffic in f32: read 24, write 20 bytes
    ///   a weight; 4 and 4 less without AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Xie et al. 2021, algorithm 2, <https://arxiv.org/abs/2103.17182>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaPnm, Rule, rules::Fields};
    ///
    /// assert_eq!(AdaPnm::new().start().lanes().len(), 4);
    /// assert_eq!(AdaPnm::new().amsgrad(false).start().lanes().len(), 3);
    /// ```
    pub struct AdaPnm {
        /// Decay `β₁` of the momenta in one step.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Share `β₀` of the negative momentum.
        #[doc(alias = "betas")]
        beta0: NonNegative = 1.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Added under the root before its bias is corrected.
        eps_root_hat: Epsilon = 0.0,
        /// Divide by the greatest second moment so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = true,
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
    /// State of [`AdaPnm`].
    pub struct Moments {
        /// The newer momentum.
        m,
        /// The older one.
        m_prev,
        /// Second moment.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`AdaPnm`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        /// `β₁²` and `1 − β₁²`.
        beta1, one_beta1,
        beta2, one_beta2,
        /// Factors of the newer and of the older momentum: learning rate and bias are in them.
        of_m, of_prev,
        /// Beside and under the root of the second moment as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Rule for AdaPnm {
    const NAME: &'static str = "adapnm";
    const TITLE: &'static str = "AdaPNM";
    const PAPER: Paper = Paper::arxiv("Xie et al. 2021", "2103.17182");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, m_prev: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta2, eps_root_hat: eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (lr, root_bias2) = uncorrected(lr, self.beta1, beta2, t);
        let eps = self.eps * root_bias2 + self.eps_hat;
        let (of_m, of_prev) = shares(self.beta0);
        let (of_m, of_prev) = (lr * of_m, lr * of_prev);
        let beta1 = self.beta1 * self.beta1;
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, of_m, of_prev, eps, eps_root }
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
        let m = k.beta1 * s.m_prev + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let root = (v_max.unwrap_or(v) + k.eps_root).sqrt();
        let step = (k.of_m * m - k.of_prev * s.m) / (root + k.eps);
        (k.keep * p - step, Moments { m, m_prev: s.m, v, v_max })
    }
}
