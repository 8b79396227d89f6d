use super::d_adaptation::estimate;
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// D-Adapt Lion: Lion that finds its own learning rate by D-Adaptation.
    ///
    /// ```text
    /// dlr = d η
    /// u = sign(β₁ m + (1 − β₁) g)
    /// m ← β₂ m + (1 − β₂) dlr g
    /// r ← √β₂ r + (1 − √β₂) Σ dlr u s
    /// s ← √β₂ s + (1 − √β₂) dlr u
    /// θ ← (1 − dlr λ) θ − dlr u
    /// d ← max(d, r / ((1 − √β₂) Σ |s|))
    /// ```
    ///
    /// The sums go over all parameters of the model that have a gradient, so it walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Groups share one estimate `d`,
    /// whatever their options are. The learning rate is a factor of what is found: 1, or a schedule that falls
    /// from 1.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.99, `d0` 1e-6, decoupled weight decay of 0.
    ///   pytorch_optimizer has `beta2` 0.999.
    /// - Memory: two numbers a weight, and two a tensor. Traffic in f32: read 32, write 12 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`.
    /// - Reference: Defazio & Mishchenko 2023, <https://arxiv.org/abs/2301.07733>; around Lion in their code.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DAdaptLion, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DAdaptLion::new(), x.len())?;
    /// for _ in 0..1000 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 1.0, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DAdaptLion {
        /// Weight `β₁` of the average in the step.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the average; the sums decay by its root.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = true,
        /// The estimate before the first step.
        d0: Positive = 1e-6,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DAdaptLion`].
    pub struct Estimate {
        /// Average of `dlr g`.
        m,
        /// Average of `dlr u`.
        s,
        /// The estimate.
        d: Model,
        /// `r`.
        numerator: Model,
    }

    /// Scalars of [`DAdaptLion`].
    pub struct Scalars {
        l2, decay,
        beta1, one_beta1, beta2, one_beta2,
        /// `√β₂` and `1 − √β₂`.
        root, one_root,
        lr,
    }
}

impl Rule for DAdaptLion {
    const NAME: &'static str = "dadapt_lion";
    const TITLE: &'static str = "D-Adapt Lion";
    const PAPER: Paper = Paper::arxiv("Defazio & Mishchenko 2023", "2301.07733");
    const SUMS: usize = 2;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        Estimate { m: 0.0, s: 0.0, d: self.d0, numerator: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let (l2, decay) = transforms::split_decay(self.weight_decay, self.decoupled_weight_decay);
        Scalars {
            l2,
            decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            root: beta2.sqrt(),
            one_root: 1.0 - beta2.sqrt(),
            lr,
        }
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
        let u = (k.beta1 * s.m + k.one_beta1 * g).sign();
        let m = k.beta2 * s.m + k.one_beta2 * dlr * g;
        let numerator = k.root * s.numerator + k.one_root * over.sum(Model, dlr * u * s.s);
        let sum = k.root * s.s + k.one_root * dlr * u;
        let length = over.sum(Model, sum.abs());
        let d = estimate(s.d, numerator, k.one_root * length, None);
        (p - dlr * (k.decay * p + u), Estimate { m, s: sum, d, numerator })
    }
}
