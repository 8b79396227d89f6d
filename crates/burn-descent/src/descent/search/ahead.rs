//! The gradient where the momentum leads.

use super::{Ground, Memory, Search, Step};
use crate::descent::DescentError;

/// The gradient where the optimizers would go without one: on their momentum alone.
///
/// With [`Sgd`](crate::Sgd) and momentum this is Nesterov's method in its classic form, which
/// [`Nesterov`](crate::Nesterov) writes as one pass:
///
/// ```text
/// v ← μ v + g(w − lr μ v),    w ← w − lr v
/// ```
///
/// One gradient a step, and one more pass. Optimizers that look at the whole model, or need the loss,
/// cannot say where they would go, and are refused when the walk is built.
///
/// Reference: Nesterov 1983; Sutskever et al. 2013, <https://proceedings.mlr.press/v28/sutskever13.html>.
///
/// ```
/// use burn_descent::{Ahead, Build, Descent, Sgd};
///
/// let nesterov = Descent::builder(Sgd::new().momentum(0.9).build()?).lr(0.1).search(Ahead);
/// # drop(nesterov);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead;

impl Search for Ahead {
    fn name(&self) -> &'static str {
        "ahead"
    }

    fn step(&self, ground: &mut Ground<'_>, _memory: &mut Memory) -> Result<Step, DescentError> {
        let there = ground.ahead()?;
        Ok(Step::Down(ground.look_at(&there)?.gradient))
    }

    fn asks_ahead(&self) -> bool {
        true
    }
}
