//! A Kronecker product `Q₁ ⊗ Q₂ ⊗ …` that whitens gradients: what [`Kron`](crate::Kron) and [`PsgdPro`](crate::PsgdPro)
//! learn.

use crate::matrix::{solve_right_upper, spectral_bound};
use crate::{Keep, Matrix, Start};

/// A factor for each axis of a tensor: a square matrix, or a diagonal in a column.
pub(super) struct Factors<'a, M> {
    /// The dimensions of the tensor.
    pub(super) axes: &'a [usize],
    pub(super) q: &'a mut [M],
}

impl<M: Matrix> Factors<'_, M> {
    /// `x` with the dimension of an axis in rows.
    fn seen(&self, axis: usize, x: &M) -> M {
        let before: usize = self.axes[..axis].iter().product();
        let after: usize = self.axes[axis + 1..].iter().product();
        x.reshape([before, self.axes[axis], after])
    }

    /// `x` after `f` with the factor of one axis after the other.
    fn along(&self, x: &M, f: impl Fn(&M, M) -> M) -> M {
        let step = |x: M, (axis, q): (usize, &M)| f(q, self.seen(axis, &x));
        self.q.iter().enumerate().fold(x.clone(), step).reshape(x.dims())
    }

    /// `Q₁ᵀ Q₁ x Q₂ᵀ Q₂`.
    pub(super) fn whiten(&self, x: &M) -> M {
        let half = self.along(x, |q, x| apply(q, &x));
        self.along(&half, |q, x| match is_diagonal(q) {
            true => apply(q, &x),
            false => q.transpose().times(&x),
        })
    }

    /// The sums of the products of `x` with itself over all axes but one; squares alone where its factor is diagonal.
    pub(super) fn covariance(&self, axis: usize, x: &M) -> M {
        let x = self.seen(axis, x);
        if is_diagonal(&self.q[axis]) { squares(x) } else { x.gram().sum(0) }
    }

    /// Brings upper triangular factors forward with a gradient and random numbers of deviation 1. They stay where numbers
    /// overflow, which is `None`.
    pub(super) fn descend(self, g: &M, v: &M, lr: f64) -> Option<()> {
        let a = self.along(g, |q, x| apply(q, &x));
        let b = self.along(v, |q, x| if is_diagonal(q) { x / q.clone() } else { divide(x, q) });
        let step = |(axis, q): (usize, &M)| {
            let (a, b) = (self.covariance(axis, &a), self.covariance(axis, &b));
            let (less, all) = (a.clone() - b.clone(), a + b);
            let bound = match is_diagonal(q) {
                true => all.greatest(1).read().first().copied(),
                false => spectral_bound(&all),
            };
            let bound = bound.filter(|bound| bound.is_finite() && *bound > 0.0)?;
            let less = if is_diagonal(q) { less } else { less.clone() * upper(&less) };
            Some(q.clone() - apply(&less.scale(lr / bound), q))
        };
        let new: Option<Vec<M>> = self.q.iter().enumerate().map(step).collect();
        self.q.clone_from_slice(&new?);
        balance(self.q);
        Some(())
    }
}

/// The factor of an axis before the first step: so many times the identity.
pub(super) fn start(axis: usize, size: usize, is_diagonal: bool, scale: f64) -> Keep {
    let (dims, start) = match is_diagonal {
        true => ([1, size, 1], Start::Full(scale)),
        false => ([1, size, size], Start::Diagonal(scale)),
    };
    Keep { name: format!("q{}", axis + 1), dims, start }
}

/// A step whose root mean square is this at most.
pub(super) fn limited<M: Matrix>(u: M, most: f64) -> M {
    let count: usize = u.dims().iter().product();
    let mean = (u.clone() * u.clone()).total().scale(1.0 / count as f64);
    u / mean.sqrt().shift(1e-12).scale(1.0 / most).at_least(1.0)
}

/// Is it the diagonal alone, in a column?
pub(super) fn is_diagonal<M: Matrix>(q: &M) -> bool {
    q.dims()[2] == 1
}

/// `q x`.
pub(super) fn apply<M: Matrix>(q: &M, x: &M) -> M {
    if is_diagonal(q) { q.clone() * x.clone() } else { q.times(x) }
}

/// `q⁻ᵀ x`.
fn divide<M: Matrix>(x: M, q: &M) -> M {
    let [before, size, after] = x.dims();
    let lines = x.transpose().reshape([1, before * after, size]);
    solve_right_upper(&lines, q).reshape([before, after, size]).transpose()
}

/// The sums of squares of rows.
fn squares<M: Matrix>(x: M) -> M {
    (x.clone() * x).sum(2).sum(0)
}

/// One on and above the diagonal, zero below.
fn upper<M: Matrix>(beside: &M) -> M {
    let [_, size, _] = beside.dims();
    let one = |place: usize| f64::from(u8::from(place / size <= place % size));
    beside.with([1, size, size], (0..size * size).map(one).collect())
}

/// Factors with the same largest number, and the same product.
pub(super) fn balance<M: Matrix>(q: &mut [M]) {
    let largest = q.iter().map(|q| q.clone().abs().greatest(2).greatest(1)).collect();
    let logs: Vec<f64> = M::join(largest, 2).read().into_iter().map(f64::ln).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    for (q, log) in q.iter_mut().zip(logs) {
        *q = q.clone().scale((mean - log).exp());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Dense;
    use crate::noise::Draw;

    const AXES: [usize; 2] = [4, 3];

    fn normal(t: u64) -> Dense<f64> {
        let draw = Draw::new(5, t, 0);
        Dense { dims: [1, 4, 3], numbers: (0..12).map(|place| draw.normal(place)).collect() }
    }

    fn identity() -> [Dense<f64>; 2] {
        AXES.map(|size| normal(0).identity(size))
    }

    #[test]
    fn diagonals_stay_positive_whatever_the_gradient_is() {
        for size in [0.0, 1e-30, 1.0, 1e30, 1e200] {
            let mut q = identity();
            for t in 1..=100 {
                // Of one direction only, which changes now and then.
                let g = normal(t / 20).narrow(1, 0, 1).scale(size) * normal(1).narrow(2, 0, 1);
                let _ = Factors { axes: &AXES, q: &mut q }.descend(&g, &normal(t), 0.9);
                for q in &q {
                    let side = q.dims[1];
                    let diagonal: Vec<f64> = q.numbers.iter().step_by(side + 1).copied().collect();
                    assert!(
                        diagonal.iter().all(|x| *x > 0.0 && x.is_finite()),
                        "{size} {t}: {q:?}"
                    );
                    let below = |place: &usize| place / side > place % side;
                    assert!((0..side * side).filter(below).all(|place| q.numbers[place] == 0.0));
                }
            }
        }
    }

    #[test]
    fn gradients_become_white() {
        let mut q = identity();
        let colour = |t: u64| {
            let sizes = normal(0).with([1, 4, 1], vec![10.0, 3.0, 1.0, 0.3]);
            normal(t) * sizes
        };
        let count = 2000;
        for t in 1..=count {
            let lr = 0.3 * (1.0 - t as f64 / (count + 1) as f64);
            let factors = Factors { axes: &AXES, q: &mut q };
            assert!(factors.descend(&colour(t), &normal(t + count), lr).is_some());
        }
        let mut mean = [0.0; 4];
        for t in 1..=500 {
            let white = Factors { axes: &AXES, q: &mut q }.whiten(&colour(t + 2 * count));
            let rows = squares(white);
            mean.iter_mut().zip(&rows.numbers).for_each(|(mean, x)| *mean += x / 1500.0);
        }
        assert!(mean.iter().all(|mean| (0.5..2.0).contains(mean)), "{mean:?}");
    }
}
