//! States in fewer bytes, and weights of two.

use crate::{Subject, bits, values};
use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{DType, Tensor};
use burn_descent::{Fused, FusedState, Place, Rounding, Store, Weights};

/// Every way to keep states is one walk on every engine and by tensor operations, which a record does not end, near the walk
/// of states that are kept as they are.
pub(crate) fn stores(subject: &Subject) {
    let optimizer = subject.optimizer().keep_small(0);
    for store in [
        Store::Bf16(Rounding::Nearest),
        Store::Bf16(Rounding::Stochastic),
        Store::F16,
        Store::Int8 { block: 32 },
        Store::dynamic8(),
    ] {
        let Ok(kept) = optimizer.clone().keep_all(store) else {
            assert_eq!(
                store,
                Store::F16,
                "what has the range of f32 holds all that a state begins with"
            );
            continue;
        };
        one_walk(subject, &store.to_string(), &kept);
    }
    if subject.dtype == DType::F32 {
        return;
    }
    for weights in [Weights::Stochastic, Weights::Kahan, Weights::Split] {
        let kept = optimizer.clone().keep_weights(weights);
        if kept.check_in(subject.dtype).is_ok() {
            one_walk(subject, &weights.to_string(), &kept);
            let both = kept.keep_all(Store::int8()).expect("it is allowed");
            one_walk(subject, &format!("{weights} beside int8"), &both);
        }
    }
}

/// States that are said to be never less than 0 are not.
pub(crate) fn positive(subject: &Subject) {
    for (variant, optimizer) in subject.variants() {
        let (names, positive) = (optimizer.state_names(), optimizer.positive_states());
        let mut at = (subject.tensor::<1>(1, [60]), None);
        for t in 0..6 {
            at = subject.walk(&optimizer, at.0, at.1, t..t + 1);
            let states = at.1.as_ref().map(FusedState::tensors).unwrap_or_default();
            for (name, state) in names.iter().zip(states) {
                let is_less = state.iter::<f64>().any(|x| x < 0.0);
                assert!(!is_less || !positive.contains(name), "{variant}: {name} is less than 0");
            }
        }
    }
}

fn one_walk(subject: &Subject, what: &str, optimizer: &Fused) {
    for shape in [[3, 5], [40, 33]] {
        let start = || subject.tensor::<2>(1, shape);
        // With the random numbers of one stream.
        let state = |optimizer: &Fused| Some(optimizer.start_as(&start(), Place::default()));
        let (end, of_end) = subject.walk(optimizer, start(), state(optimizer), 0..4);

        let (half, of_half) = subject.walk(optimizer, start(), state(optimizer), 0..2);
        let of_half = read_back(optimizer, &half, of_half.expect("there is one after a step"));
        let (resumed, of_resumed) = subject.walk(optimizer, half, Some(of_half), 2..4);
        assert!(bits(&resumed) == bits(&end), "{what}: a record ends the walk");
        let states = |state: Option<FusedState>| state.map(|state| state.tensors());
        assert!(states(of_resumed) == states(of_end), "{what}: the states are others");

        for (device, _) in subject.others.iter().filter(|(d, _)| d.supports_dtype(subject.dtype)) {
            let there = Subject { device: device.clone(), ..subject.clone() };
            let (half, of_half) = subject.walk(optimizer, start(), state(optimizer), 0..2);
            let moved = of_half.map(|state| Fused::to_device::<2>(state, device));
            let (moved, _) = there.walk(optimizer, half.to_device(device), moved, 2..4);
            let apart = distance(&moved.to_device(&subject.device), &end);
            let way = distance(&end, &start()).max(1e-6);
            assert!(apart < 0.05 * way, "{what}: another device ends {} apart", apart / way);
        }

        // A number that is computed a bit otherwise may be kept as the next one.
        let portable = optimizer.clone().portable();
        let (plain, _) = subject.walk(&portable, start(), state(&portable), 0..4);
        let apart = distance(&end, &plain) / distance(&plain, &start()).max(1e-6);
        assert!(apart < 0.05, "{what}: tensor operations end {apart} of their way apart");
    }
}

fn read_back<const D: usize>(
    optimizer: &Fused,
    parameter: &Tensor<D>,
    state: FusedState,
) -> FusedState {
    let mut sink = StateSink::default();
    state.state_flatten("p", &mut sink);
    let StateSink { tensors, scalars, .. } = sink;
    let mut source = StateSource::new(scalars.into_iter().collect());
    tensors.into_iter().for_each(|(name, data)| source.insert_tensor(name, data));
    let read = FusedState::state_unflatten("p", &mut source, &parameter.device());
    let read = read.expect("a state is never lost");
    assert!(optimizer.fits(&read, parameter));
    read
}

fn distance<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f64 {
    let pairs = values(a).into_iter().zip(values(b));
    pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
