//! The pass on burn's `flex` tensors.

use super::Take;
use super::stored::{Part, Slices, Stored};
use burn::backend::flex::FlexTensor;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, Element, bf16, f16};
use bytemuck::Pod;

/// The slices of a step.
pub(super) fn lay<'a, K: Take<'a>>(
    parameter: &'a mut FlexTensor,
    gradient: &'a mut FlexTensor,
    states: &'a mut [DispatchTensor],
    take: K,
) -> K::Output {
    match parameter.dtype() {
        DType::F64 => take.take(part::<f64>(parameter, gradient, states)),
        DType::F16 => take.take(part::<f16>(parameter, gradient, states)),
        DType::BF16 => take.take(part::<bf16>(parameter, gradient, states)),
        _ => take.take(part::<f32>(parameter, gradient, states)),
    }
}

fn part<'a, T: Stored + Element + Pod>(
    parameter: &'a mut FlexTensor,
    gradient: &'a mut FlexTensor,
    states: &'a mut [DispatchTensor],
) -> Part<'a, T>
where
    T::Compute: Element + Pod,
{
    let mut slices = Slices::default();
    slices.iter_mut().zip(states).for_each(|(slice, state)| *slice = slice_mut(inside(state)));
    Part { p: slice_mut(parameter), g: slice(gradient), states: slices, first: 0 }
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
