//! Numbers that are taken over a whole tensor.

use crate::state::compute_dtype;
use burn::tensor::Tensor;

/// The sum of the squares of all elements, computed in f64 on a CPU; infinite or NaN if an element
/// is. Reads the device: on a GPU the step waits for it.
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
    // Squares overflow where their numbers do not: they are taken of fractions of the largest.
    let tensor = tensor.clone().cast(compute_dtype(tensor.dtype()));
    let largest = scalar(tensor.clone().abs().max());
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let fractions = tensor.div_scalar(largest);
    scalar((fractions.clone() * fractions).sum()) * largest * largest
}

fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().unwrap_or(f64::NAN)
}
