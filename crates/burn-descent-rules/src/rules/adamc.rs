use super::moments::{Common, Moments, Scalars, step};
use crate::{Over, Paper, Real, Rule, options};

options! {
    /// AdamC: AdamW whose weight decay falls with the square of the learning rate, so that the
    /// gradients do not grow towards the end of a training whose rate falls.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η² λ / lr_max) θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// `lr_max` is the greatest learning rate of the whole training: where the schedule is there, this
    /// is [`AdamW`](crate::AdamW), and below it the decay is weaker. The paper means it for weights
    /// that a normalisation follows, whose size does not matter, and keeps AdamW for all others: two
    /// parameter groups. It is timm's `corrected_weight_decay`.
    ///
    /// Where epsilon stands: `eps` as in the paper and in timm; `eps_hat` added to `√v` before its bias
    /// is corrected, and `eps_root_hat` under that root: pytorch_optimizer has both
    /// (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// - Defaults: AdamW's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `weight_decay` 0.01; `lr_max`
    ///   0.001, the usual learning rate of AdamW; `eps_hat` and `eps_root_hat` 0.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Defazio 2025, algorithm 1, <https://arxiv.org/abs/2506.02285>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamC, Rule};
    ///
    /// // At half of the greatest learning rate a quarter of the decay.
    /// let rule = AdamC::new().lr_max(0.1).weight_decay(0.01);
    /// let decay = |lr| 1.0 - rule.scalars(lr, 1).keep;
    /// assert!((decay(0.05) - decay(0.1) / 4.0).abs() < 1e-15);
    /// ```
    pub struct AdamC {
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
        /// Decay `λ` of the weights at the greatest learning rate.
        #[doc(alias = "lambda")]
        #[doc(alias = "corrected_weight_decay")]
        weight_decay: WeightDecay = 0.01,
        /// The greatest learning rate of the training.
        #[doc(alias = "max_lr")]
        lr_max: Positive = 0.001,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl AdamC {
    fn common(&self) -> Common {
        let Self { beta1, beta2, eps, eps_hat, eps_root_hat, weight_decay, .. } = *self;
        let decoupled_weight_decay = true;
        Common { beta1, beta2, eps, eps_hat, eps_root_hat, weight_decay, decoupled_weight_decay }
    }
}

impl Rule for AdamC {
    const NAME: &'static str = "adamc";
    const TITLE: &'static str = "AdamC";
    const PAPER: Paper = Paper::arxiv("Defazio 2025", "2506.02285");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let keep = 1.0 - lr * lr / self.lr_max * self.weight_decay;
        Scalars { keep, ..self.common().scalars(lr, t) }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (k.keep * p - step(m, v, k), Moments { m, v })
    }
}
