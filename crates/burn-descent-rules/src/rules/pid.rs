use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// PID: gradient descent as a controller with an integral and a derivative part.
    ///
    /// ```text
    /// g ← g + λ θ
    /// i ← β i + (1 − dampening) g
    /// d ← β d + (1 − β) (g − g')          g' the gradient of the step before; d = 0 in step 1
    /// θ ← θ − η (g + integral i + derivative d)
    /// ```
    ///
    /// In the authors' code `g'` is 0 in step 2; here, as in pytorch_optimizer, it is the first
    /// gradient. Without momentum their code is plain [`Sgd`](crate::Sgd); here the two other parts
    /// act all the same. With `decoupled_weight_decay` the decay acts on the weights:
    /// `θ ← (1 − η λ) θ − …`.
    ///
    /// - Defaults: the authors'. `integral` 5, `derivative` 10, `dampening` 0, `weight_decay` 0, a
    ///   penalty; `momentum` 0.9, with which they train.
    /// - Memory: three numbers a weight. Traffic in f32: read 20, write 16 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and state NaN or infinite, and no other.
    /// - Reference: An et al. 2018, CVPR, <https://doi.org/10.1109/CVPR.2018.00889>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Pid, rules::slices::Walk};
    ///
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Pid::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// assert!((x[0] + 0.1 * (1.0 + 5.0)).abs() < 1e-15);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Pid {
        /// Decay `β` of integral and derivative.
        #[doc(alias = "alpha")]
        momentum: Decay = 0.9,
        /// Share of the gradient that is kept out of the integral.
        dampening: Fraction = 0.0,
        /// Weight of the integral part.
        integral: NonNegative = 5.0,
        /// Weight of the derivative part.
        derivative: NonNegative = 10.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Pid`].
    pub struct Parts {
        /// Integral of the gradient.
        i,
        /// Its derivative.
        d,
        /// Gradient of the step before.
        g_prev,
    }

    /// Scalars of [`Pid`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta, inflow,
        /// `1 − β`, and 0 in step 1.
        one_beta,
        integral, derivative, lr,
    }
}

impl Rule for Pid {
    const NAME: &'static str = "pid";
    const TITLE: &'static str = "PID";
    const PAPER: Paper = Paper::at("An et al. 2018", "https://doi.org/10.1109/CVPR.2018.00889");
    type State<R: Copy> = Parts<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { momentum: beta, integral, derivative, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let one_beta = if t == 1 { 0.0 } else { 1.0 - beta };
        let inflow = 1.0 - self.dampening;
        Scalars { l2, keep, beta, inflow, one_beta, integral, derivative, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Parts<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Parts<R>) {
        let g = g + k.l2 * p;
        let i = k.beta * s.i + k.inflow * g;
        let d = k.beta * s.d + k.one_beta * (g - s.g_prev);
        let step = g + k.integral * i + k.derivative * d;
        (k.keep * p - k.lr * step, Parts { i, d, g_prev: g })
    }
}
