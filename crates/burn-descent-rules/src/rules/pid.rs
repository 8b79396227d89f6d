use crate::transforms::{decay, sign};
use crate::{Bound, Over, Paper, Range, Real, Rule, fields, l2};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// PID: gradient descent as a controller with an integral and a derivative part.
///
/// ```text
/// g ← ±g + λ θ
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct Pid {
    /// Decay `β` of integral and derivative, in [0, 1). Default 0.9.
    #[doc(alias = "alpha")]
    pub momentum: f64,
    /// Share of the gradient that is kept out of the integral, in [0, 1]. Default 0.
    pub dampening: f64,
    /// Weight of the integral part, >= 0. Default 5.
    pub integral: f64,
    /// Weight of the derivative part, >= 0. Default 10.
    pub derivative: f64,
    /// Decay `λ` of the weights, >= 0. Default 0.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// The decay acts on the weights, not on the gradient. Default false.
    #[doc(alias = "weight_decouple")]
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for Pid {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            dampening: 0.0,
            integral: 5.0,
            derivative: 10.0,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
        }
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
}

fields! {
    /// Scalars of [`Pid`].
    pub struct Scalars {
        sign,
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
    const PAPER: Paper =
        Paper { cite: "An et al. 2018", url: "https://doi.org/10.1109/CVPR.2018.00889" };
    type State<R: Copy> = Parts<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("momentum", self.momentum),
            Range::Fraction.of("dampening", self.dampening),
            Range::NonNegative.of("integral", self.integral),
            Range::NonNegative.of("derivative", self.derivative),
            Range::NonNegative.of("weight_decay", self.weight_decay).as_weight_decay(),
        ]
    }

    fn start(&self) -> Parts<f64> {
        Parts { i: 0.0, d: 0.0, g_prev: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            sign: sign(self.maximize),
            l2,
            keep,
            beta: self.momentum,
            inflow: 1.0 - self.dampening,
            one_beta: if t == 1 { 0.0 } else { 1.0 - self.momentum },
            integral: self.integral,
            derivative: self.derivative,
            lr,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Parts<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Parts<R>) {
        let g = l2(k.sign, g, k.l2, p);
        let i = k.beta * s.i + k.inflow * g;
        let d = k.beta * s.d + k.one_beta * (g - s.g_prev);
        let step = g + k.integral * i + k.derivative * d;
        (k.keep * p - k.lr * step, Parts { i, d, g_prev: g })
    }
}
