//! How far along a direction.

mod backtrack;
mod hager_zhang;
mod strong_wolfe;

use super::{Ground, Look, Vector};
use crate::descent::DescentError;
use burn_descent_rules::choice;

choice! {
    /// How the length `t` of a step along a direction `d` is found, `φ(t) = f(w + t d)`.
    ///
    /// A point where the loss or its slope is NaN or infinite counts as too far: what brackets a minimum
    /// goes back from there.
    pub enum LineSearch {
        /// So that `φ(t) ≤ φ(0) + c₁ t φ'(0)` and `|φ'(t)| ≤ c₂ |φ'(0)|`, by cubic interpolation
        /// (Nocedal & Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6), evaluation by
        /// evaluation as PyTorch.
        StrongWolfe = "strong_wolfe",
        /// By secants within a bracket, content with either Wolfe's conditions or their approximation,
        /// `(2 c₁ − 1) φ'(0) ≥ φ'(t) ≥ c₂ φ'(0)` where the loss is no higher than its rounding: to the
        /// full precision of the weights, where a comparison of losses ends at half of it (Hager & Zhang
        /// 2005, <https://doi.org/10.1137/030601880>; they take `c1` 0.1).
        HagerZhang = "hager_zhang",
        /// Back until `φ(t) ≤ φ(0) + c₁ t φ'(0)` (Armijo 1966, <https://doi.org/10.2140/pjm.1966.16.1>), to the
        /// minimum of the parabola by `φ(0)`, `φ'(0)` and `φ(t)`, between a tenth and half as far (Dennis &
        /// Schnabel 1983).
        Armijo = "armijo",
        /// The first length, whatever comes of it.
        Fixed = "fixed",
    }
}

/// A line search with its constants.
pub(super) struct Line {
    pub(super) kind: LineSearch,
    pub(super) c1: f64,
    pub(super) c2: f64,
}

/// Evaluations of one line search at most.
pub(super) const MOST: u64 = 25;

impl Line {
    /// A point along the ray that the search is content with; of those it has seen the lowest, if it is
    /// content with none: the start, with `t` 0, if that is it. It goes over `left` evaluations by one at
    /// most.
    pub(super) fn search(
        &self,
        ray: &mut Ray<'_, '_>,
        t: f64,
        left: u64,
    ) -> Result<Trial, DescentError> {
        let most = left.min(MOST);
        match self.kind {
            LineSearch::StrongWolfe => strong_wolfe::search(self, ray, t, most),
            LineSearch::HagerZhang => hager_zhang::search(self, ray, t, most),
            LineSearch::Armijo => backtrack::search(self, ray, t, most),
            LineSearch::Fixed => ray.at(t),
        }
    }
}

/// A point along a ray.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) t: f64,
    /// `φ(t)`; infinite where that or the slope is no number.
    pub(super) loss: f64,
    /// `φ'(t)`.
    pub(super) slope: f64,
    pub(super) gradient: Vector,
    pub(super) weights: Vector,
}

impl Trial {
    /// Where a ray may begin.
    pub(super) fn start(weights: Vector, look: Look) -> Self {
        Self { t: 0.0, loss: look.loss.get(), slope: f64::NAN, gradient: look.gradient, weights }
    }

    /// The lower of two; the first if they are as low.
    fn lower(self, other: Self) -> Self {
        if other.loss < self.loss { other } else { self }
    }
}

/// `w + t d` for `t ≥ 0`.
pub(super) struct Ray<'r, 'g> {
    ground: &'r mut Ground<'g>,
    start: Trial,
    d: &'r Vector,
    /// What the loss has to be below of, by backtracking.
    reference: f64,
}

impl<'r, 'g> Ray<'r, 'g> {
    pub(super) fn new(
        ground: &'r mut Ground<'g>,
        start: Trial,
        d: &'r Vector,
        reference: f64,
    ) -> Self {
        Self { ground, start, d, reference }
    }

    pub(super) fn at(&mut self, t: f64) -> Result<Trial, DescentError> {
        let weights = self.start.weights.clone().add(t, self.d);
        let Look { loss, gradient } = self.ground.look_at(&weights)?;
        let (loss, slope) = (loss.get(), gradient.dot(self.d));
        let loss = if loss.is_finite() && slope.is_finite() { loss } else { f64::INFINITY };
        Ok(Trial { t, loss, slope, gradient, weights })
    }
}
