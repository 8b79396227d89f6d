//! The gradient, as far as the loss falls.

use super::iterate::{Here, Last, Method, solver};
use super::{LineSearch, Memory, Vector};

solver! {
    /// Gradient descent with backtracking.
    ///
    /// ```text
    /// d = −g,    t ← min(lr, 2 t_last),    back until f(w + t d) ≤ f(w) + c₁ t ⟨g, d⟩:    w ← w + t d
    /// ```
    ///
    /// The learning rate is the longest step that is tried, and the first one: too large costs evaluations,
    /// and does no harm.
    ///
    /// - Learning rate 1, unless another is given.
    /// - Memory: 2 numbers a weight, in f32 (f64 for f64).
    /// - What is NaN or infinite: as [`Lbfgs`](crate::Lbfgs).
    /// - Reference: Armijo 1966, <https://doi.org/10.2140/pjm.1966.16.1>.
    ///
    /// ```
    /// use burn_descent::{Descent, SteepestDescent};
    ///
    /// let walk = Descent::search(SteepestDescent::new()).lr(10.0);
    /// # drop(walk);
    /// ```
    #[doc(alias = "gradient_descent")]
    SteepestDescent = "steepest_descent", Armijo, c2 = 0.9, keeps |_| 0, {}
}

impl Method for SteepestDescent {
    fn direction(&self, here: &Here<'_>, last: Option<&Last>, _: &mut Memory) -> (Vector, f64) {
        let last = last.map_or(0.0, |last| 2.0 * last.t);
        let t = if last > 0.0 { here.lr.min(last) } else { here.lr };
        (here.downhill(), t)
    }
}
