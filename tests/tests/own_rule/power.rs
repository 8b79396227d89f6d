//! Every engine raises numbers to powers as exactly as it says, and does the same with 0, infinity and NaN.

use burn::tensor::{DType, Device, Tensor};
use burn_descent::rules::{Over, Real, Rule, fields, options};
use burn_descent::{Build, Fused, Place};
use burn_descent_tests::devices;

options! {
    /// A weight to the power of its gradient.
    struct Raise {}
}

fields! { struct Last { last } }
fields! { struct Rate { lr } }

impl Rule for Raise {
    const NAME: &'static str = "raise";
    type State<R: Copy> = Last<R>;
    type Scalars<R: Copy> = Rate<R>;

    fn start(&self) -> Last<f64> {
        Last { last: 0.0 }
    }
    fn scalars(&self, lr: f64, _t: u64) -> Rate<f64> {
        Rate { lr }
    }
    fn update<R: Real>(p: R, g: R, _: Last<R>, _: Rate<R>, _: &mut impl Over<R>) -> (R, Last<R>) {
        (p.powf(g), Last { last: p })
    }
}

/// Each device with each engine and precision that it has.
fn all() -> Vec<(String, Fused, Device, DType)> {
    let own = Raise {}.build().expect("it is allowed");
    let mut list = Vec::new();
    for (name, device) in devices::all().into_iter().map(|entry| (entry.name, entry.device)) {
        let Ok(device) = device else { continue };
        for dtype in [DType::F32, DType::F64] {
            for (engine, optimizer) in [("own", own.clone()), ("portable", own.clone().portable())]
            {
                if device.supports_dtype(dtype) {
                    let name = format!("{name}, {engine}, {dtype:?}");
                    list.push((name, optimizer, device.clone(), dtype));
                }
            }
        }
    }
    list
}

/// The bases and exponents as they are in a precision, each with its power.
fn raised(
    optimizer: &Fused,
    device: &Device,
    dtype: DType,
    list: &[(f64, f64)],
) -> Vec<(f64, f64, f64)> {
    let tensor = |list: Vec<f64>| Tensor::<1>::from_data(list.as_slice(), (device, dtype));
    let read = |tensor: Tensor<1>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
    let (x, y): (Vec<_>, Vec<_>) = list.iter().copied().unzip();
    let (x, y) = (tensor(x), tensor(y));
    let mut state = optimizer.start_as(&x, Place::default());
    let power = optimizer.advance(1.0, x.clone(), y.clone(), &mut state).expect("a good step");
    let exponents = read(y).into_iter().zip(read(power));
    read(x).into_iter().zip(exponents).map(|(x, (y, power))| (x, y, power)).collect()
}

#[test]
fn powers_are_as_exact_as_they_say() {
    for (name, optimizer, device, dtype) in all() {
        let most = if dtype == DType::F32 { 30.0 } else { 300.0 };
        let part = |i: u32, irrational: f64| (f64::from(i) * irrational.sqrt()).fract();
        let one = |i| (10_f64.powf((2.0 * part(i, 2.0) - 1.0) * most), 4.0 * part(i, 3.0) - 2.0);
        let list: Vec<_> = (0..100_003).map(one).collect();
        let tolerance = match dtype {
            DType::F64 => 1e-13,
            _ if name.contains("portable") => 20.0 * f64::from(f32::EPSILON),
            _ => 4.0 * f64::from(f32::EPSILON),
        };
        let normal = match dtype {
            DType::F64 => f64::MIN_POSITIVE..=f64::MAX,
            _ => f32::MIN_POSITIVE.into()..=f32::MAX.into(),
        };
        for (x, y, power) in raised(&optimizer, &device, dtype, &list) {
            let exact = x.powf(y);
            let error = (power / exact - 1.0).abs();
            assert!(!normal.contains(&exact) || error < tolerance, "{name}: {x:e}^{y} = {power:e}");
        }
    }
}

#[test]
fn edges_are_the_same_everywhere() {
    let (endless, nan) = (f64::INFINITY, f64::NAN);
    let edges = [
        ((0.0, 0.24), 0.0),
        ((0.0, -0.24), endless),
        ((-0.0, 1.0), 0.0),
        ((-0.0, -1.0), endless),
        ((endless, 0.24), endless),
        ((endless, -0.24), 0.0),
        ((0.0, 0.0), 1.0),
        ((0.3, 0.0), 1.0),
        ((endless, 0.0), 1.0),
        ((1.0, 1e30), 1.0),
        ((-1.0, 0.0), nan),
        ((-1.0, 2.0), nan),
        ((-endless, 1.0), nan),
        ((nan, 0.0), nan),
        ((0.0, nan), nan),
        ((1.0, nan), nan),
    ];
    for (name, optimizer, device, dtype) in all() {
        let list = edges.map(|(arguments, _)| arguments);
        for ((x, y, power), (_, expected)) in
            raised(&optimizer, &device, dtype, &list).into_iter().zip(edges)
        {
            let same = power == expected || power.is_nan() && expected.is_nan();
            assert!(same, "{name}: {x:e}^{y:e} = {power:e}, not {expected:e}");
        }
    }
}
