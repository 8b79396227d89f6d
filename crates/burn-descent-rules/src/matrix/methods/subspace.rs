//! How large a matrix is at least, by a few random vectors.

use crate::{Matrix, Whole};

/// Added to what is divided by, so that zeros stay zeros.
pub(crate) const LEAST: f64 = 1e-30;

/// A bound from below of the largest singular value of a square matrix that is symmetric or skew: the longest of `count`
/// random vectors, turned towards the longest row, after four products with the matrix, whose largest number is 1 then.
pub(crate) fn subspace_bound<M: Matrix>(a: &M, count: usize, at: &mut Whole) -> M {
    let [_, _, size] = a.dims();
    let largest = a.clone().abs().greatest(2).greatest(1).shift(LEAST);
    let a = a.clone() / largest.clone();
    let v = at.normal(&a, [1, count, size]);
    let row = a.narrow(1, longest(&a), 1);
    let side = v.times(&row.transpose()).sign();
    let mut v = row + side * v;
    for _ in 0..2 {
        v = v.times(&a);
        v = v.clone() / lengths(&v).shift(LEAST);
        v = v.times(&a);
    }
    largest * lengths(&v).greatest(1)
}

/// The lengths of rows.
fn lengths<M: Matrix>(x: &M) -> M {
    (x.clone() * x.clone()).sum(2).sqrt()
}

/// The place of the longest row, the first of them.
fn longest<M: Matrix>(x: &M) -> usize {
    let lengths = lengths(x).read();
    let by_length = |a: &usize, b: &usize| lengths[*a].total_cmp(&lengths[*b]);
    (0..lengths.len()).rev().max_by(by_length).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::View;
    use crate::matrix::{Dense, Random, Singular};
    use crate::noise::Draw;
    use std::sync::Arc;

    /// Where nothing is asked but random numbers.
    pub(crate) fn drawing(seed: u64) -> Whole {
        let random = Random { draw: Some(Draw::new(seed, 1, 0)), ..Random::default() };
        let (view, dims) = (View::vector(1), vec![1]);
        Whole {
            number: 0,
            t: 1,
            lr: 0.1,
            view,
            dims,
            memory: vec![],
            random,
            failed: Arc::default(),
        }
    }

    #[test]
    fn it_is_close_below_the_largest_singular_value() {
        for seed in 1..40 {
            let mut at = drawing(seed);
            let x = at.normal(&Dense { dims: [1, 1, 1], numbers: vec![0.0] }, [1, 6, 6]);
            for (a, count) in [(x.gram(), 4), (x.transpose() - x, 32)] {
                let exact = Singular::of(&a).unwrap().values.read()[0];
                let share = subspace_bound(&a, count, &mut at).read()[0] / exact;
                assert!(share > 0.8 && share < 1.0 + 1e-12, "{seed} {count}: {share}");
            }
        }
    }

    #[test]
    fn zeros_are_of_size_zero() {
        let zeros = Dense { dims: [1, 3, 3], numbers: vec![0.0_f32; 9] };
        assert_eq!(subspace_bound(&zeros, 4, &mut drawing(1)).read(), [0.0]);
    }
}
