//! The pass on burn's `flex` tensors.

use super::Take;
use super::stored::{Part, Stored, lanes};
use crate::store::Keeping;
use burn::backend::flex::FlexTensor;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, Element, bf16, f16};
use bytemuck::Pod;

/// The slices of a step.
pub(super) fn lay<'a, K: Take<'a>>(
    parameter: &'a mut FlexTensor,
    gradient: &'a mut FlexTensor,
    states: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
    take: K,
) -> K::Output {
    match parameter.dtype() {
        DType::F64 => take.take(part::<f64>(parameter, gradient, states, keeping)),
        DType::F16 => take.take(part::<f16>(parameter, gradient, states, keeping)),
        DType::BF16 => take.take(part::<bf16>(parameter, gradient, states, keeping)),
        _ => take.take(part::<f32>(parameter, gradient, states, keeping)),
    }
}

fn part<'a, T: Stored + Element + Pod>(
    parameter: &'a mut FlexTensor,
    gradient: &'a mut FlexTensor,
    states: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
) -> Part<'a, T>
where
    T::Compute: Element + Pod,
{
    let p = slice_mut(parameter);
    let (states, coded) = lanes(p.len(), states, keeping, |state| slice_mut(inside(state)), words);
    Part { p, g: slice(gradient), states, coded, first: 0 }
}

fn words(state: &mut DispatchTensor) -> &mut [u32] {
    match &mut state.kind {
        DispatchTensorKind::Flex(BackendTensor::Int(tensor)) => {
            bytemuck::cast_slice_mut(slice_mut::<i32>(tensor))
        }
        _ => unreachable!("words are where their parameter is"),
    }
}

fn inside(state: &mut DispatchTensor) -> &mut FlexTensor {
    match &mut state.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => tensor,
        _ => unreachable!("states are where their parameter is"),
    }
}

/// The elements in one run, copied first if they are not.
fn slice<T: Element + Pod>(tensor: &mut FlexTensor) -> &[T] {
    let place = tensor.layout().contiguous_offsets();
    let (start, end) = place.unwrap_or_else(|| copy(tensor));
    &tensor.storage()[start..end]
}

/// The elements in one run, copied first if they are not, or if somebody else holds the buffer: only
/// they, where copying on write would copy all of a buffer that is larger.
fn slice_mut<T: Element + Pod>(tensor: &mut FlexTensor) -> &mut [T] {
    let place = tensor.layout().contiguous_offsets().filter(|_| tensor.is_unique());
    let (start, end) = place.unwrap_or_else(|| copy(tensor));
    &mut tensor.storage_mut()[start..end]
}

/// Copies the elements into a run of their own: where it lies in its buffer.
fn copy(tensor: &mut FlexTensor) -> (usize, usize) {
    *tensor = tensor.to_contiguous();
    (0, tensor.layout().num_elements())
}
