use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// KATE: AdaGrad without its root, so that a step does not depend on the scale of the data.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// b² ← b² + g² + eps
    /// m² ← m² + δ g² + g² / b²
    /// θ ← θ − η m / b² g
    /// ```
    ///
    /// The paper's step without `δ` is invariant to a rescaling of the features of a generalised linear
    /// model. `eps` is added in every step, as in pytorch_optimizer, so it adds up to `t eps`; the
    /// authors' code adds it only where it divides by `b²`, and the paper has none. `δ` is the paper's
    /// `η`, and `lr` its `γ`.
    ///
    /// - Defaults: pytorch_optimizer's. `delta` 0, `eps` 1e-8, no weight decay, decoupled if there is
    ///   one.
    /// - Memory: two numbers a weight, `m²` and `b²`. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`b²` infinite), or with `delta` makes it NaN.
    /// - Reference: Choudhury et al. 2024, algorithm 1, <https://arxiv.org/abs/2403.02648>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Kate, rules::slices::Walk};
    ///
    /// // Gradients a thousand times as large are steps a thousand times as small.
    /// let (mut x, mut y) = ([0.0_f64], [0.0_f64]);
    /// let rule = Kate::new().eps(1e-300);
    /// let (mut small, mut large) = (Walk::new(rule.clone(), 1)?, Walk::new(rule, 1)?);
    /// for g in [3.0, -1.0, 2.0] {
    ///     small.step(0.1, &mut x, &[g])?;
    ///     large.step(0.1, &mut y, &[1000.0 * g])?;
    /// }
    /// assert!((x[0] / (1000.0 * y[0]) - 1.0).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Kate {
        /// Share `δ` of the squared gradient in the numerator.
        delta: NonNegative = 0.0,
        /// Added to the sum of squares in every step.
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
    /// State of [`Kate`].
    pub struct Squares {
        /// Square of the numerator.
        m2: positive,
        /// Sum of squares.
        b2: positive,
    }

    /// Scalars of [`Kate`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        lr, eps,
        delta: optional,
    }
}

impl Rule for Kate {
    const NAME: &'static str = "kate";
    const TITLE: &'static str = "KATE";
    const PAPER: Paper = Paper::arxiv("Choudhury et al. 2024", "2403.02648");
    type State<R: Copy> = Squares<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let delta = (self.delta > 0.0).then_some(self.delta);
        Scalars { l2, keep, lr, eps: self.eps, delta }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Squares<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Squares<R>) {
        let g = g + k.l2 * p;
        let b2 = s.b2 + g * g + k.eps;
        let by_b2 = g / b2;
        let m2 = k.delta.map_or(s.m2, |delta| s.m2 + delta * g * g) + g * by_b2;
        (k.keep * p - k.lr * m2.sqrt() * by_b2, Squares { m2, b2 })
    }
}
