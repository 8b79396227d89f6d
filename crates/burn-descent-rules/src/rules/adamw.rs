use super::adam::{self, Moments, Scalars};
use crate::transforms::cautious;
use crate::{Adam, Over, Paper, Real, Rule, options};

options! {
    /// AdamW: Adam with decoupled weight decay.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// u = m̂ / (√(v̂ + eps_root) + ε)
    /// θ ← θ − η (u + λ θ)
    /// ```
    ///
    /// The decay acts on the weights, not on the gradient, so the adaptive denominator does not weaken
    /// it. Epsilons and AMSGrad as in [`Adam`]. As in PyTorch the decay is multiplied with the
    /// learning rate `η`.
    ///
    /// With `cautious` weights whose `u` points against the gradient only decay, and the others step
    /// further by `n / (number of the others + ξ)`: Liang et al. 2024,
    /// <https://arxiv.org/abs/2411.16085>. `ξ` (`cautious_xi`) is 1 there and in the authors' first
    /// code; 0 is their later code and timm's, where the factor is at most 1000.
    ///
    /// With `cautious_decay` weights do not decay where `u` and the weight differ in sign: Chen et al. 2025,
    /// <https://arxiv.org/abs/2510.12402>.
    ///
    /// With `stable` the learning rate of a tensor is divided by `max(1, √(mean of g² / max(v̂, ε²)))`,
    /// which stands in for clipping: StableAdamW, Wortsman et al. 2023,
    /// <https://arxiv.org/abs/2304.13013>.
    ///
    /// - Defaults: PyTorch's. As [`Adam`], and `weight_decay` 0.01.
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 16, write 12 bytes a
    ///   weight; 4 and 4 more with AMSGrad. Before its step `cautious` reads 12 more, or 16 with
    ///   AMSGrad, and `stable` 8.
    /// - Bad gradients: as [`Adam`]; but with `stable` one that is NaN, or makes `v̂` overflow, makes the
    ///   whole tensor NaN.
    /// - Reference: Loshchilov & Hutter 2017, algorithm 2, <https://arxiv.org/abs/1711.05101>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamW, Rule};
    ///
    /// AdamW::new().weight_decay(0.1).beta2(0.95).check()?;
    /// let error = AdamW::new().eps(-1.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "adamw: eps = -1 is not allowed, it must be a number >= 0");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamW {
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
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// Leave out weights whose step points against the gradient.
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step.
        cautious_xi: NonNegative = 1.0,
        /// Let no weight decay whose step makes it larger.
        cautious_decay: bool = false,
        /// Divide the learning rate of a tensor by the size of its step, as StableAdamW.
        stable: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl AdamW {
    /// Adam with these options, the weight decay as its own.
    fn adam(&self) -> Adam {
        let Self { beta1, beta2, eps, eps_root, eps_hat, weight_decay, amsgrad, .. } = *self;
        let adam = Adam { beta1, beta2, eps, eps_root, eps_hat, ..Adam::new() };
        adam.weight_decay(weight_decay).amsgrad(amsgrad)
    }
}

impl Rule for AdamW {
    const NAME: &'static str = "adamw";
    const TITLE: &'static str = "AdamW";
    const PAPER: Paper = Paper::arxiv("Loshchilov & Hutter 2017", "1711.05101");
    const SUMS: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        self.adam().start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars {
            xi: self.cautious.then_some(self.cautious_xi),
            cautious_decay: self.cautious_decay.then_some(0.0),
            stable: self.stable.then_some(1.0),
            ..self.adam().scalars(lr, t)
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
        let (u, s) = adam::direction(g, s, k);
        let u = cautious(u, g, k.xi, over);
        let decay = match k.cautious_decay {
            Some(none) => R::select((u * p).lt(R::lit(0.0)), none, k.decay),
            None => k.decay,
        };
        let lr = match k.stable {
            Some(_) => k.lr / adam::instability(g, s.v * k.debias2, k.eps, over),
            None => k.lr,
        };
        (p - lr * (u + decay * p), s)
    }
}
