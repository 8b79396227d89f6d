//! The norm of many tensors.

use crate::Reading;
use crate::reading::read;
use crate::state::compute_dtype;
use burn::tensor::{DType, Tensor};

/// The norm of many tensors together, taken in one read of each: in f64 on a CPU, in the precision
/// that the tensor is computed in on the device of a GPU, where it stays.
///
/// The same bits for any number of threads and in every run. Infinite or NaN if an element is, and right
/// for all others, though their squares may be no numbers any more: those are taken of fractions.
#[derive(Default)]
pub struct Norm {
    /// The sum of those squares that f64 holds with all their digits.
    squares: f64,
    /// The norm of all other tensors: their squares would overflow, or vanish.
    extreme: f64,
    #[cfg(feature = "cube")]
    on_device: Option<crate::cube::Squares>,
}

/// A sum of squares as large as this, or as small, is taken of fractions of the largest number.
const EXTREME: f64 = 1e280;

impl Norm {
    /// Of no tensor.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a tensor.
    pub fn add<const D: usize>(&mut self, tensor: &Tensor<D>) {
        #[cfg(feature = "cube")]
        if crate::cube::Squares::add(&mut self.on_device, tensor) {
            return;
        }
        // The squares of all other types are numbers of f64.
        let safe = |squares: &f64| {
            tensor.dtype() != DType::F64 || (1.0 / EXTREME..EXTREME).contains(squares)
        };
        match plain_squares(tensor).filter(safe) {
            Some(squares) => self.squares += squares,
            None => self.extreme = self.extreme.hypot(scaled_norm(tensor)),
        }
    }

    /// The norm.
    pub fn total(self) -> Reading {
        let on_host = match self.extreme {
            0.0 => self.squares.sqrt(),
            extreme => self.squares.sqrt().hypot(extreme),
        };
        #[cfg(feature = "cube")]
        if let Some(squares) = self.on_device {
            let norm = Reading::on_device(squares.norm());
            return if on_host == 0.0 { norm } else { norm.get().hypot(on_host).into() };
        }
        on_host.into()
    }
}

/// The sum of the products of two tensors, in f64 where the device has it; it stays on a GPU.
///
/// The same bits for any number of threads and in every run on a CPU.
pub fn dot<const D: usize>(x: &Tensor<D>, y: &Tensor<D>) -> Reading {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(sum) = crate::cpu::sum_products(x, y) {
        return sum.into();
    }
    let dtype = wide(x);
    Reading::on_device((x.clone().cast(dtype) * y.clone().cast(dtype)).sum())
}

/// Are all elements finite? Reads the device: on a GPU the step waits for it.
pub fn is_finite<const D: usize>(tensor: &Tensor<D>) -> bool {
    plain_squares(tensor).is_some_and(f64::is_finite) || largest(tensor).is_finite()
}

/// The sum of squares as it comes, where the elements lie in one run of memory of the CPU.
fn plain_squares<const D: usize>(tensor: &Tensor<D>) -> Option<f64> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    return crate::cpu::sum_squares(tensor);
    #[cfg(not(any(feature = "flex", feature = "ndarray")))]
    {
        let _ = tensor;
        None
    }
}

/// The norm by burn's operations, of fractions of the largest number: squares overflow where their
/// numbers do not.
fn scaled_norm<const D: usize>(tensor: &Tensor<D>) -> f64 {
    let largest = largest(tensor);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let fractions = tensor.clone().cast(wide(tensor)).div_scalar(largest);
    read((fractions.clone() * fractions).sum()).sqrt() * largest
}

/// The greatest absolute value; NaN if there is one.
fn largest<const D: usize>(tensor: &Tensor<D>) -> f64 {
    if tensor.shape().num_elements() == 0 {
        return 0.0;
    }
    read(tensor.clone().cast(wide(tensor)).abs().max())
}

/// The precision to sum in. A backend may add one number after another, which in f32 loses 1e-6 of a
/// million of them.
pub fn wide<const D: usize>(tensor: &Tensor<D>) -> DType {
    match tensor.device().supports_dtype(DType::F64) {
        true => DType::F64,
        false => compute_dtype(tensor.dtype()),
    }
}
