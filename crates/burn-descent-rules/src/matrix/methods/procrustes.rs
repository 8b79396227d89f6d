//! The orthogonal Procrustes problem: the rotation after which a matrix is closest to the identity.

use super::{LEAST, subspace_bound};
use crate::{Matrix, Whole};

/// The random vectors by which the size of a rotation is found.
const VECTORS: usize = 32;
/// The longest step. As there is no third term of the exponential, it should be below a quarter.
const LONGEST: f64 = 0.125;

/// One step of `Q` towards the positive definite matrix that is a rotation of it: by `exp(a R)`, to its second order,
/// where `R = (Qᵀ − Q) / |Qᵀ − Q|` and `a` is where the trace of `Q` would be greatest.
pub(crate) fn procrustes<M: Matrix>(q: &M, at: &mut Whole) -> M {
    let r = q.transpose() - q.clone();
    let r = r.clone() / subspace_bound(&r, VECTORS, at).shift(LEAST);
    let first = r.times(q);
    let second = r.times(&first);
    // The traces of `R Q` and `R R Q`.
    let traces = [q, &first].map(|x| (r.clone() * x.transpose()).total());
    let traces = M::join(traces.into(), 2).read();
    let a = match traces[..] {
        [first, second] if second < 0.0 => (-first / second).clamp(0.0, LONGEST),
        _ => LONGEST,
    };
    q.clone() + (first + second.scale(0.5 * a)).scale(a)
}

#[cfg(test)]
mod tests {
    use super::super::subspace::tests::drawing;
    use super::*;
    use crate::matrix::{Dense, Singular};

    fn skewness(q: &Dense<f64>) -> f64 {
        (q.transpose() - q.clone()).norm().read()[0] / q.norm().read()[0]
    }

    #[test]
    fn factors_become_symmetric_and_stay_what_they_are() {
        for seed in 1..10 {
            let mut at = drawing(seed);
            let beside = Dense { dims: [1, 1, 1], numbers: vec![0.0] };
            let x = at.normal(&beside, [1, 5, 5]);
            let mut q = x.identity(5) + x.scale(0.2);
            let before = Singular::of(&q).unwrap().values.read();
            let first = skewness(&q);
            for _ in 0..200 {
                let next = procrustes(&q, &mut at);
                assert!(skewness(&next) < skewness(&q) * (1.0 + 1e-6) + 1e-12, "{seed}");
                q = next;
            }
            assert!(skewness(&q) < 1e-6 * first, "{seed}: {first} to {}", skewness(&q));
            // It is turned, but for the third order of its turns.
            let after = Singular::of(&q).unwrap().values.read();
            let apart = before.iter().zip(&after).map(|(a, b)| (a / b - 1.0).abs());
            assert!(apart.fold(0.0, f64::max) < 0.01, "{before:?} {after:?}");
        }
    }

    #[test]
    fn symmetric_ones_stay() {
        let q = Dense { dims: [1, 2, 2], numbers: vec![2.0, -1.0, -1.0, 3.0] };
        assert_eq!(procrustes(&q, &mut drawing(1)).numbers, q.numbers);
    }
}
