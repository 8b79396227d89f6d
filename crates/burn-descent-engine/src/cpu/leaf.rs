//! Tensors of this engine, bare or in a leaf of autodiff, to be read or changed where they lie.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use super::run::has_vectors;
use crate::dispatch::is_known;
use crate::inside::{bare, bare_mut, inside, inside_mut};
#[cfg(feature = "flex")]
use burn::backend::flex::FlexTensor;
#[cfg(feature = "ndarray")]
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::{DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::DType;

/// A tensor of a backend of this engine, to be read.
enum Held<'a> {
    #[cfg(feature = "flex")]
    Flex(&'a FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(&'a NdArrayTensor),
}

/// A tensor of a backend of this engine, to be changed where it lies.
pub(crate) enum InPlace<'a> {
    #[cfg(feature = "flex")]
    Flex(&'a mut FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(&'a mut NdArrayTensor),
}

/// The tensor inside, whether it is bare or in autodiff; `None` for other backends.
fn held(tensor: &DispatchTensor) -> Option<Held<'_>> {
    match bare(&tensor.kind) {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(tensor) => inside(tensor).map(Held::Flex),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(tensor) => inside(tensor).map(Held::NdArray),
        _ => None,
    }
}

/// The tensor inside, whether it is bare or in autodiff; `None` for other backends.
///
/// A tensor in autodiff keeps its node: a leaf that is changed here is the leaf that it was, as a
/// parameter is in PyTorch, and burn has nothing to register and nothing to forget.
pub(crate) fn in_place(tensor: &mut DispatchTensor) -> Option<InPlace<'_>> {
    match bare_mut(&mut tensor.kind) {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(tensor) => inside_mut(tensor).map(InPlace::Flex),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(tensor) => inside_mut(tensor).map(InPlace::NdArray),
        _ => None,
    }
}

/// Is it a tensor of this engine, bare or in autodiff, that [passes](has_passes) step?
pub(crate) fn holds(tensor: &DispatchTensor) -> bool {
    has_passes(tensor.dtype()) && held(tensor).is_some()
}

/// Are there passes for numbers of this type, and does this processor run them? Those for f64 are a feature.
pub(crate) fn has_passes(dtype: DType) -> bool {
    let is_compiled = cfg!(feature = "f64") || dtype != DType::F64;
    is_known(dtype) && is_compiled && has_vectors()
}

/// Does nobody else hold the elements: no clone of the tensor, none of the model, and no graph that
/// has saved them for its backward pass?
pub(crate) fn is_alone(tensor: &DispatchTensor) -> bool {
    match held(tensor) {
        #[cfg(feature = "flex")]
        Some(Held::Flex(tensor)) => tensor.is_unique(),
        #[cfg(feature = "ndarray")]
        Some(Held::NdArray(NdArrayTensor::F32(array))) => array.is_unique(),
        #[cfg(feature = "ndarray")]
        Some(Held::NdArray(NdArrayTensor::F64(array))) => array.is_unique(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tensor;

    #[cfg(feature = "flex")]
    #[test]
    fn a_leaf_is_changed_where_it_lies() {
        let ones = Tensor::<1>::ones([3], &burn::tensor::Device::flex());
        let mut leaf = ones.autodiff().require_grad().into_dispatch();
        let Some(InPlace::Flex(tensor)) = in_place(&mut leaf) else { panic!("it lies on flex") };
        tensor.storage_mut::<f32>()[1] = 2.0;
        assert!(is_alone(&leaf));
        let leaf = Tensor::<1>::from_dispatch(leaf);
        let loss = leaf.clone().square().sum();
        assert!(!is_alone(&leaf.clone().into_dispatch()));
        let gradient = leaf.grad(&loss.backward()).expect("it is a leaf still");
        assert_eq!(gradient.into_data().iter::<f32>().collect::<Vec<_>>(), [2.0, 4.0, 2.0]);
    }
}
