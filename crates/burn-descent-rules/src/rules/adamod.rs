use super::moments::uncorrected;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaMod: Adam in which the learning rate of each weight may not be greater than its own long
    /// average, so that the first steps are no leaps and a warm-up is not needed.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// r = η / (1 − β₁ᵗ) / (√v̂ + eps)
    /// s ← β₃ s + (1 − β₃) r
    /// θ ← θ − min(r, s) m
    /// ```
    ///
    /// As in the authors' code the correction of `m`'s bias is in the rate that is averaged. Where
    /// epsilon stands: `eps` as in the paper; `eps_hat` added to `√v` before its bias is corrected, as
    /// in the code of the authors and of pytorch_optimizer (`.eps(0.0).eps_hat(1e-8)`).
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999 (pytorch_optimizer 0.99), `beta3` 0.999
    ///   (0.9999), `eps` 1e-8, no weight decay, not decoupled (the authors' is); `eps_hat` 0.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Ding et al. 2019, algorithm 1, <https://arxiv.org/abs/1910.12249>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaMod, rules::slices::Walk};
    ///
    /// // The first step is 1 - beta3 times Adam's.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(AdaMod::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[5.0])?;
    /// assert!((x[0] + 0.1 * 0.001).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaMod {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β₃` of the average of rates.
        #[doc(alias = "betas")]
        beta3: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
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
    /// State of [`AdaMod`].
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch packages.
        m,
        /// Second moment, `exp_avg_sq` in PyTorch packages.
        v: positive,
        /// Average of the rates, `exp_avg_lr` in PyTorch packages.
        s: positive,
    }

    /// Scalars of [`AdaMod`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3,
        /// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, for moments whose bias is not corrected.
        lr,
        /// Beside the root of the second moment as it is, not corrected for bias.
        eps,
    }
}

impl Rule for AdaMod {
    const NAME: &'static str = "adamod";
    const TITLE: &'static str = "AdaMod";
    const PAPER: Paper = Paper::arxiv("Ding et al. 2019", "1910.12249");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2, one_beta3) = (1.0 - beta1, 1.0 - beta2, 1.0 - beta3);
        let (lr, root_bias2) = uncorrected(lr, beta1, beta2, t);
        let eps = self.eps * root_bias2 + self.eps_hat;
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, beta3, one_beta3, lr, eps }
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
        let rate = k.lr / (v.sqrt() + k.eps);
        let s = k.beta3 * s.s + k.one_beta3 * rate;
        let bounded = R::select(s.lt(rate), s, rate);
        (k.keep * p - bounded * m, Moments { m, v, s })
    }
}
