use crate::Domain::Tensor;
use crate::transforms::one_or_more;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Adam: momentum, divided by a running average of the gradient's size.
    ///
    /// ```text
    /// g ← g + λ θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η m̂ / (√(v̂ + eps_root) + ε),    ε = eps + eps_hat / √(1 − β₂ᵗ)
    /// ```
    ///
    /// AMSGrad (`amsgrad`): `v_max ← max(v_max, v)` takes the place of `v` in `v̂`; with `amsgrad_of_corrected`, as in
    /// optax, `v_max ← max(v_max, v̂)` that of `v̂`.
    ///
    /// Where epsilon stands: `eps` as in the paper's algorithm 1 and in PyTorch; `eps_root` inside the
    /// root, as optax has it; `eps_hat` added to `√v` before its bias is corrected, the ε̂ of the
    /// paper's section 2, which is what Keras calls epsilon. They may be combined.
    ///
    /// - Defaults: the paper's and PyTorch's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, no weight decay,
    ///   no AMSGrad; `eps_root` and `eps_hat` 0.
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 16, write 12 bytes a
    ///   weight; 4 and 4 more with AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows
    ///   stops its weight for good (`v` infinite).
    /// - References: Kingma & Ba 2014, <https://arxiv.org/abs/1412.6980>; AMSGrad: Reddi et al. 2018,
    ///   <https://arxiv.org/abs/1904.09237>, with PyTorch's maximum over the raw `v`.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adam, Rule};
    ///
    /// Adam::new().beta1(0.95).amsgrad(true).check()?;
    /// let error = Adam::new().beta2(f64::NAN).check().unwrap_err();
    /// assert_eq!(error.to_string(), "adam: beta2 = NaN is not allowed, it must be in [0, 1)");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Adam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// L2 penalty `λ`, added to the gradient. [`AdamW`](crate::AdamW) decays the weights
        /// instead.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// The greatest second moment is that of those whose bias is corrected.
        amsgrad_of_corrected: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Adam`], [`AdamW`](crate::AdamW) and [`AdaBound`](crate::AdaBound).
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch.
        m,
        /// Second moment, `exp_avg_sq` in PyTorch.
        v: positive,
        /// Greatest second moment, with AMSGrad; its bias is corrected where `amsgrad_of_corrected` is on.
        v_max: optional positive,
    }

    /// Scalars of [`Adam`] and [`AdamW`](crate::AdamW).
    pub struct Scalars {
        decay,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        /// The part of the correction of `v` that stands in `v_max`, and the part behind it.
        debias_in_max, debias_max,
        eps, eps_root,
        /// `ξ` of a cautious step.
        xi: optional,
        /// 0, where the decay is cautious.
        cautious_decay: optional,
        /// 1, where the step is that of StableAdamW.
        stable: optional,
    }
}

impl Rule for Adam {
    const NAME: &'static str = "adam";
    const TITLE: &'static str = "Adam";
    const PAPER: Paper = Paper::arxiv("Kingma & Ba 2014", "1412.6980");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let bias1 = 1.0 - self.beta1.powf(t as f64);
        let bias2 = 1.0 - self.beta2.powf(t as f64);
        let inside = self.amsgrad_of_corrected;
        Scalars {
            decay: self.weight_decay,
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            beta2: self.beta2,
            one_beta2: 1.0 - self.beta2,
            lr,
            debias1: 1.0 / bias1,
            debias2: 1.0 / bias2,
            debias_in_max: if inside { 1.0 / bias2 } else { 1.0 },
            debias_max: if inside { 1.0 } else { 1.0 / bias2 },
            eps: self.eps + self.eps_hat / bias2.sqrt(),
            eps_root: self.eps_root,
            xi: None,
            cautious_decay: None,
            stable: None,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = g + k.decay * p;
        let (u, s) = direction(g, s, k);
        (p - k.lr * u, s)
    }
}

/// The direction `m̂ / (√(v̂ + eps_root) + ε)` and the moments it is made of.
#[inline(always)]
pub(crate) fn direction<R: Real>(g: R, s: Moments<R>, k: Scalars<R>) -> (R, Moments<R>) {
    let m = k.beta1 * s.m + k.one_beta1 * g;
    let v = k.beta2 * s.v + k.one_beta2 * g * g;
    let v_max = s.v_max.map(|v_max| v_max.max(v * k.debias_in_max));
    let m_hat = m * k.debias1;
    let v_hat = v_max.map_or(v * k.debias2, |v_max| v_max * k.debias_max);
    (m_hat / ((v_hat + k.eps_root).sqrt() + k.eps), Moments { m, v, v_max })
}

/// What the step of StableAdamW is divided by: `max(1, RMS(g / √v̂))`, each root `eps` at least.
#[inline(always)]
pub(crate) fn instability<R: Real>(g: R, v_hat: R, eps: R, over: &mut impl Over<R>) -> R {
    one_or_more(over.mean(Tensor, g * g / v_hat.max(eps * eps)).sqrt())
}
