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
    if !gradient.is_contiguous() {
        *gradient = gradient.to_contiguous();
    }
    Part { p: slice_mut(parameter), g: slice(gradient), states: slices, first: 0 }
}

fn inside(state: &mut DispatchTensor) -> &mut FlexTensor {
    match &mut state.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => tensor,
        _ => unreachable!("states are where their parameter is"),
    }
}

/// Where the elements of a contiguous tensor lie in its buffer.
fn place(tensor: &FlexTensor) -> core::ops::Range<usize> {
    let start = tensor.layout().start_offset();
    start..start + tensor.layout().num_elements()
}

fn slice<T: Element + Pod>(tensor: &FlexTensor) -> &[T] {
    &tensor.storage()[place(tensor)]
}

/// The elements in one run, copied where somebody else holds the buffer. A run inside a larger
/// buffer that is shared is copied here, where copying on write would copy all of that buffer.
fn slice_mut<T: Element + Pod>(tensor: &mut FlexTensor) -> &mut [T] {
    let whole = tensor.layout().num_elements() == tensor.storage::<T>().len();
    if !tensor.is_contiguous() || !(whole || tensor.is_unique()) {
        *tensor = tensor.to_contiguous();
    }
    let place = place(tensor);
    &mut tensor.storage_mut()[place]
}
