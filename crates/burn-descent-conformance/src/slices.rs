//! Plain slices, element by element, are the oracle of the engines.

use crate::{devices, numbers};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::{Real, Rule, slices::Walk};
use burn_descent::{Build, Fused};

/// An odd number, so that vectors do not divide it.
const LEN: usize = 1003;
const STEPS: u64 = 3;
const LR: f64 = 0.1;

/// Holds every engine on every device that is there against plain slices.
///
/// # Panics
/// Where a weight or a state is another.
pub fn engines_agree_with_slices<U: Rule>(rule: &U) {
    let optimizer = rule.clone().build().unwrap_or_else(|error| panic!("{error}"));
    let oracles = [(DType::F32, oracle::<U, f32>(rule)), (DType::F64, oracle::<U, f64>(rule))];
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        for (dtype, expected) in &oracles {
            if !device.supports_dtype(*dtype) {
                continue;
            }
            for optimizer in [optimizer.clone(), optimizer.clone().portable()] {
                let found = engine(&optimizer, &device, *dtype);
                let what = format!("{} on {} {dtype:?}", U::NAME, entry.name);
                let tolerance = if *dtype == DType::F64 { 1e-14 } else { entry.exactness.steps };
                assert_close(&what, &found, expected, tolerance);
            }
        }
    }
}

/// The weights and states by plain slices.
fn oracle<U: Rule, R: Real + Into<f64>>(rule: &U) -> Vec<Vec<f64>> {
    let cast = |numbers: Vec<f64>| numbers.into_iter().map(R::lit).collect::<Vec<R>>();
    let mut p = cast(numbers(1, LEN));
    let mut walk = Walk::new(rule.clone(), LEN).unwrap_or_else(|error| panic!("{error}"));
    for t in 1..=STEPS {
        walk.step(LR, &mut p, &cast(numbers(10 + t, LEN))).expect("a good rate");
    }
    let widen = |list: &Vec<R>| list.iter().map(|x| (*x).into()).collect();
    core::iter::once(&p).chain(walk.state()).map(widen).collect()
}

/// The weights and states by an engine.
fn engine(optimizer: &Fused, device: &Device, dtype: DType) -> Vec<Vec<f64>> {
    let tensor = |seed| {
        let data = TensorData::new(numbers(seed, LEN), [LEN]);
        Tensor::<1>::from_data(data, (device, dtype))
    };
    let mut p = tensor(1);
    let mut state = optimizer.start_stream(&p, 0);
    for t in 1..=STEPS {
        p = optimizer.advance(LR, p, tensor(10 + t), &mut state).expect("a good step");
    }
    let all = core::iter::once(p.into_data()).chain(state.tensors());
    all.map(|data| data.iter::<f64>().collect()).collect()
}

fn assert_close(what: &str, found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: states");
    for (lane, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{what}: lane {lane}, element {i}: {found}, by plain slices {expected}"
            );
        }
    }
}
