//! The engines compute the same.

use crate::{Subject, bits, spoil_memory, values};
use burn::tensor::{DType, Tensor, TensorData};
use burn_descent::{Fused, FusedState, Place};

/// The engine of the device and plain tensor operations agree, for every option.
pub(crate) fn engines_agree(subject: &Subject) {
    for (variant, optimizer) in subject.variants() {
        agree(subject, &variant, &optimizer, [5, 13]);
    }
}

/// They agree where a device pads rows and vectors, in memory that is full of what others have left;
/// and what lies beside them stays as it is.
pub(crate) fn padding(subject: &Subject) {
    let optimizer = subject.optimizer();
    for length in [5, 257, 300, 320, 640, 1088] {
        agree(subject, &format!("{length} elements"), &optimizer, [length]);
    }
    agree(subject, "128 rows of 10", &optimizer, [128, 10]);
    agree(subject, "3 rows of 5", &optimizer, [3, 5]);
    agree(subject, "16 rows of 257", &optimizer, [16, 257]);
    agree(subject, "columns", &optimizer, [4, 1, 3]);
    agree(subject, "a convolution", &optimizer, [8, 4, 3, 3]);
}

fn agree<const D: usize>(subject: &Subject, what: &str, optimizer: &Fused, shape: [usize; D]) {
    // Before the first walk: noise is another in each.
    let portable = optimizer.clone().portable();
    let start = || subject.tensor::<D>(1, shape);
    spoil_memory(&subject.device);
    let (mut fast, mut neighbours) = ((start(), None), Vec::new());
    for t in 0..4 {
        fast = subject.walk(optimizer, fast.0, fast.1, t..t + 1);
        let lengths = [128, shape.iter().product()];
        neighbours.extend(
            lengths.map(|length| Tensor::<1>::full([length], 7.0, (&subject.device, DType::F32))),
        );
    }
    let (plain, plain_state) = subject.walk(&portable, start(), None, 0..4);
    subject.assert_close(what, &fast.0, &plain);
    let states = |state: Option<FusedState>| {
        let tensors = state.expect("there is one after a step").tensors();
        let tensor = |data: TensorData| {
            let dtype = data.dtype();
            Tensor::<D>::from_data(data, (&subject.device, dtype))
        };
        tensors.into_iter().map(tensor).collect::<Vec<_>>()
    };
    let names = optimizer.state_names();
    let pairs = states(fast.1).into_iter().zip(states(plain_state));
    for (name, (fast, plain)) in names.into_iter().zip(pairs) {
        subject.assert_close(&format!("{what}: state {name}"), &fast, &plain);
    }
    let stay = neighbours.iter().all(|tensor| values(tensor).iter().all(|x| *x == 7.0));
    assert!(stay, "{what}: a tensor of somebody else has changed");
}

/// Any number of threads gives the same bits.
pub(crate) fn threads(subject: &Subject) {
    let walk = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let optimizer = subject.optimizer();
            let vector = subject.tensor::<1>(1, [300_007]);
            // Products and eigenvectors take long in a build for tests.
            let shape = if subject.candidate.sees_whole() { [97, 31] } else { [613, 491] };
            let matrix = subject.tensor::<2>(1, shape);
            let vector = bits(&subject.walk(&optimizer, vector, None, 0..2).0);
            [vector, bits(&subject.walk(&optimizer, matrix, None, 0..2).0)]
        })
    };
    let one = walk(1);
    for threads in [2, 3, 8] {
        assert!(walk(threads) == one, "{threads} threads differ from one");
    }
}

/// Thirty steps of a matrix and of a kernel end in one place on every device, whose products and factorisations are
/// its own.
pub(crate) fn devices_agree(subject: &Subject) {
    let optimizer = subject.optimizer();
    // A square matrix: of one that is oblong the first factor has directions that rounding decides.
    let end = |subject: &Subject| {
        (thirty(subject, &optimizer, [8, 8]), thirty(subject, &optimizer, [4, 3, 2, 2]))
    };
    let (matrix, kernel) = end(subject);
    for (device, exactness) in &subject.others {
        let there = Subject { device: device.clone(), exactness: *exactness, ..subject.clone() };
        if there.multiplies_in_tf32() {
            continue;
        }
        let (of_matrix, of_kernel) = end(&there);
        let here = &subject.device;
        subject.assert_within(1e-4, "a matrix", &of_matrix.to_device(here), &matrix);
        subject.assert_within(1e-4, "a kernel", &of_kernel.to_device(here), &kernel);
    }
}

/// With the same random numbers each time.
fn thirty<const D: usize>(subject: &Subject, optimizer: &Fused, shape: [usize; D]) -> Tensor<D> {
    let start = subject.tensor::<D>(1, shape);
    let state = optimizer.start_as(&start, Place::default());
    subject.walk(optimizer, start, Some(state), 0..30).0
}
