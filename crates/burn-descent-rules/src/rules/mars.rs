use crate::Domain::Tensor;
use crate::transforms::{cautious, debias, one_or_more};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// MARS-AdamW: AdamW whose gradients have less variance.
    ///
    /// ```text
    /// c = g + γ β₁ / (1 − β₁) (g − g′)     g′: the gradient of the step before
    /// c ← c / max(1, ‖c‖)                  the norm over the whole tensor
    /// m ← β₁ m + (1 − β₁) c,               m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) c²,              v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η (m̂ / (√v̂ + eps) + λ θ)
    /// ```
    ///
    /// `amsgrad`: `v_max ← max(v_max, v)` takes the place of `v` in `v̂`. Where epsilon stands: `eps` as in
    /// the authors' code; `eps_hat` added to `√v` before its bias is corrected, and `eps_root_hat` under
    /// that root: pytorch_optimizer has both (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// `g′` is the gradient of the step before as it was (the authors' MARS-approx). The first step has
    /// none: with `compare_with_zero` it is taken as 0, as the authors' code and pytorch_optimizer do;
    /// without, as in timm, `c` is the first gradient.
    ///
    /// - Defaults: the authors'. `beta1` 0.95, `beta2` 0.99, `eps` 1e-8, `gamma` 0.025, compared with
    ///   zero, no weight decay, no AMSGrad; `eps_hat` and `eps_root_hat` 0. The authors step vectors with
    ///   AdamW: make a group of them.
    /// - Memory: three numbers a weight, four with AMSGrad. Traffic in f32: read 28, write 16 bytes a
    ///   weight, 8 of those read for the norm; 4 and 4 more with AMSGrad. Before its step `cautious` reads 16
    ///   more.
    /// - A NaN gradient makes the whole tensor NaN, because of the norm. An infinite one makes its weight
    ///   NaN, and in this step and the next `c` is 0 for all others, as where a square overflows.
    /// - Reference: Yuan et al. 2024, algorithm 2, <https://arxiv.org/abs/2411.10438>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Mars, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64, -1.0];
    /// let mut walk = Walk::new(Mars::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[300.0, -400.0])?;
    /// assert!((x[0] - 0.9).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Mars {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.95,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Added under the root before its bias is corrected.
        eps_root_hat: Epsilon = 0.0,
        /// How much of the variance is taken off, `γ`. With 0 this is AdamW, but for the norm.
        gamma: NonNegative = 0.025,
        /// Compare the first gradient with 0; if false, with nothing.
        compare_with_zero: bool = true,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// Leave out weights whose step points against the gradient, as in [`AdamW`](crate::AdamW).
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step.
        cautious_xi: NonNegative = 1.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Mars`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v,
        /// The gradient of the step before.
        last,
        /// Greatest second moment, with AMSGrad.
        v_max: optional,
    }

    /// Scalars of [`Mars`].
    pub struct Scalars {
        /// `γ β₁ / (1 − β₁)`.
        difference,
        decay, beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, eps_root,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

/// `c` before it is made shorter.
#[inline(always)]
fn corrected<R: Real>(g: R, s: Moments<R>, k: Scalars<R>) -> R {
    g + k.difference * (g - s.last)
}

impl Rule for Mars {
    const NAME: &'static str = "mars";
    const TITLE: &'static str = "MARS-AdamW";
    const PAPER: Paper = Paper::arxiv("Yuan et al. 2024", "2411.10438");
    const SUMS: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, last: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let first = t == 1 && !self.compare_with_zero;
        let debias2 = debias(beta2, t);
        Scalars {
            difference: if first { 0.0 } else { self.gamma * beta1 / (1.0 - beta1) },
            decay: self.weight_decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            debias1: debias(beta1, t),
            debias2,
            eps: self.eps + self.eps_hat * debias2.sqrt(),
            eps_root: self.eps_root_hat * debias2,
            xi: self.cautious.then_some(self.cautious_xi),
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
        let c = corrected(g, s, k);
        let c = R::lit(1.0) / one_or_more(over.norm(Tensor, c)) * c;
        let m = k.beta1 * s.m + k.one_beta1 * c;
        let v = k.beta2 * s.v + k.one_beta2 * c * c;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let root = (v_max.unwrap_or(v) * k.debias2 + k.eps_root).sqrt() + k.eps;
        let u = cautious(m * k.debias1 / root, g, k.xi, over);
        (p - k.lr * (u + k.decay * p), Moments { m, v, last: g, v_max })
    }
}
