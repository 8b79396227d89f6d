use super::momo_model::{LossModel, Seen, Sums};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// MoMo: momentum whose step follows from a model of the loss, at most the learning rate.
    ///
    /// ```text
    /// f̄ ← β f̄ + (1 − β) f,    d ← β d + (1 − β) g,    γ ← β γ + (1 − β) ⟨g, θ⟩        (β = 0 in step 1)
    /// h = (1 + η λ) (f̄ − f* − γ) + ⟨d, θ⟩
    /// τ = min(η, max(h, 0) / ‖d‖²)
    /// θ ← (θ − η λ / (1 + η λ) θ) − τ d
    /// ```
    ///
    /// `f` is the loss at the weights that `g` was taken at, so a step needs it; products and norm go over all
    /// parameters of the model that have a gradient: it walks with `Descent`. Where `‖d‖` is 0 the model stays. `f*`
    /// is `lower_bound`, or with `adapt_lower_bound` an estimate that is never below it:
    ///
    /// ```text
    /// c = (1 + η λ) (f̄ − γ) + ⟨d, θ⟩;    where c < (1 + η λ) f*:  f* = max(c / (2 (1 + η λ)), lower_bound)
    /// after τ:  f* ← max(f̄ + ⟨d, θ⟩ − γ − ½ τ ‖d‖², lower_bound)
    /// ```
    ///
    /// - Defaults: optax's. `beta` 0.9, `lower_bound` 0, `weight_decay` 0, learning rate 1.
    /// - Memory: one number a weight, and three a tensor. Traffic in f32: read 24, write 8 bytes a weight, 12 of those
    ///   read for the sums.
    /// - A gradient or a loss that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose norm overflows makes no
    ///   step.
    /// - Reference: Schaipp et al. 2023, algorithm 1, <https://arxiv.org/abs/2305.07583>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Momo, rules::slices::Walk};
    ///
    /// // Down (x - 3)².
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(Momo::new().beta(0.5), x.len())?;
    /// for _ in 0..30 {
    ///     let away = x[0] - 3.0;
    ///     walk.step_with_loss(1.0, away * away, &mut x, &[2.0 * away])?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.01, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Momo {
        /// Decay `β` of the averages.
        #[doc(alias = "momentum")]
        beta: Decay = 0.9,
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
    /// State of [`Momo`].
    pub struct Average {
        /// Average `d` of the gradient.
        m,
        /// Average `f̄` of the loss.
        f: Model,
        /// Average `γ` of `⟨g, θ⟩`.
        gamma: Model,
        /// `f*`.
        bound: Model,
    }

    /// Scalars of [`Momo`].
    pub struct Scalars {
        beta, one_beta,
        loss,
        lr,
        /// `1 + η λ`, and `η λ / (1 + η λ)`.
        grown, shrink,
        lower_bound,
        /// 1 to estimate the bound, or 0.
        adapt,
    }
}

impl Rule for Momo {
    const NAME: &'static str = "momo";
    const TITLE: &'static str = "MoMo";
    const PAPER: Paper = Paper::arxiv("Schaipp et al. 2023", "2305.07583");
    const SUMS: usize = 3;
    const LOSS: bool = true;
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Average<f64> {
        Average { m: 0.0, f: 0.0, gamma: 0.0, bound: self.lower_bound }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let beta = if t == 1 { 0.0 } else { self.beta };
        let decay = lr * self.weight_decay;
        Scalars {
            beta,
            one_beta: 1.0 - beta,
            loss: f64::NAN,
            lr,
            grown: 1.0 + decay,
            shrink: decay / (1.0 + decay),
            lower_bound: self.lower_bound,
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
        s: Average<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        let f = k.beta * s.f + k.one_beta * k.loss;
        let m = k.beta * s.m + k.one_beta * g;
        let gamma = k.beta * s.gamma + k.one_beta * over.sum(Model, g * p);
        let (along, norm2) = (over.sum(Model, m * p), over.sum(Model, m * m));
        let Scalars { lr, grown, lower_bound, adapt, .. } = k;
        let model = LossModel { grown, debias: R::lit(1.0), most: lr, lower_bound, adapt };
        let Seen { step, bound } = model.step(Sums { f, gamma, along, norm2 }, s.bound);
        (p - k.shrink * p - step * m, Average { m, f, gamma, bound })
    }
}
