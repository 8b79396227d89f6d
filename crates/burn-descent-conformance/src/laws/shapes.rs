//! Tensors of every shape.

use crate::Subject;
use crate::subject::step;
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
    let sees_rows = subject
        .optimizer()
        .look(&Shape::new([2, 2]), subject.dtype, Place::default())
        .view
        .is_some();
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

/// A matrix of inputs × outputs, as burn's `Linear` has it, walks as its transpose does, of outputs × inputs:
/// weights and states, in heads or not, and wherever the transpose lies in memory.
pub(crate) fn layout(subject: &Subject) {
    let optimizer = subject.optimizer();
    for (outputs, inputs, heads) in [(5, 13, 0), (37, 20, 0), (128, 64, 0), (128, 64, 4)] {
        let gradient = |t: u64| subject.tensor::<2>(1000 + t, [outputs, inputs]);
        let start = || subject.tensor::<2>(1, [outputs, inputs]);
        let walk = |by_columns: bool, turn: fn(Tensor<2>) -> Tensor<2>| {
            let mut at = turn(start());
            let place = Place { by_columns, heads, ..Place::default() };
            let mut state = optimizer.start_as(&at, place);
            for t in 0..3 {
                let gradient = turn(gradient(t));
                (at, state) = step(&optimizer, subject.lr(), at, gradient, Some(state));
            }
            let states = state.tensors().into_iter().zip(optimizer.state_names());
            let coarse = states.filter(|(data, _)| data.num_elements() < outputs * inputs);
            let coarse = coarse.map(|(data, name)| (name, data.iter::<f64>().collect::<Vec<_>>()));
            (at, coarse.collect::<Vec<_>>())
        };
        // A transpose in memory of its own.
        let turned: fn(Tensor<2>) -> Tensor<2> = |tensor| {
            let (data, device) = (tensor.clone().transpose().into_data(), tensor.device());
            Tensor::from_data(data, (&device, tensor.dtype()))
        };
        let (plain, states) = walk(false, |tensor| tensor);
        for (how, (linear, turned_states)) in
            [("its transpose", walk(true, turned)), ("a view", walk(true, Tensor::transpose))]
        {
            let what = format!("{outputs} x {inputs} ({heads} heads) and {how}");
            subject.assert_close(&what, &linear.transpose(), &plain);
            let far = |a: &f64, b: &f64| (a - b).abs() > subject.tolerance() * (1.0 + a.abs());
            for ((name, plain), (_, turned)) in states.iter().zip(&turned_states) {
                let differ = plain.iter().zip(turned).any(|(a, b)| far(a, b));
                assert!(!differ && plain.len() == turned.len(), "{what}: state {name}");
            }
        }
    }
}
