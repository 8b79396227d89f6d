use crate::Domain::Model;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AvaGrad: Adam whose denominators do not know the gradient they divide, and whose learning rate does not
    /// depend on their epsilon.
    ///
    /// ```text
    /// g ← g + λ θ                   decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// θ ← θ − η γ m̂ / (√(v / (1 − β₂ᵗ⁻¹)) + eps)                             not in step 1
    /// γ ← 1 / RMS of 1 / (√(v / (1 − β₂ᵗ)) + eps) over all parameters
    /// v ← β₂ v + (1 − β₂) g²
    /// ```
    ///
    /// That is the authors' code. The `γ` of the paper, `√d / ‖1 / (√v + eps)‖`, is that of the same `v` as the
    /// denominator, without correction of its bias. Here it is one step older.
    ///
    /// The sum goes over all parameters of the model that have a gradient, so the rule walks with `Descent`;
    /// burn's `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. In step 1 nothing moves
    /// but by weight decay.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 0.1, no weight decay. A learning rate of 0.1 is a
    ///   good first one, for any `eps`.
    /// - Memory: two numbers a weight, and one a model. Traffic in f32: read 20, write 12 bytes a weight, 4 of
    ///   those read for the sum.
    /// - A gradient that is NaN makes its weight NaN, and the whole model two steps later: set `NotFinite::Skip`.
    ///   One whose square overflows stops its weight for good (`v` infinite).
    /// - Reference: Savarese et al. 2019, <https://arxiv.org/abs/1912.01823>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AvaGrad, rules::slices::Walk};
    ///
    /// // With a large eps it is SGD with momentum, and eps is not in its rate.
    /// let mut ends = [1e3, 1e5].map(|eps| {
    ///     let mut x = [1.0_f64];
    ///     let mut walk = Walk::new(AvaGrad::new().eps(eps), x.len()).expect("good options");
    ///     for _ in 0..3 {
    ///         let g = x;
    ///         walk.step(0.1, &mut x, &g).expect("a good rate");
    ///     }
    ///     x[0]
    /// });
    /// assert!((ends[0] - 0.81).abs() < 0.01 && (ends[0] - ends[1]).abs() < 1e-3, "{ends:?}");
    /// ```
    pub struct AvaGrad {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root: from that of Adam when it is small to that of SGD when it is large.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 0.1,
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
    /// State of [`AvaGrad`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// The mean size of a denominator; 0 before the first step.
        gamma: Model,
    }

    /// Scalars of [`AvaGrad`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// `η / (1 − β₁ᵗ)`.
        lr,
        /// `1 / √(1 − β₂ᵗ⁻¹)`, in step 1 just 1, and `1 / √(1 − β₂ᵗ)`.
        debias_last, debias_now,
        eps,
    }
}

impl Rule for AvaGrad {
    const NAME: &'static str = "avagrad";
    const TITLE: &'static str = "AvaGrad";
    const PAPER: Paper = Paper::arxiv("Savarese et al. 2019", "1912.01823");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr: lr * debias(beta1, t),
            debias_last: if t > 1 { debias(beta2, t - 1).sqrt() } else { 1.0 },
            debias_now: debias(beta2, t).sqrt(),
            eps,
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
        let one = R::lit(1.0);
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let root = s.v.sqrt();
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let gamma = one / over.rms(Model, one / (root * k.debias_now + k.eps));
        let step = k.lr * s.gamma * m / (root * k.debias_last + k.eps);
        (k.keep * p - step, Moments { m, v, gamma })
    }
}
