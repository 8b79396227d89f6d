use crate::transforms::{cautious, decay};
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// Stochastic gradient descent, plain or with momentum.
    ///
    /// ```text
    /// g ← g + λ θ                       − where the loss is maximised
    ///
    /// plain                θ ← θ − η g
    /// momentum (PyTorch)   b ← μ b + (1 − dampening) g     (b ← g in step 1)
    ///                      θ ← θ − η b                     Nesterov: θ ← θ − η (g + μ b)
    /// momentum (classic)   m ← μ m − η g
    ///                      θ ← θ + m                       Nesterov: θ ← θ + μ m − η g
    /// ```
    ///
    /// The two forms of momentum walk the same path while the learning rate `η` is constant and
    /// `dampening` is 0. **They differ when it changes**: the classic form has each gradient weighted
    /// with the rate of its own step, so that a lowered rate acts only on what is to come; in
    /// PyTorch's form a new rate acts on the whole velocity at once. PyTorch's is the default; Keras
    /// has the classic one.
    ///
    /// With `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ − …`, and not on
    /// the gradient: SGDW.
    ///
    /// `nesterov` is the reformulation of Sutskever et al. 2013 that takes the gradient at the
    /// weights themselves; [`Nesterov`](crate::Nesterov) has the true look-ahead.
    ///
    /// With `cautious` weights whose step points against the gradient only decay, and the others step
    /// further: see [`AdamW`](crate::AdamW).
    ///
    /// - Defaults: PyTorch's. `momentum` 0, `dampening` 0, `weight_decay` 0, all switches off.
    /// - Memory: no state; with momentum one number a weight. Traffic in f32: read 8, write 4 bytes a
    ///   weight; with momentum read 12, write 8. A cautious step reads all of it twice.
    /// - A gradient that is NaN or infinite makes its weight (and velocity) NaN or infinite, and no other.
    /// - Reference: Robbins & Monro 1951, <https://doi.org/10.1214/aoms/1177729586>; Polyak 1964
    ///   (momentum); Sutskever et al. 2013, <https://proceedings.mlr.press/v28/sutskever13.html>;
    ///   SGDW: Loshchilov & Hutter 2017, algorithm 1, <https://arxiv.org/abs/1711.05101>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Rule, Sgd};
    ///
    /// let rule = Sgd::new().momentum(0.9).nesterov(true).weight_decay(1e-4);
    /// rule.check()?;
    /// let error = Sgd::new().momentum(1.5).check().unwrap_err();
    /// assert_eq!(error.to_string(), "sgd: momentum = 1.5 is not allowed, it must be in [0, 1)");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Sgd {
        /// Decay `μ` of the velocity. With 0 no velocity is kept.
        #[doc(alias = "mu")]
        momentum: Decay = 0.0,
        /// Share of the gradient that is kept out of PyTorch's velocity.
        dampening: Fraction = 0.0,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "sgdw")]
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Look ahead by one more momentum step. Needs `momentum` > 0, `dampening` 0.
        nesterov: bool = false,
        /// The learning rate goes into the velocity, as in Polyak's form and not in PyTorch's. Needs
        /// `dampening` 0.
        classic: bool = false,
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
    /// State of [`Sgd`].
    pub struct Velocity {
        /// PyTorch's velocity `b`, or `-m` of the classic form.
        b: optional,
    }

    /// Scalars of [`Sgd`]: the forms differ only in where the learning rate stands.
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        momentum,
        /// Factor of the gradient on its way into the velocity.
        inflow,
        /// Factors of gradient and velocity in the step.
        of_g, of_b,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for Sgd {
    const NAME: &'static str = "sgd";
    const TITLE: &'static str = "SGD";
    const PAPER: Paper = Paper::at(
        "Robbins & Monro 1951; Polyak 1964",
        "https://proceedings.mlr.press/v28/sutskever13.html",
    );
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let Self { momentum, dampening, nesterov, classic, .. } = *self;
        let moves = momentum > 0.0 || !nesterov;
        let whole = dampening == 0.0 || !(nesterov || classic);
        let needs = [
            ("momentum", momentum, moves, "> 0 with nesterov = true"),
            ("dampening", dampening, whole, "0 with nesterov or classic = true"),
        ];
        InvalidOption::unless_all_hold(Self::NAME, &needs)
    }

    fn start(&self) -> Velocity<f64> {
        Velocity { b: (self.momentum > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let momentum = self.momentum;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let inflow = if t == 1 { 1.0 } else { 1.0 - self.dampening };
        let [inflow, of_g, of_b] = shares(momentum, inflow, self.nesterov, self.classic, lr);
        let xi = self.cautious.then_some(self.cautious_xi);
        Scalars { l2, keep, momentum, inflow, of_g, of_b, xi }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let g = g + k.l2 * p;
        let (step, b) = step(g, s.b, k.momentum, [k.inflow, k.of_g, k.of_b]);
        (k.keep * p - cautious(step, g, k.xi, over), Velocity { b })
    }
}

/// The share of the gradient in the velocity, of which it is `inflow` without a learning rate, and those of gradient
/// and velocity in the step.
pub(super) fn shares(
    momentum: f64,
    inflow: f64,
    nesterov: bool,
    classic: bool,
    lr: f64,
) -> [f64; 3] {
    let (inflow, of_b) = if classic { (lr * inflow, 1.0) } else { (inflow, lr) };
    match (momentum > 0.0, nesterov) {
        (false, _) => [inflow, lr, 0.0],
        (true, false) => [inflow, 0.0, of_b],
        (true, true) => [inflow, lr, of_b * momentum],
    }
}

/// The step down, and the velocity after it, if there is one.
#[inline(always)]
pub(super) fn step<R: Real>(
    g: R,
    b: Option<R>,
    momentum: R,
    [inflow, of_g, of_b]: [R; 3],
) -> (R, Option<R>) {
    let b = b.map(|b| momentum * b + inflow * g);
    (b.map_or(of_g * g, |b| of_g * g + of_b * b), b)
}
