use crate::transforms::sign;
use crate::{Bound, InvalidOption, Over, Paper, Range, Real, Rule, fields, l2};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// AdaGrad: a learning rate of its own for every weight, that only ever shrinks.
///
/// ```text
/// g ← ±g + λ θ
/// s ← s + g²
/// θ ← θ − η_t g / (√(s + eps_root) + eps),    η_t = η / (1 + (t − 1) lr_decay)
/// ```
///
/// PyTorch has `eps` outside the root; optax and Keras inside, here `eps_root`
/// (`.eps(0.0).eps_root(1e-7)`; they also start `s` at 0.1: `initial_accumulator_value`).
///
/// - Defaults: PyTorch's. `lr_decay` 0, `weight_decay` 0, `initial_accumulator_value` 0,
///   `eps` 1e-10; `eps_root` 0.
/// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
/// - A NaN gradient makes its weight and `s` NaN, and no other; one whose square overflows stops
///   its weight for good (`s` infinite).
/// - Reference: Duchi, Hazan & Singer 2011, <https://jmlr.org/papers/v12/duchi11a.html>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdaGrad, Rule};
///
/// let keras = AdaGrad::new().initial_accumulator_value(0.1).eps(0.0).eps_root(1e-7);
/// keras.check()?;
/// assert!(AdaGrad::new().eps(0.0).check().is_err());
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// Decay of the learning rate with the number of steps, >= 0. Default 0.
    pub lr_decay: f64,
    /// L2 penalty `λ`, >= 0, added to the gradient. Default 0.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// What the sum of squares starts at, >= 0. Default 0.
    pub initial_accumulator_value: f64,
    /// Added to the root, >= 0. Default 1e-10. This or `eps_root` must be > 0.
    #[doc(alias = "epsilon")]
    pub eps: f64,
    /// Added under the root, >= 0. Default 0.
    pub eps_root: f64,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            eps_root: 0.0,
            maximize: false,
        }
    }
}

fields! {
    /// State of [`AdaGrad`].
    pub struct Sum {
        /// Sum of the squared gradients.
        s,
    }
}

fields! {
    /// Scalars of [`AdaGrad`].
    pub struct Scalars { sign, weight_decay, lr, eps, eps_root }
}

impl Rule for AdaGrad {
    const NAME: &'static str = "adagrad";
    const TITLE: &'static str = "AdaGrad";
    const PAPER: Paper =
        Paper { cite: "Duchi et al. 2011", url: "https://jmlr.org/papers/v12/duchi11a.html" };
    type State<R: Copy> = Sum<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::NonNegative.of("lr_decay", self.lr_decay),
            Range::NonNegative.of("weight_decay", self.weight_decay).as_weight_decay(),
            Range::NonNegative.of("initial_accumulator_value", self.initial_accumulator_value),
            Range::NonNegative.of("eps", self.eps),
            Range::NonNegative.of("eps_root", self.eps_root),
        ]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_one_positive(
            Self::NAME,
            &[("eps", self.eps), ("eps_root", self.eps_root)],
        )
    }

    fn start(&self) -> Sum<f64> {
        Sum { s: self.initial_accumulator_value }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars {
            sign: sign(self.maximize),
            weight_decay: self.weight_decay,
            lr: lr / (1.0 + (t - 1) as f64 * self.lr_decay),
            eps: self.eps,
            eps_root: self.eps_root,
        }
    }

    #[inline(always)]
    fn update<R: Real>(p: R, g: R, s: Sum<R>, k: Scalars<R>, _: &mut impl Over<R>) -> (R, Sum<R>) {
        let g = l2(k.sign, g, k.weight_decay, p);
        let s = s.s + g * g;
        let step = g / ((s + k.eps_root).sqrt() + k.eps);
        (p - k.lr * step, Sum { s })
    }
}
