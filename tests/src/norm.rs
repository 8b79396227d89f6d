//! The norm of many tensors is that of the numbers in them, and the same bits each time.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent_engine::Norm;

/// Below, at and above what one unit, one block and one launch of an engine takes, with and without
/// a remainder.
const LENGTHS: [usize; 9] = [0, 1, 3, 64, 1000, 16_385, 65_536, 300_001, 1 << 20];

/// Holds the device to it in this precision.
///
/// # Panics
/// If it fails.
pub fn check(device: &Device, dtype: DType) {
    let numbers = |length: usize| -> Vec<f64> {
        let number = |i: usize| ((i * 7919 + length) % 2003) as f64 / 1001.0 - 1.0;
        (0..length).map(number).collect()
    };
    let tensors: Vec<Tensor<1>> = LENGTHS
        .map(|length| {
            Tensor::from_data(TensorData::new(numbers(length), [length]), (device, dtype))
        })
        .into();
    let total = |tensors: &[Tensor<1>]| {
        let mut norm = Norm::new();
        tensors.iter().for_each(|tensor| norm.add(tensor));
        norm.total().get()
    };
    let expected = |tensors: &[Tensor<1>]| -> f64 {
        let stored =
            tensors.iter().flat_map(|tensor| tensor.to_data().iter::<f64>().collect::<Vec<_>>());
        stored.map(|x| x * x).sum::<f64>().sqrt()
    };
    let tolerance = if dtype == DType::F64 { 1e-12 } else { 2e-6 };
    let close = |tensors: &[Tensor<1>]| {
        let (found, expected) = (total(tensors), expected(tensors));
        assert!((found - expected).abs() <= tolerance * expected, "{found} and {expected}");
        assert_eq!(found.to_bits(), total(tensors).to_bits());
    };
    tensors.iter().for_each(|tensor| close(core::slice::from_ref(tensor)));
    close(&tensors);

    let broken = Tensor::<1>::full([70_000], f64::NAN, (device, dtype));
    assert!(total(&[tensors[3].clone(), broken]).is_nan());
    let endless = Tensor::<1>::full([5], f64::INFINITY, (device, dtype));
    assert_eq!(total(&[tensors[3].clone(), endless]), f64::INFINITY);

    // The square of 300 is no number of f16.
    let large = Tensor::<1>::full([4], 300.0, (device, dtype));
    assert!((total(&[large]) - 600.0).abs() < 1.0);
    let extremes = match dtype {
        DType::F64 => Some([1e200, 1e-200]),
        DType::F32 => Some([1e30, 1e-30]),
        _ => None,
    };
    if let Some(extremes) = extremes {
        for number in extremes {
            let tensor = |count: usize| Tensor::<1>::full([count], number, (device, dtype));
            let found = total(&[tensor(9), tensors[3].clone().mul_scalar(0.0), tensor(7)]);
            assert!((found / number - 4.0).abs() < 4.0 * tolerance, "{found:e}");
        }
    }
}
