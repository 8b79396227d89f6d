//! Tensors and numbers as arguments of a launch.

use super::extension::Work;
use crate::state::compute_dtype;
use burn::backend::cubecl::dtype_to_storage_type as dtype_to_elem_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::UIntKind;
use cubecl::prelude::*;

/// The type in which the elements of a tensor are stored.
pub(super) fn stored_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(tensor.dtype)
}

/// The type in which they are computed.
pub(super) fn compute_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(compute_dtype(tensor.dtype))
}

#[allow(unsafe_code)] // a clone of the tensor, which CubeCL would take, costs an allocation for each buffer of a launch
pub(super) fn buffer(tensor: &CubeTensor) -> BufferArg {
    let length = tensor.handle.size_in_used() as usize / tensor.dtype.size();
    // SAFETY: so many elements fit in the buffer.
    unsafe { BufferArg::from_raw_parts(tensor.handle.clone(), length) }
}

/// Numbers that index as many places of a buffer.
pub(super) fn address<'a>(tensors: impl IntoIterator<Item = &'a CubeTensor>) -> AddressType {
    let places = |tensor: &CubeTensor| tensor.handle.size() as usize / tensor.dtype.size();
    AddressType::from_len(tensors.into_iter().map(places).max().unwrap_or(0))
}

/// The scalars that are numbers, as launch arguments.
pub(super) fn numbers(work: &Work, compute: ElemType) -> SequenceArg<InputScalar> {
    work.numbers.iter().map(|number| InputScalar::new(*number, compute)).collect()
}

/// Words that random numbers follow from, as launch arguments.
pub(super) fn words(list: &[u32]) -> SequenceArg<InputScalar> {
    let word = |word: &u32| InputScalar::new(*word, ElemType::UInt(UIntKind::U32));
    list.iter().map(word).collect()
}

/// A tensor, or none, as a launch argument.
pub(super) fn one_or_none<E: LaunchArg<RuntimeArg = BufferArg>>(
    tensor: Option<&CubeTensor>,
) -> SequenceArg<E> {
    tensor.into_iter().map(buffer).collect()
}
