use crate::Domain::Model;
use crate::transforms::{at_least, debias, decay, finite_or};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Adai: SGD whose momentum is adaptive instead of its step, the less of it the larger the gradient is beside
    /// those of the whole model.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// v ← β₂ v + (1 − β₂) g²,      v̂ = v / (1 − β₂ᵗ)
    /// v̄ = mean of v̂ over all parameters
    /// μ = 1 − β₀ v̂ / v̄, between 0 and 1 − eps
    /// m ← μ m + (1 − μ) g,         m̂ = m / (1 − Π μ)
    /// θ ← θ − η m̂
    /// ```
    ///
    /// The mean goes over all parameters of the model that have a gradient, so the rule walks with `Descent`;
    /// burn's `ModuleOptimizer` shows an optimizer one parameter at a time and is refused.
    ///
    /// `dampening` `α` below 1, as in AdaiV2: `μ = 1 − β₀ (v̂ / v̄)^(1 / (3 − 2 α))`,
    /// `m ← μ m + (1 − μ)^α g`, and the step is `η β₀^(1 − α) m̂`. With `stable_weight_decay` the penalty is no part
    /// of `v`. With `least_mean` `v̄` is that at least, which pytorch_optimizer sets to `eps`.
    ///
    /// - Defaults: the paper's. `beta0` 0.1, `beta2` 0.99, `eps` 1e-3, `dampening` 1, no weight decay, no
    ///   `least_mean`.
    /// - Memory: three numbers a weight. Traffic in f32: read 32, write 16 bytes a weight, 12 of those read for the
    ///   mean.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows has no
    ///   momentum for good (`v` infinite), and is a huge step, as in SGD.
    /// - Reference: Xie et al. 2020, <https://arxiv.org/abs/2006.15815>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adai, rules::slices::Walk};
    ///
    /// // The first step is that of SGD; after it the larger gradient is forgotten faster.
    /// let mut x = [0.0_f64; 2];
    /// let mut walk = Walk::new(Adai::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[1.0, 0.1])?;
    /// assert!((x[0] + 0.1).abs() < 1e-12 && (x[1] + 0.01).abs() < 1e-12);
    /// let before = x;
    /// walk.step(0.1, &mut x, &[0.0, 0.0])?;
    /// assert!((before[0] - x[0]) / 1.0 < (before[1] - x[1]) / 0.1);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Adai {
        /// How much momentum `β₀` a gradient of the mean size takes away.
        #[doc(alias = "betas")]
        beta0: Decay = 0.1,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// The momentum is `1 − eps` at most.
        #[doc(alias = "epsilon")]
        eps: OpenFraction = 1e-3,
        /// The least mean of the second moments.
        least_mean: NonNegative = 0.0,
        /// `α`, by how much less momentum is more of the new gradient.
        dampening: Fraction = 1.0,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// The decay in the gradient is no part of the second moment.
        stable_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Adai`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// Product of all momenta so far.
        product: positive,
    }

    /// Scalars of [`Adai`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient of the first moment and of the second, and as a factor of the
        /// weights.
        l2, l2_of_v, keep,
        beta0, beta2, one_beta2, debias2,
        /// `1 − eps`.
        most,
        least_mean,
        /// `η β₀^(1 − α)`.
        lr,
        /// `1 / (3 − 2 α)`.
        exponent,
        /// `α`, where it is not 1.
        dampening: optional,
    }
}

impl Rule for Adai {
    const NAME: &'static str = "adai";
    const TITLE: &'static str = "Adai";
    const PAPER: Paper = Paper::arxiv("Xie et al. 2020", "2006.15815");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, product: 1.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta0, beta2, eps, least_mean, dampening, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            l2,
            l2_of_v: if self.stable_weight_decay { 0.0 } else { l2 },
            keep,
            beta0,
            beta2,
            one_beta2: 1.0 - beta2,
            debias2: debias(beta2, t),
            most: 1.0 - eps,
            least_mean,
            lr: lr * beta0.powf(1.0 - dampening),
            exponent: 1.0 / (3.0 - 2.0 * dampening),
            dampening: (dampening < 1.0).then_some(dampening),
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
        let of_v = g + k.l2_of_v * p;
        let g = g + k.l2 * p;
        let v = k.beta2 * s.v + k.one_beta2 * of_v * of_v;
        let v_hat = v * k.debias2;
        let mean = at_least(k.least_mean, over.mean(Model, v_hat));
        let mean = finite_or(mean, R::lit(f64::from(f32::MAX)));
        // Not 0, so that a NaN is not hidden.
        let size = R::select(zero.lt(mean), v_hat / mean, zero * mean);
        let size = if k.dampening.is_some() { size.powf(k.exponent) } else { size };
        let mu = (one - k.beta0 * size).clamp(zero, k.most);
        // A closure that computes a power is not inlined, and the loop not made of vectors.
        let inflow = match k.dampening {
            Some(alpha) => (one - mu).powf(alpha),
            None => one - mu,
        };
        let m = mu * s.m + inflow * g;
        let product = s.product * mu;
        (k.keep * p - k.lr * m / (one - product), Moments { m, v, product })
    }
}
