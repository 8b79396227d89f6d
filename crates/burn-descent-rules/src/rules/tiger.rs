use super::signsgd::{Average, Scalars};
use crate::{Bound, Over, Paper, Range, Real, Rule, SignSgd};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Tiger: the sign of an average, the least memory a step with momentum can have.
///
/// ```text
/// m ← β m + (1 − β) g
/// θ ← (1 − η λ) θ − η sign(m)
/// ```
///
/// It is Signum, [`SignSgd`] with momentum, with other defaults, and [`Lion`](crate::Lion) with
/// `β₁ = β₂`. The author scales `η` by the size of each weight matrix and has no decay of biases:
/// that is a matter of parameter groups here.
///
/// - Defaults: the author's. `beta` 0.965, `weight_decay` 0.01, decoupled.
/// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
/// - Bad gradients: as [`SignSgd`] with momentum.
/// - Reference: Su 2023, <https://github.com/bojone/tiger>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{Rule, SignSgd, Tiger};
///
/// let signum = SignSgd::new().momentum(0.965).weight_decay(0.01);
/// assert_eq!(Tiger::new().scalars(0.1, 1), signum.scalars(0.1, 1));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct Tiger {
    /// Decay `β` of the average of the gradients, in [0, 1). Default 0.965.
    #[doc(alias = "momentum")]
    pub beta: f64,
    /// Decay `λ` of the weights, >= 0. Default 0.01.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// The decay acts on the weights, not on the gradient. Default true.
    #[doc(alias = "weight_decouple")]
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for Tiger {
    fn default() -> Self {
        Self { beta: 0.965, weight_decay: 0.01, decoupled_weight_decay: true, maximize: false }
    }
}

impl Tiger {
    /// Signum with these options.
    fn signum(&self) -> SignSgd {
        let Self { beta, weight_decay, decoupled_weight_decay, maximize } = *self;
        SignSgd { momentum: beta, weight_decay, decoupled_weight_decay, maximize }
    }
}

impl Rule for Tiger {
    const NAME: &'static str = "tiger";
    const TITLE: &'static str = "Tiger";
    const PAPER: Paper = Paper { cite: "Su 2023", url: "https://github.com/bojone/tiger" };
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![
            Range::Decay.of("beta", self.beta),
            Range::NonNegative.of("weight_decay", self.weight_decay).as_weight_decay(),
        ]
    }

    fn start(&self) -> Average<f64> {
        self.signum().start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        self.signum().scalars(lr, t)
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Average<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        SignSgd::update(p, g, s, k, over)
    }
}
