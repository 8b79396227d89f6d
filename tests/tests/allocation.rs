//! In steady state a step allocates nothing that grows with the tensor.

use burn::tensor::{DType, Device, Tensor};
use burn_descent::{Fused, FusedState, registry::ROWS};
use burn_descent_engine::Deferred;
use burn_descent_tests::allocation::{Counting, allocated};
use burn_descent_tests::devices;

#[global_allocator]
static COUNTING: Counting = Counting;

/// A way to take a step.
type Step = fn(&Fused, Tensor<1>, Tensor<1>, Option<FusedState>) -> (Tensor<1>, FusedState);

/// At once, and put off.
const STEPS: [Step; 2] = [
    |optimizer, tensor, gradient, state| {
        optimizer.try_step(0.01, tensor, gradient, state).expect("a good step")
    },
    |optimizer, tensor, gradient, state| {
        let state = state.unwrap_or_else(|| optimizer.start(&tensor));
        let mut step = [optimizer.defer(0.01, tensor, gradient, state).expect("a good step")];
        Deferred::run(&mut step);
        let [step] = step;
        step.finish()
    },
];

/// Bytes that the fourth step allocates.
fn bytes_of_a_step(
    step: Step,
    optimizer: &Fused,
    device: &Device,
    dtype: DType,
    len: usize,
) -> usize {
    let tensor = || Tensor::<1>::ones([len], (device, dtype));
    let step = |(tensor, state): (Tensor<1>, Option<FusedState>), gradient| {
        let (tensor, state) = step(optimizer, tensor, gradient, state);
        (tensor, Some(state))
    };
    let mut at = (tensor(), None);
    for _ in 0..3 {
        at = step(at, tensor());
    }
    let gradient = tensor();
    let before = allocated();
    at = step(at, gradient);
    let bytes = allocated() - before;
    drop(at);
    bytes
}

/// One test, for the counter counts all threads.
#[test]
fn a_step_allocates_nothing_that_grows_with_the_tensor() {
    // Tensors of 2 KB and of 1.2 MB. Bookkeeping, burn's and ours, is 1 KB for each of a step's
    // (parameter, gradient, states), and 2 KB where rayon's queue of tasks takes a new block.
    let (small, large) = (512, 300_000);
    let mut checked = 0;
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        let Ok(device) = entry.device else { continue };
        for row in &ROWS {
            let optimizer = row.build(&[]).expect("defaults are allowed");
            let bookkeeping = 1024 * (2 + row.state().len()) + 2048;
            for (name, dtype) in devices::DTYPES {
                if !device.supports_dtype(dtype) {
                    continue;
                }
                for step in STEPS {
                    let bytes = |len| bytes_of_a_step(step, &optimizer, &device, dtype, len);
                    bytes(large); // starts rayon's threads
                    let (of_small, of_large) = (bytes(small), bytes(large));
                    let subject = format!("{}/{}/{name}", row.name, entry.name);
                    assert!(of_small <= bookkeeping, "{subject}: {of_small} bytes");
                    assert!(of_large <= bookkeeping, "{subject}: {of_large} bytes");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 0, "no CPU backend is compiled in");
}
