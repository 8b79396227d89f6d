//! A parameter that is stepped in its leaf of autodiff: its tensor is taken out for kernels, and put back.

use crate::inside::{bare, bare_mut, inside, inside_mut};
use burn::backend::{
    BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, TensorMetadata,
};

/// Does nobody else hold the elements of this tensor, which is bare or in autodiff? Not if it is none of CubeCL.
pub(crate) fn is_alone(tensor: &DispatchTensor) -> bool {
    match bare(&tensor.kind) {
        DispatchTensorKind::Cube(tensor) => inside(tensor).is_some_and(TensorMetadata::can_mut),
        _ => false,
    }
}

/// Takes the tensor without its leaf; `other`, which is like it, lies there until it is [put back](put_back).
pub(super) fn take_out(
    slot: &mut Option<DispatchTensor>,
    other: &DispatchTensor,
) -> Option<DispatchTensor> {
    let is_leaf = |tensor: &DispatchTensor| matches!(tensor.kind, DispatchTensorKind::Autodiff(_));
    if !slot.as_ref().is_some_and(is_leaf) {
        return slot.take();
    }
    match (bare_mut(&mut slot.as_mut()?.kind), &other.kind) {
        (DispatchTensorKind::Cube(leaf), DispatchTensorKind::Cube(BackendTensor::Float(other))) => {
            let tensor = core::mem::replace(inside_mut(leaf)?, other.clone());
            let kind = DispatchTensorKind::Cube(BackendTensor::Float(tensor));
            Some(DispatchTensor { kind, autodiff: DispatchAutodiffContext::Disabled })
        }
        _ => None,
    }
}

/// Puts it back: into its leaf, if that is there.
pub(super) fn put_back(slot: &mut Option<DispatchTensor>, tensor: DispatchTensor) {
    let leaf = slot.as_mut().map(|leaf| bare_mut(&mut leaf.kind));
    match (leaf, tensor) {
        (
            Some(DispatchTensorKind::Cube(leaf)),
            DispatchTensor { kind: DispatchTensorKind::Cube(BackendTensor::Float(tensor)), .. },
        ) => {
            if let Some(place) = inside_mut(leaf) {
                *place = tensor;
            }
        }
        (_, tensor) => *slot = Some(tensor),
    }
}
