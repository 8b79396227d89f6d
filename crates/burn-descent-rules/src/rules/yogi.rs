use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Yogi: Adam whose second moment moves towards `g²` by no more than a share of `g²`, so that it
    /// forgets large gradients slowly.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,                      m̂ = m / (1 − β₁ᵗ)
    /// v ← v − (1 − β₂) sign(v − g²) g²,           v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// The paper corrects no bias; optax and pytorch_optimizer do, and so does this. In both `m` starts
    /// where `v` starts (`initial_momentum` 1e-6), so that weights move without any gradient; here it
    /// starts at 0, as in the paper.
    ///
    /// - Defaults: optax's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-3, `initial_accumulator_value` 1e-6;
    ///   `initial_momentum` 0; no weight decay, decoupled if there is one, as in pytorch_optimizer.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and `m` NaN, and no other weight; one whose square overflows
    ///   stops its weight for good (`v` infinite).
    /// - Reference: Zaheer et al. 2018, algorithm 2,
    ///   <https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Rule, Yogi};
    ///
    /// let optax = Yogi::new().initial_momentum(1e-6);
    /// optax.check()?;
    /// let error = Yogi::new().eps(0.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "yogi: eps = 0 is not allowed, it must be a number > 0");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Yogi {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// `1 − β₂` is the share of `g²` by which the second moment moves.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-3,
        /// What `v` starts at.
        #[doc(alias = "initial_accumulator")]
        initial_accumulator_value: NonNegative = 1e-6,
        /// What `m` starts at.
        initial_momentum: NonNegative = 0.0,
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

fields! {
    /// Scalars of [`Yogi`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps,
    }
}

impl Rule for Yogi {
    const NAME: &'static str = "yogi";
    const TITLE: &'static str = "Yogi";
    const PAPER: Paper = Paper::at(
        "Zaheer et al. 2018",
        "https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
    );
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: self.initial_momentum, v: self.initial_accumulator_value }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let (debias1, debias2) = (debias(beta1, t), debias(beta2, t));
        Scalars { l2, keep, beta1, one_beta1, one_beta2, lr, debias1, debias2, eps }
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
        // Not with `sign`: both squares may be infinite, and their difference NaN.
        let (v, g2, d) = (s.v, g * g, k.one_beta2 * g * g);
        let v = R::select(g2.lt(v), v - d, R::select(v.lt(g2), v + d, v));
        let (m_hat, v_hat) = (m * k.debias1, v * k.debias2);
        (k.keep * p - k.lr * m_hat / (v_hat.sqrt() + k.eps), Moments { m, v })
    }
}
