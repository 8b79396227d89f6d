//! The pass on burn's `flex` tensors.

use super::split::{Slices, Stored, update};
use crate::dispatch::{Engine, States};
use crate::program::Program;
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Element, bf16, f16};
use bytemuck::Pod;
use std::sync::Arc;

impl Engine for Flex {
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: States<Self>,
        program: Arc<Program>,
        scalars: Arc<[f64]>,
    ) -> (FloatTensor<Self>, States<Self>) {
        let run = match parameter.dtype() {
            DType::F64 => run::<f64>,
            DType::F16 => run::<f16>,
            DType::BF16 => run::<bf16>,
            _ => run::<f32>,
        };
        let (parameter, states) = run(&program, parameter, gradient, states.into_vec(), &scalars);
        (parameter, States::new(states))
    }
}

fn run<T: Stored + Element + Pod>(
    program: &Program,
    parameter: FlexTensor,
    gradient: FlexTensor,
    states: Vec<FlexTensor>,
    scalars: &[f64],
) -> (FlexTensor, Vec<FlexTensor>)
where
    T::Compute: Element + Pod,
{
    let (mut parameter, gradient) = (dense::<T>(parameter), dense::<T>(gradient));
    let mut states: Vec<_> = states.into_iter().map(dense::<T::Compute>).collect();
    let mut slices = Slices::default();
    slices.iter_mut().zip(&mut states).for_each(|(slice, state)| *slice = slice_mut(state));
    update::<T>(program, slice_mut(&mut parameter), slice(&gradient), slices, scalars);
    (parameter, states)
}

/// The tensor with its elements in one run. A run inside a larger buffer that somebody else holds
/// is copied here, where copying on write would copy all of that buffer.
fn dense<T: Element + Pod>(tensor: FlexTensor) -> FlexTensor {
    let whole = tensor.layout().num_elements() == tensor.storage::<T>().len();
    if tensor.is_contiguous() && (whole || tensor.is_unique()) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// Where the elements of a dense tensor lie in its buffer.
fn place(tensor: &FlexTensor) -> core::ops::Range<usize> {
    let start = tensor.layout().start_offset();
    start..start + tensor.layout().num_elements()
}

fn slice<T: Element + Pod>(tensor: &FlexTensor) -> &[T] {
    &tensor.storage()[place(tensor)]
}

/// Copies on write where the buffer is shared.
fn slice_mut<T: Element + Pod>(tensor: &mut FlexTensor) -> &mut [T] {
    let place = place(tensor);
    &mut tensor.storage_mut()[place]
}
