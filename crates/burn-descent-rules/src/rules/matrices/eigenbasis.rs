//! The bases that SOAP and SPlus look at a gradient in: those of the eigenvectors of its second moments, one for each
//! dimension of the tensor.

use crate::matrix::iterate;
use crate::{Eigen, Keep, Matrix, Start, Whole};

/// A dimension of a tensor, between those before it and those after it.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    before: usize,
    pub(crate) size: usize,
    after: usize,
}

impl Side {
    /// The dimensions of a tensor. What has one index has nothing to turn, and is left out.
    pub(crate) fn all(dims: &[usize]) -> Vec<Self> {
        let side = |(place, size): (usize, &usize)| Self {
            before: dims[..place].iter().product(),
            size: *size,
            after: dims[place + 1..].iter().product(),
        };
        dims.iter().enumerate().map(side).filter(|side| side.size > 1).collect()
    }

    /// How many numbers there are for each index.
    pub(crate) fn others(self) -> usize {
        self.before * self.after
    }

    /// What is kept for each: the factor, that is the average of `G Gᵀ`, and the basis, of which the columns are its
    /// eigenvectors.
    pub(crate) fn keeps(sides: &[Self]) -> impl Iterator<Item = Keep> {
        sides.iter().enumerate().flat_map(|(number, side)| {
            let dims = [1, side.size, side.size];
            let basis = Start::Diagonal(1.0);
            [
                Keep::zeros(format!("factor{number}"), dims),
                Keep { name: format!("basis{number}"), dims, start: basis },
            ]
        })
    }

    fn spread<M: Matrix>(self, x: &M) -> M {
        x.reshape([self.before, self.size, self.after])
    }

    /// This dimension in the coordinates of a basis.
    pub(crate) fn turn<M: Matrix>(self, x: &M, basis: &M) -> M {
        basis.transpose().times(&self.spread(x)).reshape(x.dims())
    }

    /// The same dimension back in its own coordinates.
    pub(crate) fn turn_back<M: Matrix>(self, x: &M, basis: &M) -> M {
        basis.times(&self.spread(x)).reshape(x.dims())
    }

    /// `G Gᵀ`, where the rows of `G` are this dimension, and its columns all others.
    pub(crate) fn gram<M: Matrix>(self, x: &M) -> M {
        self.spread(x).gram().sum(0)
    }

    /// Each index times its number.
    pub(crate) fn weigh<M: Matrix>(self, x: &M, by: &M) -> M {
        (self.spread(x) * by.reshape([1, self.size, 1])).reshape(x.dims())
    }
}

/// A tensor in the coordinates of all bases; `kept` are factors and bases in turn.
pub(crate) fn turn_all<M: Matrix>(x: M, sides: &[Side], kept: &[M]) -> M {
    let pairs = sides.iter().zip(kept.chunks_exact(2));
    pairs.fold(x, |x, (side, kept)| side.turn(&x, &kept[1]))
}

/// The same tensor back in its own coordinates.
pub(crate) fn turn_all_back<M: Matrix>(x: M, sides: &[Side], kept: &[M]) -> M {
    let pairs = sides.iter().zip(kept.chunks_exact(2));
    pairs.fold(x, |x, (side, kept)| side.turn_back(&x, &kept[1]))
}

/// Brings the factors forward by the `G Gᵀ` of a tensor.
pub(crate) fn average<M: Matrix>(x: &M, sides: &[Side], kept: &mut [M], beta: f64) {
    for (side, pair) in sides.iter().zip(kept.chunks_exact_mut(2)) {
        pair[0] = side.gram(x).averaged_with(&pair[0], beta);
    }
}

/// The bases become those of the eigenvectors of their factors. What has none keeps its basis.
pub(crate) fn decompose<M: Matrix>(kept: &mut [M], at: &Whole) {
    for pair in kept.chunks_exact_mut(2) {
        if let Some(eigen) = at.refreshed(Eigen::of(&pair[0])) {
            pair[1] = eigen.vectors;
        }
    }
}

/// The bases come closer to those of the eigenvectors of their factors, by one step of an iteration.
pub(crate) fn follow<M: Matrix>(kept: &mut [M], lift: f64, at: &Whole) {
    for pair in kept.chunks_exact_mut(2) {
        if let Some(basis) = at.refreshed(iterate(&pair[0], &pair[1], lift)) {
            pair[1] = basis;
        }
    }
}
