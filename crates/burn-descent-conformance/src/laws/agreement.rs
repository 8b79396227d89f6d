//! The engines compute the same.

use crate::{Subject, bits};
use burn::tensor::{Tensor, TensorData};

/// The engine of the device and plain tensor operations agree, for every option.
pub(crate) fn engines_agree(subject: &Subject) {
    for (variant, optimizer) in subject.variants() {
        let start = || subject.tensor::<2>(1, [5, 13]);
        let portable = optimizer.clone().portable();
        let (fast, fast_state) = subject.walk(&optimizer, start(), None, 0..4);
        let (plain, plain_state) = subject.walk(&portable, start(), None, 0..4);
        subject.assert_close(&variant, &fast, &plain);
        let states = |state: Option<burn_descent::FusedState>| {
            let tensors = state.expect("there is one after a step").tensors();
            let tensor = |data: TensorData| {
                let dtype = data.dtype();
                Tensor::<2>::from_data(data, (&subject.device, dtype))
            };
            tensors.into_iter().map(tensor).collect::<Vec<_>>()
        };
        let names = optimizer.state_names();
        let pairs = states(fast_state).into_iter().zip(states(plain_state));
        for (name, (fast, plain)) in names.into_iter().zip(pairs) {
            subject.assert_close(&format!("{variant}: state {name}"), &fast, &plain);
        }
    }
}

/// Any number of threads gives the same bits.
pub(crate) fn threads(subject: &Subject) {
    let walk = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let start = subject.tensor::<1>(1, [300_007]);
            bits(&subject.walk(&subject.optimizer(), start, None, 0..2).0)
        })
    };
    let one = walk(1);
    for threads in [2, 3, 8] {
        assert!(walk(threads) == one, "{threads} threads differ from one");
    }
}
