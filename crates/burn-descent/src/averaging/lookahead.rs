use burn_descent_rules::{InvalidOption, Range};
use derive_setters::Setters;

/// Lookahead: `k` steps forward, one step back.
///
/// ```text
/// every k steps:    slow ← slow + α (w − slow),    w ← slow
/// ```
///
/// The states of the optimizers go on through it. The slow weights are those to evaluate and ship. A
/// parameter that is frozen stays where it is and has none; when it is trained again, or comes to the
/// model later, they begin at its weights then.
///
/// - Memory: one number a weight, in f32 (f64 for f64), and every k steps one pass of tensor
///   operations.
/// - Reference: Zhang et al. 2019, <https://arxiv.org/abs/1907.08610>.
///
/// ```
/// use burn_descent::{Build, Descent, Lookahead, Sgd};
///
/// let walk = Descent::builder(Sgd::new().build()?).lookahead(Lookahead::new().k(10));
/// # drop(walk);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Setters)]
pub struct Lookahead {
    /// The steps between two meetings, > 0. Default 5.
    pub k: u64,
    /// How far the slow weights go toward the fast ones, in [0, 1]. Default 0.5.
    pub alpha: f64,
}

impl Default for Lookahead {
    fn default() -> Self {
        Self { k: 5, alpha: 0.5 }
    }
}

impl Lookahead {
    /// With the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        let bounds =
            [Range::Positive.of("k", self.k as f64), Range::Fraction.of("alpha", self.alpha)];
        bounds.iter().try_for_each(|bound| bound.check("lookahead"))
    }
}
