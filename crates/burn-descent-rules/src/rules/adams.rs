use crate::Domain::Model;
use crate::transforms::{debias, no_less_than_zero, split_decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdamS: AdamW whose weights decay the faster, the smaller the gradients of the whole model are.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// v̄ = mean of v̂ over all parameters
    /// θ ← (1 − η λ / (√v̄ + eps)) θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// The mean goes over all parameters of the model that have a gradient, so the rule walks with `Descent`;
    /// burn's `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Without
    /// `decoupled_weight_decay` the decay is `λ θ` in the gradient, and the rule is Adam.
    ///
    /// A weight decays to 0 at most, and not at all before there is a gradient that is not 0; the paper says nothing
    /// of either. `amsgrad`: `v_max ← max(v_max, v)` takes the place of `v` in `v̂`.
    ///
    /// - Defaults: pytorch_optimizer's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `weight_decay` 1e-4, decoupled, no
    ///   AMSGrad.
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 28, write 12 bytes a weight, 12 of
    ///   those read for the mean; 8 and 4 more with AMSGrad.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows stops
    ///   its weight for good, and the decay of all (`v` infinite).
    /// - Reference: Xie et al. 2020, <https://arxiv.org/abs/2011.11152>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamS, rules::slices::Walk};
    ///
    /// // A tenth of the gradient is ten times the decay: both steps are of length 0.1, and 0.001 or 0.01 decays.
    /// let moved = |g: f64| {
    ///     let mut x = [1.0_f64];
    ///     Walk::new(AdamS::new().weight_decay(0.01), x.len())?.step(0.1, &mut x, &[g])?;
    ///     Ok::<_, burn_descent::InvalidOption>(1.0 - x[0])
    /// };
    /// assert!((moved(1.0)? - 0.101).abs() < 1e-6);
    /// assert!((moved(0.1)? - 0.11).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamS {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the roots.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Divide by the greatest second moment so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 1e-4,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdamS`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`AdamS`].
    pub struct Scalars {
        /// `λ` in the gradient, and `η λ` of the weights.
        l2, decay,
        beta1, one_beta1, beta2, one_beta2,
        /// `η / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        lr, debias2,
        eps,
    }
}

impl Rule for AdamS {
    const NAME: &'static str = "adams";
    const TITLE: &'static str = "AdamS";
    const PAPER: Paper = Paper::arxiv("Xie et al. 2020", "2011.11152");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, .. } = *self;
        let (l2, decay) = split_decay(self.weight_decay, self.decoupled_weight_decay);
        Scalars {
            l2,
            decay: lr * decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr: lr * debias(beta1, t),
            debias2: debias(beta2, t),
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
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let v_hat = v_max.unwrap_or(v) * k.debias2;
        let mean = over.mean(Model, v_hat);
        // Not 0, so that a NaN is not hidden.
        let decay = R::select(zero.lt(mean), k.decay / (mean.sqrt() + k.eps), zero * mean);
        let keep = no_less_than_zero(one - decay);
        (keep * p - k.lr * m / (v_hat.sqrt() + k.eps), Moments { m, v, v_max })
    }
}
