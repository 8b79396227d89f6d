use super::d_adaptation::{estimate, limit, only_after};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// D-Adapt Adam: Adam that finds its own learning rate by D-Adaptation.
    ///
    /// ```text
    /// dlr = d η                                    with `bias_correction` dlr = d η √(1 − β₂ᵗ) / (1 − β₁ᵗ)
    /// r ← √β₂ r + (1 − √β₂) Σ dlr g s / (√v + ε)
    /// m ← β₁ m + (1 − β₁) dlr g
    /// v ← β₂ v + (1 − β₂) g²
    /// s ← √β₂ s + (1 − √β₂) dlr g
    /// d̂ = r / ((1 − √β₂) Σ |s|)
    /// d ← max(d, d̂), by growth_rate at most
    /// θ ← (1 − dlr λ) θ − m / (√v + ε)
    /// ```
    ///
    /// The sums go over all parameters of the model that have a gradient, so it walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Groups share one estimate `d`,
    /// whatever their options are. The learning rate is a factor of what is found: 1, or a schedule that falls
    /// from 1. [`Prodigy`](super::Prodigy), by the same authors, finds it faster.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `d0` 1e-6, no limit of growth, no bias
    ///   correction, weight decay of 0 in the gradient. optax corrects the bias always and decouples the decay.
    /// - Memory: three numbers a weight, and two a tensor. Traffic in f32: read 36, write 16 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows stops its
    ///   weight for good (`v` infinite).
    /// - Reference: Defazio & Mishchenko 2023, algorithm 5, <https://arxiv.org/abs/2301.07733>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DAdaptAdam, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DAdaptAdam::new(), x.len())?;
    /// for t in 1..=200_u32 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0 / f64::from(t).sqrt(), &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.1, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DAdaptAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment; the sums decay by its root.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "decouple")]
        decoupled_weight_decay: bool = false,
        /// The estimate before the first step.
        #[doc(alias = "estim_lr0")]
        d0: Positive = 1e-6,
        /// The greatest factor by which the estimate grows in a step, at least 1; 0 is no limit.
        growth_rate: NonNegative = 0.0,
        /// A factor of the steps of these weights, and of their share in the sums.
        layer_scale: Positive = 1.0,
        /// Correct the bias of the moments.
        #[doc(alias = "use_bias_correction")]
        bias_correction: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DAdaptAdam`].
    pub struct Estimate {
        /// First moment of `dlr g`.
        m,
        /// Second moment.
        v: positive,
        /// Average of `dlr g`.
        s,
        /// The estimate.
        d: Model,
        /// `r`.
        numerator: Model,
    }

    /// Scalars of [`DAdaptAdam`].
    pub struct Scalars {
        l2, decay,
        beta1, one_beta1, beta2, one_beta2,
        /// `√β₂` and `1 − √β₂`.
        root, one_root,
        eps,
        /// `η`, bias correction included.
        lr,
        layer_scale, growth_rate,
    }
}

impl Rule for DAdaptAdam {
    const NAME: &'static str = "dadapt_adam";
    const TITLE: &'static str = "D-Adapt Adam";
    const PAPER: Paper = Paper::arxiv("Defazio & Mishchenko 2023", "2301.07733");
    const SUMS: usize = 2;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        Estimate { m: 0.0, v: 0.0, s: 0.0, d: self.d0, numerator: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, layer_scale, .. } = *self;
        let (l2, decay) = transforms::split_decay(self.weight_decay, self.decoupled_weight_decay);
        let bias = |beta: f64| 1.0 - beta.powf(t as f64);
        let lr = if self.bias_correction { lr * (bias(beta2).sqrt() / bias(beta1)) } else { lr };
        Scalars {
            l2,
            decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            root: beta2.sqrt(),
            one_root: 1.0 - beta2.sqrt(),
            eps,
            lr,
            layer_scale,
            growth_rate: limit(self.growth_rate),
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
        let along = k.layer_scale * dlr * g * (s.s / (s.v.sqrt() + k.eps));
        let numerator = k.root * s.numerator + k.one_root * over.sum(Model, along);
        let m = k.beta1 * s.m + k.one_beta1 * k.layer_scale * dlr * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let sum = k.root * s.s + k.one_root * dlr * g;

        let length = over.sum(Model, k.layer_scale * sum.abs());
        let d = estimate(s.d, numerator, k.one_root * length, Some(k.growth_rate));
        let step = k.decay * dlr * p + m / (v.sqrt() + k.eps);
        (p - only_after(length) * step, Estimate { m, v, s: sum, d, numerator })
    }
}
