//! Every shape, and every way in which a tensor may lie in memory.

use crate::{Subject, bits};
use burn::tensor::Tensor;

/// Rank 1 to 6 (burn 0.22.1 makes no tensor of rank 0), empty, one element, odd: the elements walk as those of a vector do.
pub(crate) fn shapes(subject: &Subject) {
    let check = |count: usize, walked: Vec<u8>| {
        let vector = subject.tensor::<1>(1, [count]);
        let vector = subject.walk(&subject.optimizer(), vector, None, 0..3).0;
        assert!(walked == bits(&vector), "{count} elements");
    };
    macro_rules! walk {
        ($($rank:literal: $shape:expr),* $(,)?) => {$({
            let shape: [usize; $rank] = $shape;
            let start = subject.tensor::<$rank>(1, shape);
            let (walked, state) = subject.walk(&subject.optimizer(), start, None, 0..3);
            assert_eq!(walked.dims(), shape);
            assert_eq!(state.map(|state| state.steps()), Some(3));
            check(shape.iter().product(), bits(&walked));
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

/// Transposed, sliced and broadcast tensors walk as their contiguous copies do.
pub(crate) fn layouts(subject: &Subject) {
    let transposed = |seed| subject.tensor::<2>(seed, [6, 10]).swap_dims(0, 1);
    let sliced = |seed| subject.tensor::<2>(seed, [12, 6]).slice([1..11, 0..6]);
    let narrow = |seed| subject.tensor::<2>(seed, [10, 9]).slice([0..10, 2..8]);
    let broadcast = |seed| subject.tensor::<2>(seed, [1, 6]).expand([10, 6]);
    let flipped = |seed| subject.tensor::<2>(seed, [10, 6]).flip([0]);
    let dense = |tensor: Tensor<2>| {
        Tensor::<2>::from_data(tensor.into_data(), (&subject.device, subject.dtype))
    };
    let layouts: [(&str, &dyn Fn(u64) -> Tensor<2>); 5] = [
        ("transposed", &transposed),
        ("rows of a larger one", &sliced),
        ("columns of a larger one", &narrow),
        ("broadcast", &broadcast),
        ("flipped", &flipped),
    ];
    let two_steps = |parameter: &dyn Fn() -> Tensor<2>, gradient: &dyn Fn() -> Tensor<2>| {
        let optimizer = subject.optimizer();
        let first = optimizer.try_step(0.1, parameter(), gradient(), None).expect("a step");
        bits(&optimizer.try_step(0.1, first.0, gradient(), Some(first.1)).expect("a step").0)
    };
    for (of_parameter, parameter) in layouts {
        for (of_gradient, gradient) in layouts {
            let strided = two_steps(&|| parameter(1), &|| gradient(2));
            let contiguous = two_steps(&|| dense(parameter(1)), &|| dense(gradient(2)));
            assert!(strided == contiguous, "parameter {of_parameter}, gradient {of_gradient}");
        }
    }
}
