use crate::transforms::{cautious, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Lion: the sign of a mixture of momentum and gradient.
    ///
    /// ```text
    /// u ← sign(β₁ m + (1 − β₁) g)
    /// θ ← (1 − η λ) θ − η u
    /// m ← β₂ m + (1 − β₂) g
    /// ```
    ///
    /// Every weight moves by `η` in every step, so the learning rate is to be three to ten times
    /// smaller than Adam's, and `λ` as much greater. Without `decoupled_weight_decay` the decay is a
    /// penalty in the gradient: `g ← g + λ θ`.
    ///
    /// With `cautious` weights whose `u` points against the gradient only decay, and the others step
    /// further by `n / (number of the others + ξ)`: Liang et al. 2024,
    /// <https://arxiv.org/abs/2411.16085>; see [`AdamW`](crate::AdamW).
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.99, `weight_decay` 0 (optax has 0.001), the
    ///   decay decoupled.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight. A cautious step
    ///   reads all of it twice.
    /// - A NaN gradient makes its weight and `m` NaN, and no other; an infinite one moves its weight
    ///   by `η`, and by as much in the same direction in all later steps.
    /// - Reference: Chen et al. 2023, algorithm 2, <https://arxiv.org/abs/2302.06675>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Lion, rules::slices::Walk};
    ///
    /// let mut x = [1.0, -3.0, 2.0];
    /// let mut walk = Walk::new(Lion::new().weight_decay(0.5), x.len())?;
    /// walk.step(0.5, &mut x, &[1e-9, 5.0, 0.0])?;
    /// assert_eq!(x, [0.75 - 0.5, -2.25 - 0.5, 1.5]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Lion {
        /// Share `β₁` of the momentum in the step.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the momentum.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
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
    /// State of [`Lion`].
    pub struct Momentum { m }

    /// Scalars of [`Lion`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for Lion {
    const NAME: &'static str = "lion";
    const TITLE: &'static str = "Lion";
    const PAPER: Paper = Paper::arxiv("Chen et al. 2023", "2302.06675");
    const SUMS: usize = 1;
    type State<R: Copy> = Momentum<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let xi = self.cautious.then_some(self.cautious_xi);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, lr, xi }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Momentum<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Momentum<R>) {
        let g = g + k.l2 * p;
        let u = cautious(direction(g, s, k), g, k.xi, over);
        let m = k.beta2 * s.m + k.one_beta2 * g;
        (k.keep * p - k.lr * u, Momentum { m })
    }
}

#[inline(always)]
fn direction<R: Real>(g: R, s: Momentum<R>, k: Scalars<R>) -> R {
    (k.beta1 * s.m + k.one_beta1 * g).sign()
}
