//! The largest rows or columns of a matrix, taken out and put back.

use crate::Matrix;

/// Some of the rows or columns of a matrix, along its shorter side.
pub(crate) struct Slices {
    /// The dimension of that side.
    pub(crate) dim: usize,
    /// How long that side is.
    length: usize,
    pub(crate) places: Vec<usize>,
}

impl Slices {
    /// This share of them, one at least, with the greatest sums of absolute values, of equal ones the first. What is
    /// broken comes before all, so that it is seen.
    pub(crate) fn largest<M: Matrix>(x: &M, fraction: f64) -> Self {
        let [_, rows, columns] = x.dims();
        let (dim, length) = if rows <= columns { (1, rows) } else { (2, columns) };
        let sums = x.clone().abs().sum(3 - dim).read().into_iter();
        let sums: Vec<f64> =
            sums.map(|sum| if sum.is_nan() { f64::INFINITY } else { sum }).collect();
        let mut places: Vec<usize> = (0..length).collect();
        places.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        places.truncate(((fraction * length as f64).ceil() as usize).max(1));
        places.sort_unstable();
        Self { dim, length, places }
    }

    /// A matrix of the slices with all others, which are zero. They are NaN where it has a NaN.
    pub(crate) fn put_back<M: Matrix>(&self, x: M) -> M {
        let mut one = x.dims();
        one[self.dim] = 1;
        let rest = x.full(one, 0.0) + x.total().scale(0.0);
        let mut from = vec![self.places.len(); self.length];
        self.places.iter().enumerate().for_each(|(number, place)| from[*place] = number);
        M::join(vec![x, rest], self.dim).pick(self.dim, &from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Dense;

    fn matrix(rows: usize, columns: usize, numbers: &[f64]) -> Dense<f64> {
        Dense { dims: [1, rows, columns], numbers: numbers.to_vec() }
    }

    #[test]
    fn the_largest_slices_of_the_shorter_side_are_taken() {
        let wide = matrix(3, 4, &[1., 1., 1., 1., -9., 0., 0., 0., 2., -2., 2., -2.]);
        let of = |x: &Dense<f64>, fraction| {
            let Slices { dim, places, .. } = Slices::largest(x, fraction);
            (dim, places)
        };
        assert_eq!(of(&wide, 0.25), (1, vec![1]));
        assert_eq!(of(&wide, 0.5), (1, vec![1, 2]));
        assert_eq!(of(&wide, 1.0), (1, vec![0, 1, 2]));
        assert_eq!(of(&wide.transpose(), 0.5), (2, vec![1, 2]));
        // Of a square matrix rows are taken; none is no share; equal ones are taken in order.
        assert_eq!(of(&matrix(2, 2, &[0., 3., 0., -4.]), 0.5), (1, vec![1]));
        assert_eq!(of(&wide, 0.0), (1, vec![1]));
        assert_eq!(of(&matrix(3, 3, &[1.0; 9]), 0.6), (1, vec![0, 1]));
        assert_eq!(of(&matrix(3, 3, &[0.0; 9]), 0.1), (1, vec![0]));
        let broken = matrix(3, 3, &[9., 9., 9., 0., f64::NAN, 0., 1., 1., f64::INFINITY]);
        assert_eq!(of(&broken, 0.6), (1, vec![1, 2]));
    }

    #[test]
    fn slices_come_back_to_their_place() {
        let numbers: Vec<f64> = (0..12).map(|i| (1.0 + i as f64 * 11.9).sin()).collect();
        let x = matrix(3, 4, &numbers);
        for x in [x.clone(), x.transpose()] {
            let chosen = Slices::largest(&x, 0.5);
            let slices = x.pick(chosen.dim, &chosen.places);
            let back = chosen.put_back(slices.clone());
            assert_eq!(back.pick(chosen.dim, &chosen.places).numbers, slices.numbers);
            let zeros = back.numbers.iter().filter(|x| **x == 0.0).count();
            assert_eq!((back.dims, zeros), (x.dims, 4));
        }
    }
}
