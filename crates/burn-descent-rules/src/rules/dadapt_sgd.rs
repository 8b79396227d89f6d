use super::d_adaptation::{estimate, limit, only_after};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// D-Adapt SGD: SGD with momentum that finds its own learning rate by D-Adaptation.
    ///
    /// ```text
    /// dlr = d η / ‖g₁‖
    /// r ← r + Σ dlr g s,        s ← s + dlr g
    /// d ← max(d, 2 r / ‖s‖), by growth_rate at most
    /// θ ← (1 − dlr λ) θ
    /// θ ← β θ + (1 − β) (θ₀ − s)
    /// ```
    ///
    /// `g₁` is the first gradient, before any decay, and norms and sums go over all parameters of the model that have
    /// a gradient. So it walks with `Descent`; burn's `ModuleOptimizer` shows an optimizer one parameter at a time and
    /// is refused. Groups share one estimate `d`, whatever their options are. The learning rate is a factor of what
    /// is found: 1, or a schedule that falls from 1.
    ///
    /// - Defaults: the authors'. `momentum` 0, `d0` 1e-6, no limit of growth, weight decay of 0 in the gradient.
    ///   pytorch_optimizer has `momentum` 0.9.
    /// - Memory: two numbers a weight, and three a tensor. Traffic in f32: read 40, write 12 bytes a weight, 24 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. A first one whose norm overflows
    ///   stops the model for good (`‖g₁‖` infinite).
    /// - Reference: Defazio & Mishchenko 2023, algorithm 4, <https://arxiv.org/abs/2301.07733>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DAdaptSgd, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DAdaptSgd::new(), x.len())?;
    /// for t in 1..=200_u32 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0 / f64::from(t).sqrt(), &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.1, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DAdaptSgd {
        /// Weight `β` of where the weights are, against where the sum leads.
        momentum: Decay = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// The estimate before the first step.
        d0: Positive = 1e-6,
        /// The greatest factor by which the estimate grows in a step, at least 1; 0 is no limit.
        growth_rate: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DAdaptSgd`].
    pub struct Estimate {
        /// Sum of `dlr g`.
        s,
        /// How far the weight has come, `θ − θ₀`.
        moved,
        /// The estimate.
        d: Model,
        /// `r`.
        numerator: Model,
        /// `‖g₁‖`, 0 before it.
        first: Model,
    }

    /// Scalars of [`DAdaptSgd`].
    pub struct Scalars { l2, decay, one_momentum, lr, growth_rate }
}

impl Rule for DAdaptSgd {
    const NAME: &'static str = "dadapt_sgd";
    const TITLE: &'static str = "D-Adapt SGD";
    const PAPER: Paper = Paper::arxiv("Defazio & Mishchenko 2023", "2301.07733");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        Estimate { s: 0.0, moved: 0.0, d: self.d0, numerator: 0.0, first: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, decay) = transforms::split_decay(self.weight_decay, self.decoupled_weight_decay);
        let growth_rate = limit(self.growth_rate);
        Scalars { l2, decay, one_momentum: 1.0 - self.momentum, lr, growth_rate }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Estimate<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Estimate<R>) {
        let zero = R::lit(0.0);
        let norm = over.norm(Model, g);
        let first = R::select(zero.lt(s.first), s.first, norm);
        let dlr = R::select(zero.lt(first), s.d * k.lr / first, zero * first);

        let g = g + k.l2 * p;
        let numerator = s.numerator + dlr * over.sum(Model, g * s.s);
        let sum = s.s + dlr * g;
        let length = over.norm(Model, sum);
        let d = estimate(s.d, R::lit(2.0) * numerator, length, Some(k.growth_rate));

        // `θ₀ − s`, seen from where the weight is.
        let decay = k.decay * dlr * p;
        let back = s.moved + sum - decay;
        let step = decay + k.one_momentum * back;
        let new = p - only_after(length) * step;
        (new, Estimate { s: sum, moved: s.moved + (new - p), d, numerator, first })
    }
}
