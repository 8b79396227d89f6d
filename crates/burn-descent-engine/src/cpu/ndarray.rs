//! The slices of burn's `ndarray` tensors.
#![allow(deprecated)] // burn prefers `flex`; `ndarray` is supported as long as burn ships it

use super::Take;
use super::stored::{Part, Stored, lanes};
use crate::store::Keeping;
use burn::backend::ndarray::{NdArrayTensor, SharedArray};
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};

/// The slices of a step.
pub(super) fn lay<'a, K: Take<'a>>(
    parameter: &'a mut NdArrayTensor,
    gradient: &'a mut NdArrayTensor,
    states: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
    take: K,
) -> K::Output {
    match parameter {
        NdArrayTensor::F64(_) => take.take(part::<f64>(parameter, gradient, states, keeping)),
        _ => take.take(part::<f32>(parameter, gradient, states, keeping)),
    }
}

fn part<'a, T: Array>(
    parameter: &'a mut NdArrayTensor,
    gradient: &'a mut NdArrayTensor,
    states: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
) -> Part<'a, T> {
    let gradient = dense(T::array(gradient));
    let g = gradient.as_slice().expect("dense");
    let p = slice_mut(parameter);
    let (states, coded) = lanes(p.len(), states, keeping, |state| slice_mut(inside(state)), words);
    Part { p, g, states, coded, first: 0 }
}

fn words(state: &mut DispatchTensor) -> &mut [u32] {
    match &mut state.kind {
        DispatchTensorKind::NdArray(BackendTensor::Int(NdArrayTensor::I32(storage))) => {
            let array = dense(storage.ensure_owned());
            bytemuck::cast_slice_mut(array.as_slice_mut().expect("dense"))
        }
        _ => unreachable!("words are where their parameter is"),
    }
}

fn inside(state: &mut DispatchTensor) -> &mut NdArrayTensor {
    match &mut state.kind {
        DispatchTensorKind::NdArray(BackendTensor::Float(tensor)) => tensor,
        _ => unreachable!("states are where their parameter is"),
    }
}

/// A type that burn's `ndarray` stores floats in.
trait Array: Stored<Compute = Self> {
    fn array(tensor: &mut NdArrayTensor) -> &mut SharedArray<Self>;
}

macro_rules! impl_array {
    ($($t:ident $variant:ident),*) => {$(
        impl Array for $t {
            fn array(tensor: &mut NdArrayTensor) -> &mut SharedArray<$t> {
                match tensor {
                    NdArrayTensor::$variant(storage) => storage.ensure_owned(),
                    _ => unreachable!("all tensors of a step have one dtype"),
                }
            }
        }
    )*};
}
impl_array!(f32 F32, f64 F64);

/// The array in standard layout.
fn dense<T: Clone>(array: &mut SharedArray<T>) -> &mut SharedArray<T> {
    if !array.is_standard_layout() {
        *array = array.as_standard_layout().into_owned().into_shared();
    }
    array
}

/// Copies on write where the array is shared.
fn slice_mut<T: Array>(tensor: &mut NdArrayTensor) -> &mut [T] {
    dense(T::array(tensor)).as_slice_mut().expect("dense")
}
