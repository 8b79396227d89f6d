use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// ACProp: the gradient, without momentum, divided by how far gradients were from their mean up to
    /// the step before, so that numerator and denominator do not depend on each other.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// v̂ = v / (1 − β₂ᵗ⁻¹)           v̂ = 1 in step 1
    /// v ← β₂ v + (1 − β₂) (g − m)² + eps_root
    /// m ← β₁ m + (1 − β₁) g
    /// θ ← θ − η g / (√v̂ + eps)
    /// ```
    ///
    /// The first step is one of plain gradient descent. As in the code of optax 0.2.8 the deviation is
    /// from the mean of the step before; with the mean of this step, as in its documentation and its
    /// later code, it is `β₁` times as great. `eps_root` is added in every step, so it adds up to
    /// `eps_root / (1 − β₂)`.
    ///
    /// - Defaults: optax's. `beta1` 0.9, `beta2` 0.999, `eps` and `eps_root` 1e-16, no weight decay,
    ///   decoupled if there is one.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other. **A huge one is a huge step**; one
    ///   whose square overflows then stops its weight for good (`v` infinite).
    /// - Reference: Zhuang et al. 2021, <https://arxiv.org/abs/2110.05454>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AcProp, rules::slices::Walk};
    ///
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(AcProp::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[5.0])?;
    /// assert!((x[0] + 0.1 * 5.0).abs() < 1e-12);
    /// walk.step(0.1, &mut x, &[7.0])?;
    /// assert!((x[0] + 0.5 + 0.1 * 7.0 / 5.0).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AcProp {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-16,
        /// Added to the second moment in every step.
        eps_root: Epsilon = 1e-16,
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
    /// Scalars of [`AcProp`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₂ᵗ⁻¹)` and 0; in step 1 0 and 1.
        debias2, first,
        eps, eps_root, lr,
    }
}

impl Rule for AcProp {
    const NAME: &'static str = "acprop";
    const TITLE: &'static str = "ACProp";
    const PAPER: Paper = Paper::arxiv("Zhuang et al. 2021", "2110.05454");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let (debias2, first) = if t == 1 { (0.0, 1.0) } else { (debias(beta2, t - 1), 0.0) };
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, debias2, first, eps, eps_root, lr }
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
        let v_hat = k.debias2 * s.v + k.first;
        let deviation = g - s.m;
        let v = k.beta2 * s.v + k.one_beta2 * deviation * deviation + k.eps_root;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        (k.keep * p - k.lr * g / (v_hat.sqrt() + k.eps), Moments { m, v })
    }
}
