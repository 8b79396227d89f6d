//! Numbers that are taken over whole tensors.

use crate::Reading;
use crate::reading::read;
use crate::state::compute_dtype;
use burn::tensor::{DType, Tensor};

/// The sum of squares of many tensors, taken in one read of each: in f64 on a CPU, in the precision
/// that the tensor is computed in on the device of a GPU, where it stays.
///
/// The same bits for any number of threads and in every run. Infinite or NaN if an element is.
#[derive(Default)]
pub struct SquareSum {
    on_host: f64,
    #[cfg(feature = "cube")]
    on_device: Option<crate::cube::Total>,
}

impl SquareSum {
    /// Of no tensor.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the squares of a tensor.
    pub fn add<const D: usize>(&mut self, tensor: &Tensor<D>) {
        #[cfg(feature = "cube")]
        if crate::cube::add_squares(&mut self.on_device, tensor) {
            return;
        }
        self.on_host += sum_squares(tensor);
    }

    /// The sum.
    pub fn total(self) -> Reading {
        #[cfg(feature = "cube")]
        if let Some(total) = self.on_device {
            let sum = total.sum();
            let all = if self.on_host == 0.0 { sum } else { sum.add_scalar(self.on_host) };
            return Reading::on_device(all);
        }
        self.on_host.into()
    }
}

/// The sum of the squares of all elements, computed in f64 where the device has it; infinite or NaN
/// if an element is, and, unlike a [`SquareSum`], only then. Reads the device: on a GPU the step
/// waits for it.
///
/// The same bits for any number of threads.
pub fn sum_squares<const D: usize>(tensor: &Tensor<D>) -> f64 {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(sum) = crate::cpu::sum_squares(tensor) {
        return sum;
    }
    if tensor.shape().num_elements() == 0 {
        return 0.0;
    }
    // A backend may add one number after another, which in f32 loses 1e-6 of a million of them.
    let wide = tensor.device().supports_dtype(DType::F64);
    let precision = if wide { DType::F64 } else { compute_dtype(tensor.dtype()) };
    // Squares overflow where their numbers do not: they are taken of fractions of the largest.
    let tensor = tensor.clone().cast(precision);
    let largest = read(tensor.clone().abs().max());
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let fractions = tensor.div_scalar(largest);
    read((fractions.clone() * fractions).sum()) * largest * largest
}
