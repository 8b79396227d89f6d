use super::d_adaptation::{estimate, limit, only_after};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// D-Adapt AdaGrad: AdaGrad that finds its own learning rate by D-Adaptation.
    ///
    /// ```text
    /// dlr = d η
    /// a ← a + g²,                       s ← s + dlr g
    /// G ← G + dlr² Σ g² / (√a + ε)
    /// d̂ = (Σ s² / (√a + ε) − G) / Σ |s|
    /// d ← max(d, d̂), by growth_rate at most
    /// θ ← β θ + (1 − β) (θ₀ − s / (√a + ε))
    /// ```
    ///
    /// The sums go over all parameters of the model that have a gradient, so it walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Groups share one estimate `d`,
    /// whatever their options are. The learning rate is a factor of what is found: 1, or a schedule that falls
    /// from 1.
    ///
    /// Decoupled weight decay is `θ ← (1 − η λ) θ` before the step, as in pytorch_optimizer: by `η`, not by what was
    /// found, and without `momentum` the step undoes it, since `θ` follows from `θ₀` and `s` alone.
    ///
    /// - Defaults: the authors'. `momentum` 0, `eps` 1e-6, `d0` 1e-6, `initial_accumulator_value` 1e-6, no limit of
    ///   growth, weight decay of 0 in the gradient. pytorch_optimizer has `eps` 0.
    /// - Memory: three numbers a weight, and two a tensor. Traffic in f32: read 36, write 16 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows brings its
    ///   weight back to `θ₀` for good (`a` infinite).
    /// - Reference: Defazio & Mishchenko 2023, algorithm 3, <https://arxiv.org/abs/2301.07733>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DAdaptAdaGrad, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DAdaptAdaGrad::new(), x.len())?;
    /// for _ in 0..1000 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 1.0, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DAdaptAdaGrad {
        /// Weight `β` of where the weights are, against where the sum leads.
        momentum: Decay = 0.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: NonNegative = 1e-6,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// What the sum of squares starts at.
        initial_accumulator_value: Positive = 1e-6,
        /// The estimate before the first step.
        d0: Positive = 1e-6,
        /// The greatest factor by which the estimate grows in a step, at least 1; 0 is no limit.
        growth_rate: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DAdaptAdaGrad`].
    pub struct Estimate {
        /// Sum of the squared gradients.
        a: positive,
        /// Sum of `dlr g`.
        s,
        /// How far the weight has come, `θ − θ₀`.
        moved,
        /// The estimate.
        d: Model,
        /// `G`.
        squares: Model,
    }

    /// Scalars of [`DAdaptAdaGrad`].
    pub struct Scalars {
        l2,
        /// `η λ` where the weights decay.
        decay,
        eps, one_momentum, lr, growth_rate,
    }
}

impl Rule for DAdaptAdaGrad {
    const NAME: &'static str = "dadapt_adagrad";
    const TITLE: &'static str = "D-Adapt AdaGrad";
    const PAPER: Paper = Paper::arxiv("Defazio & Mishchenko 2023", "2301.07733");
    const SUMS: usize = 3;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        let a = self.initial_accumulator_value;
        Estimate { a, s: 0.0, moved: 0.0, d: self.d0, squares: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, decay) = transforms::split_decay(self.weight_decay, self.decoupled_weight_decay);
        let growth_rate = limit(self.growth_rate);
        let (eps, one_momentum) = (self.eps, 1.0 - self.momentum);
        Scalars { l2, decay: lr * decay, eps, one_momentum, lr, growth_rate }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Estimate<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Estimate<R>) {
        let g = g + k.l2 * p;
        let dlr = s.d * k.lr;
        let a = s.a + g * g;
        let sum = s.s + dlr * g;
        let root = a.sqrt() + k.eps;
        let squares = s.squares + dlr * dlr * over.sum(Model, g * (g / root));
        let of_sum = over.sum(Model, sum * (sum / root));
        let length = over.sum(Model, sum.abs());
        let d = estimate(s.d, of_sum - squares, length, Some(k.growth_rate));

        // `θ₀ − s / (√a + ε)`, seen from where the weight is.
        let decay = k.decay * p;
        let back = s.moved + sum / root - decay;
        let step = decay + k.one_momentum * back;
        let new = p - only_after(length) * step;
        (new, Estimate { a, s: sum, moved: s.moved + (new - p), d, squares })
    }
}
