use super::projection::without_radial;
use crate::transforms::view_of_matrix;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// SGDP: SGD with momentum, whose step does not make scale-invariant weights longer.
    ///
    /// ```text
    /// b ← μ b + (1 − dampening) g
    /// u = b,    with Nesterov g + μ b
    /// if |cos(θ, g)| < δ / √dim(θ):    u ← u − (θ̂ · u) θ̂,    λ ← λ wd_ratio
    /// θ ← (1 − η λ / (1 − μ)) θ − η u
    /// ```
    ///
    /// `θ̂` is `θ / (‖θ‖ + eps)`. [`AdamP`](crate::AdamP) says of which weights the condition is asked: vectors are not
    /// projected, nor is anything with `delta` 0.
    ///
    /// - Defaults: the authors'. `momentum` 0, `dampening` 0, `delta` 0.1, `wd_ratio` 0.1, `eps` 1e-8, no weight decay.
    /// - Memory: no state; with momentum one number a weight. Traffic in f32: read 16, write 4 bytes a weight,
    ///   8 of those read for the products and norms; with momentum 24, 8 and 12.
    /// - A gradient that is NaN makes its weight NaN, and what is projected with it.
    /// - Reference: Heo et al. 2020, algorithm 1, <https://arxiv.org/abs/2006.08217>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Sgdp, rules::{View, slices::Walk}};
    ///
    /// // The first gradient is not orthogonal to the weights, so it stays in the velocity; the second is.
    /// let mut x = [1.0_f64, 0.0];
    /// let rule = Sgdp::new().momentum(0.9);
    /// let mut walk = Walk::of(rule, View::matrix(1, 2).by_columns())?;
    /// walk.step(0.1, &mut x, &[1.0, 0.0])?;
    /// walk.step(0.1, &mut x, &[0.0, 1.0])?;
    /// assert!((x[0] - 0.9).abs() < 1e-7 && (x[1] + 0.1).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Sgdp {
        /// Decay `μ` of the velocity. With 0 no velocity is kept.
        #[doc(alias = "mu")]
        momentum: Decay = 0.0,
        /// Share of the gradient that is kept out of the velocity.
        dampening: Fraction = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// How far from orthogonal `δ` a gradient may be to weights that are taken as scale invariant.
        delta: NonNegative = 0.1,
        /// A factor of the weight decay where weights are scale invariant.
        wd_ratio: Fraction = 0.1,
        /// Look ahead by one more momentum step.
        nesterov: bool = false,
        /// Added to the norm of the weights.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Sgdp`].
    pub struct Velocity {
        /// The velocity.
        b: optional,
    }

    /// Scalars of [`Sgdp`].
    pub struct Scalars {
        momentum,
        /// Share of the gradient in the velocity, and of gradient and velocity in the step.
        inflow, of_g, of_b,
        lr,
        /// `η λ / (1 − μ)`.
        decay,
        wd_ratio, eps,
        /// `δ`, where there is a projection.
        delta: optional,
    }
}

impl Rule for Sgdp {
    const NAME: &'static str = "sgdp";
    const TITLE: &'static str = "SGDP";
    const PAPER: Paper = Paper::arxiv("Heo et al. 2020", "2006.08217");
    const SUMS: usize = 9;
    const STAGES: usize = 2;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Velocity<f64> {
        Velocity { b: (self.momentum > 0.0).then_some(0.0) }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        (view.is_vector() && self.delta > 0.0).then(|| self.clone().delta(0.0))
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { momentum, wd_ratio, eps, delta, .. } = *self;
        let (of_g, of_b) = if self.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        Scalars {
            momentum,
            inflow: 1.0 - self.dampening,
            of_g,
            of_b,
            lr,
            decay: lr * self.weight_decay / (1.0 - momentum),
            wd_ratio,
            eps,
            delta: (delta > 0.0).then_some(delta),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let new = k.inflow * g;
        let b = s.b.map(|b| k.momentum * b + new);
        let u = k.of_g * g + k.of_b * b.unwrap_or(new);
        let (u, of_decay) = match k.delta {
            Some(delta) => without_radial(u, p, g, [delta, k.wd_ratio, k.eps], over),
            None => (u, R::lit(1.0)),
        };
        (p - k.decay * of_decay * p - k.lr * u, Velocity { b })
    }
}
