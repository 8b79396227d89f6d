//! In steady state a step allocates nothing that grows with the tensor.

use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Shape, Tensor};
use burn_descent::{
    Adafactor, AdamW, Build, Descent, Ema, Fused, FusedState, Lookahead, Muon, NewtonSchulz, Place,
    Transform, registry::ROWS,
};
use burn_descent_engine::Deferred;
use burn_descent_tests::allocation::{Counting, allocated, held};
use burn_descent_tests::devices;
use burn_descent_tests::features::representatives;
use burn_descent_tests::model::Model;

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
    an_optimizer_that_is_dropped_is_gone();
    a_walk_with_everything_on_does_not_either();
    muon_allocates_what_newton_schulz_needs();
    // Tensors of 2 KB and of 560 KB, which all threads share. Bookkeeping, burn's and ours, is 1 KB for each of a step's
    // (parameter, gradient, states), and 2 KB where rayon's queue of tasks takes a new block.
    let (small, large) = (512, 140_000);
    let mut checked = 0;
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        let Ok(device) = entry.device else { continue };
        // Those by which all are represented: a step allocates by the form of a rule, not by its formula.
        let chosen = representatives(ROWS);
        for row in ROWS.iter().filter(|row| chosen.contains(row.name)) {
            let optimizer = row.build(&[]).expect("defaults are allowed");
            if !optimizer.steps_alone() {
                continue;
            }
            // What sees rows and columns in a vector has as many sums and states of one kind as it has numbers.
            if optimizer.look(&Shape::new([small]), DType::F32, Place::default()).view.is_some() {
                continue;
            }
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

/// `Descent` with an average, clipping of every kind, centralisation, micro-batches and Lookahead between its
/// meetings: what a window of two micro-batches allocates, without their gradients.
fn a_walk_with_everything_on_does_not_either() {
    let window = |device: &Device, dims: [usize; 2]| {
        let mut model = Model::ones(&[dims, dims], device);
        let builder = Descent::builder(AdamW::new().build().expect("defaults are allowed"));
        let builder = builder.lr(1e-3).average(Ema::new(0.99)).accumulate(2).clip_norm(1.0);
        let builder = builder.clip_value(0.5).transform(Transform::clip_adaptive(0.01));
        let builder =
            builder.transform(Transform::centralize()).lookahead(Lookahead::new().k(1000));
        let mut descent = builder.build(&model).expect("it fits");
        let mut bytes = 0;
        for batch in 0..8 {
            let mut gradients = GradientsParams::new();
            for param in &model.tensors {
                gradients.register(param.id, Tensor::<2>::full(dims, 0.5, (device, DType::F32)));
            }
            let before = allocated();
            (model, _) = descent.step(model, gradients).expect("a good step");
            bytes = if batch >= 6 { bytes + allocated() - before } else { 0 };
        }
        bytes
    };
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        let Ok(device) = entry.device else { continue };
        window(&device, [600, 500]); // starts rayon's threads
        let (small, large) = (window(&device, [16, 32]), window(&device, [600, 500]));
        // The sums of rows take a few numbers for each row and block of columns, of the 1.2 MB of a tensor.
        assert!(large < small + 300_000, "{}: {small} and {large} bytes", entry.name);
    }
}

/// Tensor operations make new tensors: numbers that a step of a matrix of `n` x `m`, `n` the smaller, asks for, as
/// docs/matrices.md says.
fn muon_allocates_what_newton_schulz_needs() {
    let numbers = |n: usize, m: usize, steps: u64| {
        let newton_schulz = NewtonSchulz::new().steps(steps);
        let muon = Muon::new().newton_schulz(newton_schulz).build().expect("it is allowed");
        let tensor = || Tensor::<2>::ones([n, m], &Device::flex());
        let (mut at, mut bytes) = ((tensor(), None), 0);
        for _ in 0..3 {
            let gradient = tensor();
            let before = allocated();
            let (tensor, state) = muon.try_step(0.01, at.0, gradient, at.1).expect("a good step");
            bytes = allocated() - before;
            at = (tensor, Some(state));
        }
        bytes / 4
    };
    for (n, m) in [(64, 64), (64, 512), (128, 512)] {
        numbers(n, m, 5); // starts rayon's threads
        let (of_five, of_six) = (numbers(n, m, 5), numbers(n, m, 6));
        let each = of_six - of_five;
        assert!(each <= 3 * n * m + 4 * n * n + 1500, "{n} x {m}: {each} for each step");
        let beside = of_five - 5 * each;
        assert!(beside <= 5 * n * m + 3000, "{n} x {m}: {beside} beside");
    }
}

/// Its code, its forms with other options, and those for other kinds of tensors.
fn an_optimizer_that_is_dropped_is_gone() {
    let device = Device::default();
    let make = || {
        let adafactor = Adafactor::new().build().expect("defaults are allowed");
        let other = adafactor.with(&[("beta1", "0.9")]).expect("it is allowed");
        for optimizer in [adafactor, other] {
            optimizer.start(&Tensor::<1>::ones([3], &device));
            optimizer.start(&Tensor::<2>::ones([3, 3], &device));
        }
    };
    make();
    let ((), bytes) = held(|| (0..10).for_each(|_| make()));
    assert_eq!(bytes, 0, "that nobody can reach");
}
