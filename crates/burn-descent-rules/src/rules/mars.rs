use crate::Domain::Tensor;
use crate::transforms::{cautious, debias, one_or_more};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// MARS-AdamW: AdamW whose gradients have less variance. MARS-Lion is an option.
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
    /// With `lion` there is no `v` and the step is `sign(m) + λ θ`: MARS-Lion.
    ///
    /// With `optimize_1d` false, as the authors have it, vectors are stepped by AdamW: `c` is `g`, and rate, decays
    /// and weight decay are those of the options that end in `1d`. A matrix of one row is a vector here.
    ///
    /// `g′` is the gradient of the step before as it was (the authors' MARS-approx). The first step has
    /// none: with `compare_with_zero` it is taken as 0, as the authors' code and pytorch_optimizer do;
    /// without, as in timm, `c` is the first gradient.
    ///
    /// - Defaults: the authors'. `beta1` 0.95, `beta2` 0.99, `eps` 1e-8, `gamma` 0.025, compared with
    ///   zero, no weight decay, no AMSGrad; `eps_hat` and `eps_root_hat` 0; for vectors `beta1_1d` 0.9, `beta2_1d`
    ///   0.95, `weight_decay_1d` 0.1 and the same rate. Vectors are stepped as matrices are unless `optimize_1d` is
    ///   false, which is the authors' default.
    /// - Memory: three numbers a weight, four with AMSGrad, two with `lion`. Traffic in f32: read 28, write 16
    ///   bytes a weight, 8 of those read for the norm; 4 and 4 more with AMSGrad, 4 and 4 less with `lion`. Before
    ///   its step `cautious` reads 12 more.
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
        /// The step is the sign of `m`, as in [`Lion`](crate::Lion).
        lion: bool = false,
        /// Correct the gradients of vectors too; if false, vectors are stepped by AdamW.
        optimize_1d: bool = true,
        /// Step every tensor as vectors are stepped without `optimize_1d`.
        adamw: bool = false,
        /// Factor of the learning rate of AdamW.
        lr_1d_factor: NonNegative = 1.0,
        /// Decay `β₁` of AdamW.
        #[doc(alias = "betas_1d")]
        beta1_1d: Decay = 0.9,
        /// Decay `β₂` of AdamW.
        #[doc(alias = "betas_1d")]
        beta2_1d: Decay = 0.95,
        /// Decay `λ` of AdamW.
        weight_decay_1d: WeightDecay = 0.1,
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
        /// Second moment, unless the step is a sign.
        v: optional positive,
        /// The gradient of the step before.
        last,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`Mars`].
    pub struct Scalars {
        /// `γ β₁ / (1 − β₁)`.
        difference,
        /// 1 where `c` is 1 long at most, else 0.
        clip,
        decay, beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps, eps_root,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for Mars {
    const NAME: &'static str = "mars";
    const TITLE: &'static str = "MARS-AdamW";
    const PAPER: Paper = Paper::arxiv("Yuan et al. 2024", "2411.10438");
    const SUMS: usize = 2;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        let v = (self.adamw || !self.lion).then_some(0.0);
        Moments { m: 0.0, v, last: 0.0, v_max: v.filter(|_| self.amsgrad) }
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let by_adamw = view.is_vector() && !self.optimize_1d && !self.adamw;
        by_adamw.then(|| self.clone().adamw(true))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (lr, beta1, beta2, decay) = if self.adamw {
            (lr * self.lr_1d_factor, self.beta1_1d, self.beta2_1d, self.weight_decay_1d)
        } else {
            (lr, self.beta1, self.beta2, self.weight_decay)
        };
        let first = t == 1 && !self.compare_with_zero;
        let gamma = if self.adamw || first { 0.0 } else { self.gamma };
        let debias2 = debias(beta2, t);
        Scalars {
            difference: gamma * beta1 / (1.0 - beta1),
            clip: f64::from(!self.adamw),
            decay,
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
        let zero = R::lit(0.0);
        let c = g + k.difference * (g - s.last);
        let length = R::select(zero.lt(k.clip), over.norm(Tensor, c), zero);
        let c = R::lit(1.0) / one_or_more(length) * c;
        let m = k.beta1 * s.m + k.one_beta1 * c;
        let v = s.v.map(|v| k.beta2 * v + k.one_beta2 * c * c);
        let v_max = s.v_max.zip(v).map(|(v_max, v)| v_max.max(v));
        let u = cautious(m, g, k.xi, over);
        let u = match v_max.or(v) {
            Some(v) => u * k.debias1 / ((v * k.debias2 + k.eps_root).sqrt() + k.eps),
            None => u.sign(),
        };
        (p - k.lr * (u + k.decay * p), Moments { m, v, last: g, v_max })
    }
}
