use crate::transforms::{cautious, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// ADOPT: Adam that divides by the size of the earlier gradients only, and so converges with any
    /// `β₂`.
    ///
    /// ```text
    /// step 1:  v ← g²,  and nothing else
    /// u ← clip(g / max(√v, eps), (t − 1)^clip_exp)
    /// m ← β₁ m + (1 − β₁) u
    /// θ ← (1 − η λ) θ − η m            Nesterov: θ ← (1 − η λ) θ − η (β₁ m + (1 − β₁) u)
    /// v ← β₂ v + (1 − β₂) g²
    /// ```
    ///
    /// Without `decoupled_weight_decay`, its default, the decay is a penalty in the gradient:
    /// `g ← g + λ θ`. timm's `clip_exp` is 1/3. Step 1 does not count in the authors' code, nor in
    /// optax and timm; where it does, as in pytorch_optimizer (`count_first`), the limit is
    /// `t^clip_exp`, and the decoupled decay acts in step 1 too.
    ///
    /// With `cautious` weights whose step points against the gradient only decay, and the others step
    /// further: see [`AdamW`](crate::AdamW).
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.9999, `eps` 1e-6, clipped with `clip_exp` 0.25,
    ///   no weight decay, no Nesterov step.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight. A cautious step
    ///   reads all of it twice.
    /// - A NaN gradient makes its weight and state NaN, and no other; after one whose square overflows
    ///   its weight only runs out on its momentum (`v` infinite).
    /// - Reference: Taniguchi et al. 2024, <https://arxiv.org/abs/2411.02853>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adopt, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(Adopt::new().beta1(0.0), x.len())?;
    /// walk.step(0.1, &mut x, &[2.0])?;
    /// assert_eq!(x, [1.0]);
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// assert_eq!(x, [1.0 - 0.1 * (1.0 / 2.0)]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Adopt {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.9999,
        /// The least divisor.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
        /// Limit the divided gradient to `±(t − 1)^clip_exp`.
        #[doc(alias = "use_clipping")]
        clip: bool = true,
        /// The power by which the limit of `clip` grows.
        clip_exp: NonNegative = 0.25,
        /// Step 1, which moves nothing, counts as a step.
        count_first: bool = false,
        /// Look ahead by one more momentum step.
        nesterov: bool = false,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "decouple")]
        decoupled_weight_decay: bool = false,
        /// Leave out weights whose step points against the gradient.
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step.
        cautious_xi: NonNegative = 1.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Adopt`].
    pub struct Moments {
        /// Average of the divided gradients.
        m,
        /// Second moment of the gradients before this one.
        v: positive,
    }

    /// Scalars of [`Adopt`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1,
        /// 0 and 1 in step 1, so that `v` is the first square.
        beta2, one_beta2,
        eps,
        /// 0 in step 1, so that nothing moves.
        limit,
        /// Factors of momentum and gradient in the step.
        of_m, of_u,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for Adopt {
    const NAME: &'static str = "adopt";
    const TITLE: &'static str = "ADOPT";
    const PAPER: Paper = Paper::arxiv("Taniguchi et al. 2024", "2411.02853");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, eps, count_first, .. } = *self;
        let first = t == 1;
        let lr_of_decay = if first && !count_first { 0.0 } else { lr };
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr_of_decay);
        let beta2 = if first { 0.0 } else { self.beta2 };
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let count = if count_first { t } else { t - 1 };
        let limit = if self.clip { (count as f64).powf(self.clip_exp) } else { f64::INFINITY };
        let limit = if first { 0.0 } else { limit };
        let (of_m, of_u) = if self.nesterov { (lr * beta1, lr * one_beta1) } else { (lr, 0.0) };
        let xi = self.cautious.then_some(self.cautious_xi);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, eps, limit, of_m, of_u, xi }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = g + k.l2 * p;
        let (step, s) = step(g, s, k);
        (k.keep * p - cautious(step, g, k.xi, over), s)
    }
}

/// The step down, and the moments after it.
#[inline(always)]
fn step<R: Real>(g: R, s: Moments<R>, k: Scalars<R>) -> (R, Moments<R>) {
    let u = (g / s.v.sqrt().max(k.eps)).clamp(-k.limit, k.limit);
    let m = k.beta1 * s.m + k.one_beta1 * u;
    let v = k.beta2 * s.v + k.one_beta2 * g * g;
    (k.of_m * m + k.of_u * u, Moments { m, v })
}
