use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// QHAdam: Adam in which both moments are mixed with what the gradient itself says.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η ((1 − ν₁) g + ν₁ m̂) / (√((1 − ν₂) g² + ν₂ v̂) + eps)
    /// ```
    ///
    /// `ν₁ = ν₂ = 1` is Adam; `ν₂ = 1` with `ν₁ = β₁` is NAdam, but for the bias of `m̂`.
    ///
    /// - Defaults: those that its authors recommend. `beta1` 0.995, `beta2` 0.999, `nu1` 0.7, `nu2` 1;
    ///   `eps` 1e-8, no weight decay. Without options their code and pytorch_optimizer are Adam:
    ///   `beta1` 0.9, `nu1` 1.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite), or with `nu2` 0 makes it NaN.
    /// - Reference: Ma & Yarats 2018, <https://arxiv.org/abs/1810.06801>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{QhAdam, Rule};
    ///
    /// let adam = QhAdam::new().beta1(0.9).nu1(1.0);
    /// adam.check()?;
    /// let error = QhAdam::new().nu2(1.5).check().unwrap_err();
    /// assert_eq!(error.to_string(), "qhadam: nu2 = 1.5 is not allowed, it must be in [0, 1]");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct QhAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.995,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Share `ν₁` of the first moment, the rest is the gradient.
        #[doc(alias = "nus")]
        nu1: Fraction = 0.7,
        /// Share `ν₂` of the second moment, the rest is the gradient squared.
        #[doc(alias = "nus")]
        nu2: Fraction = 1.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
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
    /// Scalars of [`QhAdam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, nu1, one_nu1, nu2, one_nu2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps,
    }
}

impl Rule for QhAdam {
    const NAME: &'static str = "qhadam";
    const TITLE: &'static str = "QHAdam";
    const PAPER: Paper = Paper::arxiv("Ma & Yarats 2018", "1810.06801");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, nu1, nu2, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            nu1,
            one_nu1: 1.0 - nu1,
            nu2,
            one_nu2: 1.0 - nu2,
            lr,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
        }
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
        let (m_hat, v_hat) = (m * k.debias1, v * k.debias2);
        let numerator = k.one_nu1 * g + k.nu1 * m_hat;
        let square = k.one_nu2 * g * g + k.nu2 * v_hat;
        (k.keep * p - k.lr * numerator / (square.sqrt() + k.eps), Moments { m, v })
    }
}
