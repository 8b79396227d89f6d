//! Tensors of every shape.

use crate::Subject;
use burn::tensor::{Shape, Tensor};
use burn_descent::Place;

/// Rank 1 to 6 (burn 0.22.1 makes no tensor of rank 0), empty, one element, odd: the elements walk as those of
/// a vector do, unless the rule tells rows from columns.
pub(crate) fn shapes(subject: &Subject) {
    let check = |walked: Tensor<1>| {
        let count = walked.dims()[0];
        let vector = subject.tensor::<1>(1, [count]);
        let vector = subject.walk(&subject.optimizer(), vector, None, 0..3).0;
        subject.assert_same(&format!("{count} elements"), &walked, &vector);
    };
    let sees_rows = subject.optimizer().looks(&Shape::new([2, 2]), Place::default()).1.is_some();
    macro_rules! walk {
        ($($rank:literal: $shape:expr),* $(,)?) => {$({
            let shape: [usize; $rank] = $shape;
            let start = subject.tensor::<$rank>(1, shape);
            let (walked, state) = subject.walk(&subject.optimizer(), start, None, 0..3);
            assert_eq!(walked.dims(), shape);
            assert_eq!(state.map(|state| state.steps()), Some(3));
            if !sees_rows {
                check(walked.flatten(0, $rank - 1));
            }
        })*};
    }
    walk! {
        1: [1], 1: [37], 1: [64], 2: [1, 1], 2: [7, 9], 3: [3, 1, 5], 4: [2, 3, 4, 5],
        5: [1, 2, 3, 2, 1], 6: [2, 1, 2, 1, 3, 1],
    }
    if subject.on_cpu {
        walk! { 1: [0], 2: [4, 0], 3: [0, 2, 3] }
    }
}
