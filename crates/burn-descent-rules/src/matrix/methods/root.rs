//! Roots of matrices.

use super::Eigen;
use crate::Matrix;

/// What is done to eigenvalues before the root.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ridge {
    /// None is less: what rounding has made of the least.
    pub(crate) least: f64,
    /// Added to them all, after what is less than 0 is brought to 0.
    pub(crate) added: f64,
    /// The same as a share of the greatest.
    pub(crate) share: f64,
}

/// A power, less than 0, of symmetric matrices whose eigenvalues are not negative. Those that are 0 stay so. `None` if
/// the decomposition fails, or where a number is not finite.
pub(crate) fn inverse_root<M: Matrix>(of: &M, power: f64, ridge: Ridge) -> Option<M> {
    let Eigen { values, vectors } = Eigen::of(of)?;
    let [_, _, size] = values.dims();
    let mut numbers = values.read();
    for values in numbers.chunks_mut(size.max(1)) {
        let (greatest, least) = (values[0].max(0.0), values[size - 1].min(0.0));
        for value in values {
            let above = (*value - least).max(ridge.least) + ridge.added + ridge.share * greatest;
            *value = if above > 0.0 { above.powf(power) } else { 0.0 };
        }
    }
    let roots = values.with(values.dims(), numbers);
    Some((vectors.clone() * roots).times(&vectors.transpose()))
}

/// The square roots of positive definite matrices, and the inverse ones, by products alone (Newton, Denman, Beavers):
/// `Y = A / s`, `Z = 1`, then `E = (3 − Z Y) / 2`, `Y ← Y E`, `Z ← E Z` so many times. `s`, one a matrix, is more than a
/// third of the greatest eigenvalue.
pub(crate) fn square_roots<M: Matrix>(of: &M, scale: &M, steps: u64) -> [M; 2] {
    let [_, size, _] = of.dims();
    let identity = of.identity(size);
    let (mut y, mut z) = (of.clone() / scale.clone(), identity.clone());
    for _ in 0..steps {
        let e = identity.clone().scale(1.5) - z.times(&y).scale(0.5);
        (y, z) = (y.times(&e), e.times(&z));
    }
    let root = scale.clone().sqrt();
    [y * root.clone(), z / root]
}
