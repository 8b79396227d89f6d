use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// PNM, positive-negative momentum: two momenta, each of every other gradient, of which one is
    /// taken more than whole and the other subtracted, for the noise that generalisation likes.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m_t = β₁² m_t₋₂ + (1 − β₁²) g
    /// θ ← θ − η ((1 + β₀) m_t − β₀ m_t₋₁) / √((1 + β₀)² + β₀²)
    /// ```
    ///
    /// - Defaults: the paper's and the authors'. `beta1` 0.9, `beta0` 1; no weight decay, not decoupled
    ///   (the authors' is).
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and state NaN or infinite, and no other.
    /// - Reference: Xie et al. 2021, algorithm 1, <https://arxiv.org/abs/2103.17182>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Pnm, Rule};
    ///
    /// Pnm::new().beta1(0.8).beta0(0.5).check()?;
    /// let error = Pnm::new().beta0(-1.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "pnm: beta0 = -1 is not allowed, it must be a number >= 0");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Pnm {
        /// Decay `β₁` of the momenta in one step.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Share `β₀` of the negative momentum.
        #[doc(alias = "betas")]
        beta0: NonNegative = 1.0,
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

/// The factors of the newer and of the older momentum.
pub(super) fn shares(beta0: f64) -> (f64, f64) {
    let norm = (1.0 + beta0).hypot(beta0);
    ((1.0 + beta0) / norm, beta0 / norm)
}

fields! {
    /// State of [`Pnm`].
    pub struct Momenta {
        /// The newer momentum.
        m,
        /// The older one.
        m_prev,
    }

    /// Scalars of [`Pnm`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        /// `β₁²` and `1 − β₁²`.
        beta, one_beta,
        /// Factors of the newer and of the older momentum.
        of_m, of_prev,
        lr,
    }
}

impl Rule for Pnm {
    const NAME: &'static str = "pnm";
    const TITLE: &'static str = "PNM";
    const PAPER: Paper = Paper::arxiv("Xie et al. 2021", "2103.17182");
    type State<R: Copy> = Momenta<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (of_m, of_prev) = shares(self.beta0);
        let beta = self.beta1 * self.beta1;
        Scalars { l2, keep, beta, one_beta: 1.0 - beta, of_m, of_prev, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Momenta<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Momenta<R>) {
        let g = g + k.l2 * p;
        let m = k.beta * s.m_prev + k.one_beta * g;
        let step = k.of_m * m - k.of_prev * s.m;
        (k.keep * p - k.lr * step, Momenta { m, m_prev: s.m })
    }
}
