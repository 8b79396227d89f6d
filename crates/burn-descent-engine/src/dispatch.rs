//! Which engine for this tensor?
//!
//! burn's unstable API, of tensors by their backends, is touched here and in the engines below it.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use crate::program::Program;
use burn::backend::BackendTensor::Float;
use burn::backend::DispatchTensorKind::*;
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Tensor};
use std::sync::Arc;

/// One step on the engine of the parameter's backend. Parameter and gradient have one shape; the
/// states too, with the dtype to compute in, on the parameter's device.
pub(crate) fn step<const D: usize>(
    program: &Arc<Program>,
    scalars: Arc<[f64]>,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let gradient = beside::<D>(&parameter, gradient);
    if !matches!(parameter.dtype(), DType::F64 | DType::F32 | DType::F16 | DType::BF16) {
        return portable::<D>(program, scalars, parameter, gradient, states);
    }
    let autodiff = parameter.autodiff;
    let tensor = |kind| DispatchTensor { kind, autodiff };
    match (parameter.kind, gradient.kind) {
        #[cfg(feature = "flex")]
        (Flex(Float(mut parameter)), Flex(Float(gradient))) => {
            crate::cpu::flex::update(program, &mut parameter, &gradient, states, &scalars);
            tensor(Flex(Float(parameter)))
        }
        #[cfg(feature = "ndarray")]
        (NdArray(Float(parameter)), NdArray(Float(gradient))) => {
            let stepped =
                crate::cpu::ndarray::update(program, parameter, gradient, states, &scalars);
            tensor(NdArray(Float(stepped)))
        }
        #[cfg(feature = "cube")]
        (parameter @ Cube(_), gradient @ Cube(_)) => {
            crate::cube::step::<D>(program, scalars, tensor(parameter), tensor(gradient), states)
        }
        (parameter, gradient) => {
            portable::<D>(program, scalars, tensor(parameter), tensor(gradient), states)
        }
    }
}

/// The gradient on the device and in the dtype of the parameter.
fn beside<const D: usize>(parameter: &DispatchTensor, gradient: DispatchTensor) -> DispatchTensor {
    let dtype = parameter.dtype();
    if gradient.dtype() == dtype && gradient.kind.device() == parameter.kind.device() {
        return gradient;
    }
    let device = Tensor::<D>::from_dispatch(parameter.clone()).device();
    Tensor::<D>::from_dispatch(gradient).to_device(&device).cast(dtype).into_dispatch()
}

/// One step by burn's tensor operations, whatever the backend.
pub(crate) fn portable<const D: usize>(
    program: &Arc<Program>,
    scalars: Arc<[f64]>,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let tensor = Tensor::<D>::from_dispatch;
    let before = core::mem::take(states).into_iter().map(tensor).collect();
    let (parameter, after) =
        crate::portable::step(program, &scalars, tensor(parameter), tensor(gradient), before);
    *states = after.into_iter().map(Tensor::into_dispatch).collect();
    parameter.into_dispatch()
}
