use crate::transforms::{debias, decay, no_less_than_zero};
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// RMSProp: the gradient divided by a running average of its size.
    ///
    /// ```text
    /// g ← g + λ θ
    /// v ← ρ v + (1 − ρ) g²
    /// centered:  ḡ ← ρ ḡ + (1 − ρ) g,   σ² = max(v − ḡ², 0);    else σ² = v
    /// d = g / (√(σ² + eps_root) + eps)
    /// momentum:  b ← μ b + d,     θ ← θ − η b           nesterov: θ ← θ − η (d + μ b)
    /// classic:   b ← μ b + η d,   θ ← θ − b             nesterov: θ ← θ − (η d + μ b)
    /// without:                    θ ← θ − η d
    /// ```
    ///
    /// `bias_correction`, of optax: `v / (1 − ρᵗ)` and `ḡ / (1 − ρᵗ)` in the places of `v` and `ḡ`.
    ///
    /// PyTorch has `eps` outside the root; optax and Keras inside, here `eps_root`. TensorFlow's form
    /// starts `v` at 1: `initial_accumulator_value`. In optax and Keras the learning rate goes into
    /// the velocity, here `classic`, which is the same path while the rate is constant. With
    /// `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ − …`, as in Keras.
    ///
    /// - Defaults: `rho` 0.9 as in the lecture (PyTorch's `alpha` is 0.99); the rest PyTorch's:
    ///   `eps` 1e-8, `momentum` 0, `weight_decay` 0, a penalty, all switches off; `eps_root` 0,
    ///   `initial_accumulator_value` 0.
    /// - Memory: one number a weight, one more each for `centered` and for `momentum`. Traffic in
    ///   f32: read 12, write 8 bytes a weight; 4 and 4 more for each of the two.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite), but for what velocity it has. Where it is `centered` and
    ///   `ḡ²` overflows too, its weight becomes NaN, as in PyTorch.
    /// - Reference: Tieleman & Hinton 2012, lecture 6.5,
    ///   <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>; centered:
    ///   Graves 2013, <https://arxiv.org/abs/1308.0850>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{RmsProp, Rule};
    ///
    /// let pytorch = RmsProp::new().rho(0.99).momentum(0.9).centered(true);
    /// pytorch.check()?;
    /// assert_eq!(pytorch.start().presence(), 0b11);
    /// # use burn_descent::rules::Fields;
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct RmsProp {
        /// Decay `ρ` of the averages.
        #[doc(alias = "alpha")]
        #[doc(alias = "decay")]
        rho: Decay = 0.9,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Decay `μ` of the velocity. With 0 no velocity is kept.
        momentum: Decay = 0.0,
        /// Look ahead by one more step of the momentum. Needs `momentum` > 0.
        nesterov: bool = false,
        /// The learning rate goes into the velocity, as it does not in PyTorch.
        #[doc(alias = "lr_in_momentum")]
        classic: bool = false,
        /// Subtract the squared average of the gradient from that of its square.
        centered: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "decoupled_decay")]
        decoupled_weight_decay: bool = false,
        /// Correct the averages for having begun with 0.
        bias_correction: bool = false,
        /// What `v` starts at.
        initial_accumulator_value: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`RmsProp`].
    pub struct Averages {
        /// Average of the squared gradient.
        v: positive,
        /// Average of the gradient, where centered.
        g_avg: optional,
        /// Velocity, with momentum.
        b: optional,
    }

    /// Scalars of [`RmsProp`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        rho, one_rho,
        /// `1 / (1 − ρᵗ)`, or 1.
        debias,
        eps, eps_root, momentum,
        /// Factor of `d` on its way into the velocity.
        inflow,
        /// Factors of `d` and of the velocity in the step.
        of_d, of_b,
    }
}

impl Rule for RmsProp {
    const NAME: &'static str = "rmsprop";
    const TITLE: &'static str = "RMSProp";
    const PAPER: Paper = Paper::at(
        "Tieleman & Hinton 2012",
        "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
    );
    type State<R: Copy> = Averages<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let enough = self.momentum > 0.0 || !self.nesterov;
        let momentum = [("momentum", self.momentum, enough, "> 0 with nesterov = true")];
        InvalidOption::unless_all_hold(Self::NAME, &momentum)
    }

    fn start(&self) -> Averages<f64> {
        Averages {
            v: self.initial_accumulator_value,
            g_avg: self.centered.then_some(0.0),
            b: (self.momentum > 0.0).then_some(0.0),
        }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { rho, eps, eps_root, momentum, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let debias = if self.bias_correction { debias(rho, t) } else { 1.0 };
        let (inflow, of_b) = if self.classic { (lr, 1.0) } else { (1.0, lr) };
        let (of_d, of_b) = match (momentum > 0.0, self.nesterov) {
            (false, _) => (lr, 0.0),
            (true, false) => (0.0, of_b),
            (true, true) => (lr, of_b * momentum),
        };
        let one_rho = 1.0 - rho;
        Scalars { l2, keep, rho, one_rho, debias, eps, eps_root, momentum, inflow, of_d, of_b }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Averages<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Averages<R>) {
        let g = g + k.l2 * p;
        let v = k.rho * s.v + k.one_rho * g * g;
        let g_avg = s.g_avg.map(|g_avg| k.rho * g_avg + k.one_rho * g);
        let v_hat = v * k.debias;
        let variance = g_avg.map(|g_avg| g_avg * k.debias);
        let variance = variance.map_or(v_hat, |mean| no_less_than_zero(v_hat - mean * mean));
        let d = g / ((variance + k.eps_root).sqrt() + k.eps);
        let b = s.b.map(|b| k.momentum * b + k.inflow * d);
        let step = b.map_or(k.of_d * d, |b| k.of_d * d + k.of_b * b);
        (k.keep * p - step, Averages { v, g_avg, b })
    }
}
