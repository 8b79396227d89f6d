//! Plain slices, element by element, are the oracle of the engines.

use crate::subject::{LOSS, step};
use crate::{devices, numbers};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::{Real, Rule, View, slices::Walk};
use burn_descent::{Build, Fused, Place};

/// Odd numbers, so that vectors do not divide them; long and short lines; more than one thread takes; and
/// lines that vectors divide, of which a unit of a GPU takes several.
const SHAPES: [&[usize]; 6] =
    [&[1003], &[13, 77], &[77, 13], &[5, 4, 3, 3], &[401, 401], &[256, 260]];

/// As many elements take one step, for they are many of one kind.
const MANY: usize = 50_000;

/// Heads of outputs; 0 for none.
const HEADS: [u32; 3] = [0, 7, 4];

/// Steps from a state that is no longer that of the start.
fn steps(elements: usize) -> u64 {
    if elements < MANY { 3 } else { 1 }
}

const LR: f64 = 0.1;

/// Holds every engine on every device that is there against plain slices: a vector, matrices of outputs ×
/// inputs and of inputs × outputs, as they are and in heads, and a tensor of more dimensions.
///
/// # Panics
/// Where a weight or a state is another.
pub fn engines_agree_with_slices<U: Rule>(rule: &U) {
    let optimizer = rule.clone().build().unwrap_or_else(|error| panic!("{error}"));
    let places = HEADS.map(|heads| [false, true].map(|by_columns| (by_columns, heads)));
    let places = places.as_flattened().iter();
    let all = SHAPES.iter().flat_map(|shape| places.clone().map(move |place| (*shape, *place)));
    for (shape, (by_columns, heads)) in all {
        let place = Place { by_columns, heads, ..Place::default() };
        let mut view = U::view(shape, by_columns);
        if by_columns && !view.by_columns {
            continue;
        }
        if heads > 0 {
            let seen = optimizer.look(&shape.to_vec().into(), DType::F32, place).view;
            let Some(seen) = seen.filter(|seen| seen.matrices == heads as usize) else { continue };
            view = seen;
        }
        // What is many elements is there for threads, and for sums of many.
        let many = view.len() >= MANY;
        let mut oracles = vec![(DType::F32, oracle::<U, f32>(rule, view))];
        if !many {
            oracles.push((DType::F64, oracle::<U, f64>(rule, view)));
        }
        for entry in devices::all() {
            let Ok(device) = entry.device else { continue };
            for (dtype, expected) in &oracles {
                if !device.supports_dtype(*dtype) {
                    continue;
                }
                let engines =
                    [("own", optimizer.clone()), ("portable", optimizer.clone().portable())];
                let portable = U::SUMS > 0 || !many;
                let engines = engines.into_iter().take(if portable { 2 } else { 1 });
                for (engine_name, optimizer) in engines {
                    let found = match *shape {
                        [a] => engine(&optimizer, &device, *dtype, [a], place),
                        [a, b] => engine(&optimizer, &device, *dtype, [a, b], place),
                        [a, b, c, d] => engine(&optimizer, &device, *dtype, [a, b, c, d], place),
                        _ => unreachable!("a rank of `SHAPES`"),
                    };
                    let what = format!(
                        "{} {shape:?} ({heads} heads) on {}, {engine_name}, {dtype:?}",
                        U::NAME,
                        entry.name
                    );
                    // Sums are in another order, and in f64 on a CPU.
                    let exact = if *dtype == DType::F64 { 1e-13 } else { entry.exactness.steps };
                    let tolerance = if U::SUMS > 0 { 10.0 * exact } else { exact };
                    assert_close(&what, &found, expected, tolerance);
                }
            }
        }
    }
}

/// The weights and states by plain slices.
fn oracle<U: Rule, R: Real + Into<f64>>(rule: &U, view: View) -> Vec<Vec<f64>> {
    let cast = |numbers: Vec<f64>| numbers.into_iter().map(R::lit).collect::<Vec<R>>();
    let mut p = cast(numbers(1, view.len()));
    let mut walk = Walk::of(rule.clone(), view).unwrap_or_else(|error| panic!("{error}"));
    for t in 1..=steps(view.len()) {
        let g = cast(numbers(10 + t, view.len()));
        walk.step_with_loss(LR, LOSS, &mut p, &g).expect("a good rate");
    }
    let widen = |list: &Vec<R>| list.iter().map(|x| (*x).into()).collect();
    core::iter::once(&p).chain(walk.state()).map(widen).collect()
}

/// The weights and states by an engine.
fn engine<const D: usize>(
    optimizer: &Fused,
    device: &Device,
    dtype: DType,
    shape: [usize; D],
    place: Place,
) -> Vec<Vec<f64>> {
    let tensor = |seed| {
        let data = TensorData::new(numbers(seed, shape.iter().product()), shape);
        Tensor::<D>::from_data(data, (device, dtype))
    };
    let mut p = tensor(1);
    let mut state = optimizer.start_as(&p, place);
    for t in 1..=steps(shape.iter().product()) {
        (p, state) = step(optimizer, LR, p, tensor(10 + t), Some(state));
    }
    let all = core::iter::once(p.into_data()).chain(state.tensors());
    all.map(|data| data.iter::<f64>().collect()).collect()
}

fn assert_close(what: &str, found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: states");
    for (lane, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}: numbers in lane {lane}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{what}: lane {lane}, element {i}: {found}, by plain slices {expected}"
            );
        }
    }
}
