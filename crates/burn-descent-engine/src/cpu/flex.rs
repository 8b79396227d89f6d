//! The pass on burn's `flex` tensors.

use super::split::{Slices, Stored, step};
use crate::program::Program;
use burn::backend::flex::FlexTensor;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, Element, bf16, f16};
use bytemuck::Pod;

/// Updates parameter and states, in place where nobody else holds them.
pub(crate) fn update(
    program: &Program,
    parameter: &mut FlexTensor,
    gradient: &FlexTensor,
    states: &mut [DispatchTensor],
    scalars: &[f64],
) {
    let run = match parameter.dtype() {
        DType::F64 => run::<f64>,
        DType::F16 => run::<f16>,
        DType::BF16 => run::<bf16>,
        _ => run::<f32>,
    };
    run(program, parameter, gradient, states, scalars);
}

fn run<T: Stored + Element + Pod>(
    program: &Program,
    parameter: &mut FlexTensor,
    gradient: &FlexTensor,
    states: &mut [DispatchTensor],
    scalars: &[f64],
) where
    T::Compute: Element + Pod,
{
    let mut slices = Slices::default();
    slices.iter_mut().zip(states).for_each(|(slice, state)| *slice = slice_mut(inside(state)));
    let contiguous;
    let gradient = match gradient.is_contiguous() {
        true => gradient,
        false => {
            contiguous = gradient.to_contiguous();
            &contiguous
        }
    };
    step::<T>(program, slice_mut(parameter), slice(gradient), slices, scalars);
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
