//! The gradient, by a length that follows from the last step.

use super::iterate::{Here, Last, Method, solver};
use super::{LineSearch, Memory, Vector};
use burn_descent_rules::choice;

choice! {
    /// The length of a step down the gradient that makes of it a secant step, `s = w − w_last`,
    /// `y = g − g_last`.
    pub enum StepSize {
        /// `t = ⟨s, s⟩ / ⟨s, y⟩`.
        Long = "long",
        /// `t = ⟨s, y⟩ / ⟨y, y⟩`.
        Short = "short",
    }
}

solver! {
    /// Barzilai and Borwein's gradient method, by backtracking where the loss rises above all of the last
    /// ones.
    ///
    /// ```text
    /// d = −g,    t ← lr ⟨s, s⟩ / ⟨s, y⟩    or    lr ⟨s, y⟩ / ⟨y, y⟩,    s = w − w_last, y = g − g_last
    /// back until f(w + t d) ≤ max(f of the last window iterations) + c₁ t ⟨g, d⟩:    w ← w + t d
    /// ```
    ///
    /// The loss may rise for a while: that is what makes it fast. Where `⟨s, y⟩` is not positive, and in
    /// the first iteration, it tries `min(1, 1 / ‖g‖₁) lr`.
    ///
    /// - Learning rate 1, unless another is given.
    /// - Memory: 2 numbers a weight, in f32 (f64 for f64). One evaluation an iteration as a rule.
    /// - What is NaN or infinite: as [`Lbfgs`](crate::Lbfgs).
    /// - Reference: Barzilai & Borwein 1988, <https://doi.org/10.1093/imanum/8.1.141>; Raydan 1997,
    ///   <https://doi.org/10.1137/S1052623494266365>, whose `window` is the default.
    ///
    /// ```
    /// use burn_descent::{BarzilaiBorwein, Descent};
    ///
    /// let walk = Descent::search(BarzilaiBorwein::new().max_iter(100));
    /// # drop(walk);
    /// ```
    BarzilaiBorwein = "barzilai_borwein", Armijo, c2 = 0.9, keeps |_| 0, {
        /// Which length.
        step_size: Choice(StepSize) = StepSize::Long,
        /// The loss may be as high as the highest of so many iterations.
        window: Count(1) = 10,
    }
}

impl Method for BarzilaiBorwein {
    fn direction(&self, here: &Here<'_>, last: Option<&Last>, _: &mut Memory) -> (Vector, f64) {
        let secant = last.and_then(|last| {
            let (s, y) = last.difference(here.gradient);
            let sy = s.dot(&y);
            let t = match self.step_size {
                StepSize::Long => s.dot(&s) / sy,
                StepSize::Short => sy / y.dot(&y),
            };
            (sy > 0.0 && t.is_finite()).then_some(here.lr * t)
        });
        (here.downhill(), secant.unwrap_or_else(|| here.first()))
    }

    fn reference(&self, loss: f64, memory: &mut Memory) -> f64 {
        let losses = memory.numbers("losses");
        losses.push(loss);
        let most = usize::try_from(self.window).unwrap_or(usize::MAX);
        losses.drain(..losses.len().saturating_sub(most));
        losses.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}
