//! The noise of a gradient is the same bits on every engine, for any number of threads, and goes on
//! where it was.

use burn::tensor::{DType, Device, Tensor};
use burn_descent::rules::chain::Noisy;
use burn_descent::rules::{Rule, slices::Walk};
use burn_descent::{Build, Fused, Place, Sgd};
use burn_descent_conformance::{Way, ways};
use burn_descent_tests::devices;

fn noisy<U: Rule>(rule: U) -> Noisy<U> {
    Noisy::new(rule).eta(0.5).seed(11)
}

/// Steps down gradients of zero from weights of zero: each weight is its noise alone.
fn noise<const D: usize>(
    optimizer: &Fused,
    device: &Device,
    dtype: DType,
    shape: [usize; D],
    lay: Way<D>,
) -> Vec<f64> {
    let zeros = || lay(Tensor::zeros(shape, (device, dtype)));
    let mut state = optimizer.start_as(&zeros(), Place { stream: 5, ..Place::default() });
    let mut p = zeros();
    for _ in 0..2 {
        p = optimizer.advance(1.0, zeros(), zeros(), &mut state).expect("a good step");
    }
    p.into_data().iter::<f64>().collect()
}

/// The same by plain slices.
fn oracle<R: burn_descent::rules::Real + Into<f64>>(len: usize) -> Vec<f64> {
    let zeros = vec![R::lit(0.0); len];
    let mut walk = Walk::new(noisy(Sgd::new()), len).expect("it is allowed").stream(5);
    let mut p = zeros.clone();
    for _ in 0..2 {
        p = zeros.clone();
        walk.step(1.0, &mut p, &zeros).expect("a good step");
    }
    p.into_iter().map(Into::into).collect()
}

/// Every device with its name.
fn all() -> impl Iterator<Item = (&'static str, Device)> {
    devices::all().into_iter().filter_map(|entry| Some((entry.name, entry.device.ok()?)))
}

#[test]
fn engines_and_threads_draw_the_same_bits() {
    for len in [1, 37, 64, 300_007] {
        draw_the_same_bits([len], |tensor| tensor);
    }
}

/// The number is that of the place in the tensor, not in its buffer, in which rows may be padded.
#[test]
fn the_number_is_that_of_the_place_in_the_tensor() {
    ways().into_iter().for_each(|(_, lay)| draw_the_same_bits([3, 5], lay));
    ways().into_iter().for_each(|(_, lay)| draw_the_same_bits([16, 257], lay));
    ways().into_iter().for_each(|(_, lay)| draw_the_same_bits([8, 4, 3, 3], lay));
}

fn draw_the_same_bits<const D: usize>(shape: [usize; D], lay: Way<D>) {
    let optimizer = noisy(Sgd::new()).build().expect("it is allowed");
    let len = shape.iter().product();
    for (name, device) in all() {
        for (dtype, expected) in
            [(DType::F32, oracle::<f32>(len)), (DType::F64, oracle::<f64>(len))]
        {
            if !device.supports_dtype(dtype) {
                continue;
            }
            for threads in [1, 2, 3, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let found =
                    pool.expect("a pool").install(|| noise(&optimizer, &device, dtype, shape, lay));
                assert!(found == expected, "{name} {dtype:?} {shape:?}, {threads} threads");
            }
            let found = noise(&optimizer.clone().portable(), &device, dtype, shape, lay);
            assert!(found == expected, "{name} {dtype:?} {shape:?} by tensor operations");
        }
    }
}

/// Half precision is widened in pieces: they know where they are.
#[test]
fn half_precision_draws_the_numbers_of_f32() {
    let optimizer = noisy(Sgd::new()).build().expect("it is allowed");
    let expected = oracle::<f32>(1500);
    for (name, device) in all().filter(|(_, device)| device.supports_dtype(DType::BF16)) {
        for (found, expected) in
            noise(&optimizer, &device, DType::BF16, [1500], |tensor| tensor).iter().zip(&expected)
        {
            assert!((found - expected).abs() <= 0.004 * expected.abs(), "{name}: {found}");
        }
    }
}

#[test]
fn parameters_have_numbers_of_their_own_and_keep_them() {
    let optimizer = noisy(Sgd::new()).build().expect("it is allowed");
    let device = all().next().expect("a device").1;
    let zeros = || Tensor::<1>::zeros([100], &device);
    let step = |state| {
        let (p, state) = optimizer.try_step(1.0, zeros(), zeros(), state).expect("a good step");
        (p.into_data().iter::<f64>().collect::<Vec<_>>(), Some(state))
    };
    let ((a, of_a), (b, _)) = (step(None), step(None));
    assert!(a.iter().zip(&b).filter(|(a, b)| a == b).count() < 5);
    // The state of the first goes on in a copy of the optimizer that has started nothing.
    let fresh = noisy(Sgd::new()).build().expect("it is allowed");
    let resumed = fresh.try_step(1.0, zeros(), zeros(), of_a.clone()).expect("a good step").0;
    let resumed: Vec<f64> = resumed.into_data().iter().collect();
    assert!(resumed == step(of_a).0 && resumed != a);
}
