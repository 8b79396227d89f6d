use super::d_adaptation::{limit, only_after};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options, transforms};

options! {
    /// Prodigy: Adam that finds its own learning rate, from how far the whole model has come.
    ///
    /// ```text
    /// dlr = d η √(1 − β₂ᵗ) / (1 − β₁ᵗ)                         without `bias_correction` dlr = d η
    /// N ← β₃ N + Σ (d / d0) dlr g (θ₀ − θ),    s ← β₃ s + (d / d0) dlr g
    /// m ← β₁ m + (1 − β₁) d g,                 v ← β₂ v + (1 − β₂) (d g)²
    /// d̂ = d_coef N / Σ |s|
    /// d ← max(d, d̂), by growth_rate at most
    /// θ ← (1 − dlr λ) θ − dlr m / (√v + d eps)
    /// ```
    ///
    /// The sums go over all parameters of the model that have a gradient, so it walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Groups share one estimate `d`,
    /// whatever their options are. The learning rate is a factor of what is found: 1, or a schedule that falls
    /// from 1.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `beta3` `√β₂`, `eps` 1e-8, `d0` 1e-6, `d_coef` 1, no
    ///   limit of growth, no bias correction, decoupled weight decay of 0. optax corrects the bias always.
    /// - Left out: the authors' `slice_p`, which takes the sums over every so many weights, to keep `s` and `θ₀` of these
    ///   only. Of the 8 bytes a weight of these two, `slice_p` 11 saves 7.3; `keep("s", ..)` and `keep("moved", ..)` of the
    ///   optimizer save 6 in eight bits, and the sums stay whole.
    /// - Memory: four numbers a weight, and three a tensor. Traffic in f32: read 40, write 20 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`.
    /// - Reference: Mishchenko & Defazio 2023, algorithm 4, <https://arxiv.org/abs/2306.06101>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Prodigy, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Prodigy::new(), x.len())?;
    /// for _ in 0..200 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 1.0, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Prodigy {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β₃` of the sums; 0 for `√β₂`.
        beta3: Decay = 0.0,
        /// Added to the root, times `d`.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "decouple")]
        decoupled_weight_decay: bool = true,
        /// The estimate before the first step.
        #[doc(alias = "estim_lr0")]
        d0: Positive = 1e-6,
        /// A factor of the estimate.
        #[doc(alias = "estim_lr_coef")]
        d_coef: Positive = 1.0,
        /// The greatest factor by which the estimate grows in a step, at least 1; 0 is no limit.
        growth_rate: NonNegative = 0.0,
        /// Correct the bias of the moments.
        #[doc(alias = "use_bias_correction")]
        bias_correction: bool = false,
        /// Leave the learning rate out of `s`: for a long warmup.
        safeguard_warmup: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Prodigy`].
    pub struct Estimate {
        /// First moment of `d g`.
        m,
        /// Second moment.
        v: positive,
        /// Sum of the gradients.
        s,
        /// How far the weight has come, `θ − θ₀`.
        moved,
        /// The estimate.
        d: Model,
        /// The greatest estimate so far, before its growth is limited.
        d_max: Model,
        /// `N`.
        numerator: Model,
    }

    /// Scalars of [`Prodigy`].
    pub struct Scalars {
        l2, decay,
        beta1, one_beta1, beta2, one_beta2, beta3, eps,
        /// `η`, bias correction included.
        lr,
        /// 1 instead of `η` in `s`.
        lr_of_s,
        d0, d_coef, growth_rate,
    }
}

impl Rule for Prodigy {
    const NAME: &'static str = "prodigy";
    const TITLE: &'static str = "Prodigy";
    const PAPER: Paper = Paper::arxiv("Mishchenko & Defazio 2023", "2306.06101");
    const SUMS: usize = 2;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        let d = self.d0;
        Estimate { m: 0.0, v: 0.0, s: 0.0, moved: 0.0, d, d_max: d, numerator: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, eps, d0, d_coef, growth_rate, .. } = *self;
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
            beta3: if beta3 > 0.0 { beta3 } else { beta2.sqrt() },
            eps,
            lr,
            lr_of_s: if self.safeguard_warmup { 1.0 } else { lr },
            d0,
            d_coef,
            growth_rate: limit(growth_rate),
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
        let zero = R::lit(0.0);
        let g = g + k.l2 * p;
        let d = s.d;
        let (dlr, gain) = (d * k.lr, d / k.d0);
        let numerator = k.beta3 * s.numerator - over.sum(Model, gain * dlr * g * s.moved);
        let sum = k.beta3 * s.s + gain * d * k.lr_of_s * g;
        let m = k.beta1 * s.m + k.one_beta1 * d * g;
        let v = k.beta2 * s.v + k.one_beta2 * d * d * g * g;

        let denominator = over.sum(Model, sum.abs());
        let d_hat = k.d_coef * numerator / denominator;
        let found = zero.lt(denominator);
        let first = R::select(k.d0.lt(d), d, d.max(d_hat));
        let d_max = R::select(found, s.d_max.max(d_hat), s.d_max);
        let grown = first * k.growth_rate;
        let moves = only_after(denominator);
        let new_d = R::select(found, R::select(grown.lt(d_max), grown, d_max), d + zero * moves);

        let step = dlr * (k.decay * p + m / (v.sqrt() + new_d * k.eps));
        let new = p - moves * step;
        let moved = s.moved + (new - p);
        (new, Estimate { m, v, s: sum, moved, d: new_d, d_max, numerator })
    }
}
