//! The norm of many tensors is that of the numbers in them, and the same bits each time.
//! However they lie, what is around them does not count.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent_conformance::{numbers, spoil_memory, values, ways};
use burn_descent_engine::Norm;

/// Below, at and above what one unit, one block and one launch of an engine takes, with and without
/// a remainder.
const LENGTHS: [usize; 9] = [0, 1, 3, 64, 1000, 16_385, 65_536, 300_001, 1 << 20];

/// Holds the device to it in this precision.
///
/// # Panics
/// If it fails.
pub fn check(device: &Device, dtype: DType) {
    spoil_memory(device);
    let tensors = LENGTHS.map(|length| tensor(device, dtype, [length]));
    let close = |tensors: &[Tensor<1>]| {
        close(dtype, tensors);
        assert_eq!(total(tensors).to_bits(), total(tensors).to_bits());
    };
    tensors.iter().for_each(|tensor| close(core::slice::from_ref(tensor)));
    close(&tensors);

    spoil_memory(device);
    matrices(device, dtype, [3, 5]);
    matrices(device, dtype, [16, 257]);
    matrices(device, dtype, [4, 1, 3]);
    matrices(device, dtype, [8, 4, 3, 3]);

    let broken = Tensor::<1>::full([70_000], f64::NAN, (device, dtype));
    assert!(total(&[tensors[3].clone(), broken]).is_nan());
    let endless = Tensor::<1>::full([5], f64::INFINITY, (device, dtype));
    assert_eq!(total(&[tensors[3].clone(), endless]), f64::INFINITY);

    spoil_memory(device);
    let five = Tensor::<1>::ones([5], (device, dtype));
    assert!((total(&[five]) - 5.0_f64.sqrt()).abs() < 1e-6);

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
            assert!((found / number - 4.0).abs() < 4.0 * tolerance(dtype), "{found:e}");
        }
    }
}

/// A matrix in every way in which it may lie.
fn matrices<const D: usize>(device: &Device, dtype: DType, shape: [usize; D]) {
    for (_, lay) in ways() {
        close(dtype, &[lay(tensor::<D>(device, dtype, shape))]);
    }
}

fn tensor<const D: usize>(device: &Device, dtype: DType, shape: [usize; D]) -> Tensor<D> {
    let numbers = numbers(1, shape.iter().product());
    Tensor::from_data(TensorData::new(numbers, shape), (device, dtype))
}

fn total<const D: usize>(tensors: &[Tensor<D>]) -> f64 {
    let mut norm = Norm::new();
    tensors.iter().for_each(|tensor| norm.add(tensor));
    norm.total().get()
}

fn close<const D: usize>(dtype: DType, tensors: &[Tensor<D>]) {
    let expected = tensors.iter().flat_map(values).map(|x| x * x).sum::<f64>().sqrt();
    let found = total(tensors);
    assert!((found - expected).abs() <= tolerance(dtype) * expected, "{found} and {expected}");
}

fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e-12 } else { 2e-6 }
}
