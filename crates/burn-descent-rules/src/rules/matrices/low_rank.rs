//! Gradients seen in a few directions: what GaLore and APOLLO have in common.

use crate::matrix::Singular;
use crate::transforms::debias;
use crate::{Keep, Matrix, Start, Whole, choice};

choice! {
    /// The sides of a matrix that are projected.
    pub enum Projection {
        /// The inputs of a matrix that is square or has more outputs, else the outputs: the shorter side.
        Shorter = "std",
        /// The longer side.
        Longer = "reverse_std",
        /// The inputs.
        Right = "right",
        /// The outputs.
        Left = "left",
        /// Both.
        Full = "full",
    }
}

/// A space of few dimensions for each matrix, and Adam's moments in it.
///
/// What is kept are the bases, `left` of outputs × rank and `right` of rank × inputs as far as there is one, then the
/// moments.
pub(super) struct LowRank {
    pub(super) side: Projection,
    pub(super) rank: u64,
    /// A basis is for so many steps.
    pub(super) gap: u64,
    /// The second one is a step early.
    pub(super) early: bool,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
}

impl LowRank {
    /// Is the left side projected, and the right one?
    fn sides(&self, [_, rows, columns]: [usize; 3]) -> [bool; 2] {
        let is_tall = rows >= columns;
        match self.side {
            Projection::Shorter => [!is_tall, is_tall],
            Projection::Longer => [is_tall, !is_tall],
            Projection::Right => [false, true],
            Projection::Left => [true, false],
            Projection::Full => [true, true],
        }
    }

    fn rank(&self, [_, rows, columns]: [usize; 3]) -> usize {
        let most = rows.min(columns);
        usize::try_from(self.rank).map_or(most, |rank| rank.min(most))
    }

    pub(super) fn keeps(&self, dims: [usize; 3]) -> Vec<Keep> {
        let ([matrices, rows, columns], rank) = (dims, self.rank(dims));
        let [left, right] = self.sides(dims);
        let basis =
            |name: &str, dims| Keep { start: Start::Diagonal(1.0), ..Keep::zeros(name, dims) };
        let low = [matrices, if left { rank } else { rows }, if right { rank } else { columns }];
        let mut all = Vec::new();
        all.extend(left.then(|| basis("left", [matrices, rows, rank])));
        all.extend(right.then(|| basis("right", [matrices, rank, columns])));
        all.extend([Keep::zeros("m", low), Keep::zeros("v", low)]);
        all
    }

    /// Is it a step with a new basis?
    pub(super) fn is_due(&self, t: u64) -> bool {
        t == 1 || (t - u64::from(!self.early)).is_multiple_of(self.gap)
    }

    /// The bases that `new` makes of the dimensions of each, left or right.
    fn refresh<M: Matrix>(
        &self,
        of: [usize; 3],
        bases: &mut [M],
        mut new: impl FnMut(bool, [usize; 3]) -> Option<M>,
    ) {
        let sides = self.sides(of).into_iter().zip([true, false]).filter(|(there, _)| *there);
        for (basis, (_, is_left)) in bases.iter_mut().zip(sides) {
            if let Some(new) = new(is_left, basis.dims()) {
                *basis = new;
            }
        }
    }

    /// New bases: the first singular vectors of `g`. The old ones stay where there are none.
    pub(super) fn see<M: Matrix>(&self, g: &M, bases: &mut [M], at: &mut Whole) {
        let Some(Singular { left, right, .. }) = at.refreshed(Singular::of(g)) else { return };
        self.refresh(g.dims(), bases, |is_left, dims| {
            let (along, new) = match is_left {
                true => (1, left.narrow(2, 0, dims[2])),
                false => (2, right.narrow(1, 0, dims[1])),
            };
            let Some(recorded) = at.recorded(g, dims) else { return Some(new) };
            // Its signs, which are arbitrary.
            let same = (new.clone() * recorded).sum(along);
            Some(new * (same.clone() / same.abs()))
        });
    }

    /// New bases: random ones, which keep norms on average.
    pub(super) fn draw<M: Matrix>(&self, g: &M, bases: &mut [M], at: &mut Whole) {
        let by = 1.0 / (self.rank(g.dims()) as f64).sqrt();
        self.refresh(g.dims(), bases, |_, dims| Some(at.normal(g, dims).scale(by)));
    }

    /// `Lᵀ x Rᵀ`.
    pub(super) fn project<M: Matrix>(&self, x: &M, bases: &[M]) -> M {
        match (self.sides(x.dims()), bases) {
            ([true, true], [left, right]) => left.transpose().times(x).times(&right.transpose()),
            ([true, false], [left]) => left.transpose().times(x),
            ([false, true], [right]) => x.times(&right.transpose()),
            _ => x.clone(),
        }
    }

    /// `L x R`, of what was projected from matrices of these dimensions.
    pub(super) fn back<M: Matrix>(&self, x: &M, dims: [usize; 3], bases: &[M]) -> M {
        match (self.sides(dims), bases) {
            ([true, true], [left, right]) => left.times(x).times(right),
            ([true, false], [left]) => left.times(x),
            ([false, true], [right]) => x.times(right),
            _ => x.clone(),
        }
    }

    /// Adam's direction, with the moments brought forward; its bias is [corrected](Self::corrected) in the rate.
    pub(super) fn adam<M: Matrix>(&self, r: &M, m: &mut M, v: &mut M) -> M {
        *m = r.clone().averaged_with(m, self.beta1);
        *v = (r.clone() * r.clone()).averaged_with(v, self.beta2);
        m.clone() / v.clone().sqrt().shift(self.eps)
    }

    /// `√(1 − β₂ᵗ) / (1 − β₁ᵗ)`.
    pub(super) fn corrected(&self, t: u64) -> f64 {
        debias(self.beta1, t) / debias(self.beta2, t).sqrt()
    }
}
