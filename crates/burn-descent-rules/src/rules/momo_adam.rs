use super::momo_model::{LossModel, Seen, Sums};
use crate::Domain::Model;
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// MoMo-Adam: Adam whose step follows from a model of the loss, at most the learning rate.
    ///
    /// ```text
    /// f̄ ← β₁ f̄ + (1 − β₁) f,    d ← β₁ d + (1 − β₁) g,    γ ← β₁ γ + (1 − β₁) ⟨g, θ⟩
    /// v ← β₂ v + (1 − β₂) g²,    D = √(v / (1 − β₂ᵗ)) + ε,    b = 1 − β₁ᵗ
    /// h = (1 + η λ) (f̄ − b f* − γ) + ⟨d, θ⟩
    /// τ = min(η / b, max(h, 0) / Σ d² / D)
    /// θ ← (θ − η λ / (1 + η λ) θ) − τ d / D
    /// ```
    ///
    /// `f` is the loss at the weights that `g` was taken at, so a step needs it; products and norm go over all
    /// parameters of the model that have a gradient: it walks with `Descent`. Where `d` is 0 the model stays. `f*` is
    /// `lower_bound`, or with `adapt_lower_bound` an estimate that is never below it:
    ///
    /// ```text
    /// c = (1 + η λ) (f̄ − γ) + ⟨d, θ⟩;    where c < (1 + η λ) b f*:  f* = max(c / (2 b (1 + η λ)), lower_bound)
    /// after τ:  f* ← max((f̄ + ⟨d, θ⟩ − γ − ½ τ Σ d² / D) / b, lower_bound)
    /// ```
    ///
    /// - Defaults: optax's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `lower_bound` 0, `weight_decay` 0, learning rate
    ///   0.01.
    /// - Memory: two numbers a weight, and three a tensor. Traffic in f32: read 32, write 12 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient or a loss that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Schaipp et al. 2023, algorithm 3, <https://arxiv.org/abs/2305.07583>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{MomoAdam, rules::slices::Walk};
    ///
    /// // Down (x - 3)².
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(MomoAdam::new().beta1(0.5), x.len())?;
    /// for _ in 0..100 {
    ///     let away = x[0] - 3.0;
    ///     walk.step_with_loss(0.1, away * away, &mut x, &[2.0 * away])?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.1, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct MomoAdam {
        /// Decay `β₁` of the averages.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// The loss is never below this.
        lower_bound: Any = 0.0,
        /// Estimate a bound that is closer.
        #[doc(alias = "use_fstar")]
        adapt_lower_bound: bool = false,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`MomoAdam`].
    pub struct Averages {
        /// Average `d` of the gradient.
        m,
        /// Second moment.
        v: positive,
        /// Average `f̄` of the loss.
        f: Model,
        /// Average `γ` of `⟨g, θ⟩`.
        gamma: Model,
        /// `f*`.
        bound: Model,
    }

    /// Scalars of [`MomoAdam`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2,
        /// `1 − β₁ᵗ`, and `1 / (1 − β₂ᵗ)`.
        bias1, debias2,
        eps,
        loss,
        /// `η / (1 − β₁ᵗ)`.
        most,
        /// `1 + η λ`, and `η λ / (1 + η λ)`.
        grown, shrink,
        lower_bound,
        /// 1 to estimate the bound, or 0.
        adapt,
    }
}

impl Rule for MomoAdam {
    const NAME: &'static str = "momo_adam";
    const TITLE: &'static str = "MoMo-Adam";
    const PAPER: Paper = Paper::arxiv("Schaipp et al. 2023", "2305.07583");
    const SUMS: usize = 3;
    const LOSS: bool = true;
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Averages<f64> {
        Averages { m: 0.0, v: 0.0, f: 0.0, gamma: 0.0, bound: self.lower_bound }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, lower_bound, .. } = *self;
        let decay = lr * self.weight_decay;
        let bias1 = 1.0 - beta1.powf(t as f64);
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            bias1,
            debias2: debias(beta2, t),
            eps,
            loss: f64::NAN,
            most: lr / bias1,
            grown: 1.0 + decay,
            shrink: decay / (1.0 + decay),
            lower_bound,
            adapt: if self.adapt_lower_bound { 1.0 } else { 0.0 },
        }
    }

    fn with_loss(&self, k: Scalars<f64>, loss: f64) -> Scalars<f64> {
        Scalars { loss, ..k }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Averages<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Averages<R>) {
        let f = k.beta1 * s.f + k.one_beta1 * k.loss;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let u = m / ((v * k.debias2).sqrt() + k.eps);
        let gamma = k.beta1 * s.gamma + k.one_beta1 * over.sum(Model, g * p);
        let (along, norm2) = (over.sum(Model, m * p), over.sum(Model, m * u));
        let Scalars { bias1: debias, most, grown, lower_bound, adapt, .. } = k;
        let model = LossModel { grown, debias, most, lower_bound, adapt };
        let Seen { step, bound } = model.step(Sums { f, gamma, along, norm2 }, s.bound);
        (p - k.shrink * p - step * u, Averages { m, v, f, gamma, bound })
    }
}
