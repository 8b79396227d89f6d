use super::moments::Moments;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// EXAdam: Adam whose moments correct the bias of each other, and with the gradient of the moment
    /// in its step.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²
    /// d₁ = 1 + v / (v + eps) β₂ᵗ
    /// d₂ = 1 + m² / (m² + eps) β₁ᵗ
    /// m̃ = m d₁ / (1 − β₁ᵗ),    ṽ = v d₂ / (1 − β₂ᵗ),    g̃ = g d₁ / (1 − β₁ᵗ)
    /// θ ← θ − η (m̃ + g̃) / (√ṽ + eps)
    /// ```
    ///
    /// The bias correction of each moment has a factor that follows from the other: `d₁` from `v`, `d₂`
    /// from `m`. `v / (v + eps)` is computed as `1 − eps / (v + eps)`, which is 1 where `v` is infinite.
    ///
    /// - Defaults: the author's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, no weight decay, decoupled if
    ///   there is one.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Adly 2024, algorithm 1, <https://arxiv.org/abs/2412.20302>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ExAdam, rules::slices::Walk};
    ///
    /// // In the first step m̃ + g̃ is the gradient 11 times, d₁ is 1.999 and √d₂ is √1.9.
    /// let mut x = [0.0_f64];
    /// Walk::new(ExAdam::new(), x.len())?.step(0.001, &mut x, &[2.0])?;
    /// assert!((x[0] + 0.011 * 1.999 / 1.9_f64.sqrt()).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ExAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root and to the moments.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
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
    /// Scalars of [`ExAdam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// `β₁ᵗ` and `β₂ᵗ`.
        bias1, bias2,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps,
    }
}

impl Rule for ExAdam {
    const NAME: &'static str = "exadam";
    const TITLE: &'static str = "EXAdam";
    const PAPER: Paper = Paper::arxiv("Adly 2024", "2412.20302");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (bias1, bias2) = (beta1.powf(t as f64), beta2.powf(t as f64));
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            bias1,
            bias2,
            debias1: 1.0 / (1.0 - bias1),
            debias2: 1.0 / (1.0 - bias2),
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
        let one = R::lit(1.0);
        let d1 = one + (one - k.eps / (v + k.eps)) * k.bias2;
        let d2 = one + (one - k.eps / (m * m + k.eps)) * k.bias1;
        let numerator = (m + g) * d1 * k.debias1;
        let step = numerator / ((v * d2 * k.debias2).sqrt() + k.eps);
        (k.keep * p - k.lr * step, Moments { m, v })
    }
}
