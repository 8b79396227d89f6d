//! Which engine for this tensor?
//!
//! burn's unstable API, of tensors by their backends, is touched here and in the engines below it.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use crate::code::Code;
use crate::scalars::Scalars;
use crate::store::Keeping;
#[cfg(feature = "cube")]
use burn::backend::BackendTensor;
use burn::backend::{DispatchDevice, DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};

/// Floats that the engines compute with; others are left to burn.
pub(crate) fn is_known(dtype: DType) -> bool {
    matches!(dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16)
}

/// One step on the engine of the parameter's backend. Parameter and gradient have one shape; the
/// states too, with the dtype to compute in, on the parameter's device.
pub(crate) fn step<const D: usize>(
    code: &Code,
    mut scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let by_operations = code.sees_whole || !is_known(parameter.dtype());
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if !code.sees_whole && crate::cpu::holds(&parameter) {
        let (mut gradient, mut parameter) = (beside::<D>(&parameter, gradient), parameter);
        crate::cpu::update(code, &mut parameter, &mut gradient, states, &scalars.read());
        return parameter;
    }
    if let Some(keeping) = scalars.keeping.take() {
        #[cfg(feature = "cube")]
        if is_cube(&parameter)
            && let Some(words) = crate::cube::InWords::of(&keeping, &parameter)
        {
            return words.step::<D>(step::<D>, code, scalars, parameter, gradient, states);
        }
        return kept::<D>(&keeping, step::<D>, code, scalars, parameter, gradient, states);
    }
    if by_operations {
        return portable::<D>(code, scalars, parameter, gradient, states);
    }
    let gradient = beside::<D>(&parameter, gradient);
    #[cfg(feature = "cube")]
    if let Some(kernels) = code.by_kernels(scalars.view)
        && is_cube(&parameter)
    {
        let scalars = scalars.beside(&parameter);
        return crate::cube::step(kernels, scalars, parameter, gradient, states);
    }
    portable::<D>(code, scalars, parameter, gradient, states)
}

/// Is it a tensor that kernels of ours step?
#[cfg(feature = "cube")]
fn is_cube(tensor: &DispatchTensor) -> bool {
    let is_float = matches!(tensor.kind, DispatchTensorKind::Cube(BackendTensor::Float(_)));
    is_float && is_known(tensor.dtype())
}

/// Is it a device of CubeCL, with autodiff or without?
#[cfg(feature = "cube")]
pub(crate) fn is_cube_device(device: &Device) -> bool {
    let bare = match device.as_dispatch() {
        DispatchDevice::Autodiff(device) => device,
        device => device,
    };
    matches!(bare, DispatchDevice::Cube(_))
}

/// Is it a device of the CPU engine, with autodiff or without, that has passes for numbers of this type?
pub(crate) fn has_passes(device: &Device, dtype: DType) -> bool {
    let bare = match device.as_dispatch() {
        DispatchDevice::Autodiff(device) => device,
        device => device,
    };
    match bare {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => crate::cpu::has_passes(dtype),
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => crate::cpu::has_passes(dtype),
        _ => false,
    }
}

/// Does burn's product of such tensors round factors to the eleven bits of TF32? It does for f32 on CUDA, as of burn
/// 0.22.1 and CubeCL 0.11.3.
pub(crate) fn multiplies_in_tf32<const D: usize>(tensor: &Tensor<D>) -> bool {
    match tensor.device().without_autodiff().as_dispatch() {
        #[cfg(feature = "cuda")]
        DispatchDevice::Cube(cubecl::Device::Cuda(_)) => tensor.dtype() == DType::F32,
        _ => false,
    }
}

/// The device of a tensor, without the autodiff around it.
pub(crate) fn place(tensor: &DispatchTensor) -> DispatchDevice {
    match &tensor.kind {
        DispatchTensorKind::Autodiff(kind) => kind.device(),
        kind => kind.device(),
    }
}

/// The gradient on the device and in the dtype of the parameter.
pub(crate) fn beside<const D: usize>(
    parameter: &DispatchTensor,
    gradient: DispatchTensor,
) -> DispatchTensor {
    let dtype = parameter.dtype();
    if gradient.dtype() == dtype && place(&gradient) == place(parameter) {
        return gradient;
    }
    let device = Tensor::<D>::from_dispatch(parameter.clone()).device().without_autodiff();
    Tensor::<D>::from_dispatch(gradient).to_device(&device).cast(dtype).into_dispatch()
}

/// A way to take a step.
pub(crate) type Step =
    fn(&Code, Scalars, DispatchTensor, DispatchTensor, &mut Vec<DispatchTensor>) -> DispatchTensor;

/// One step of numbers that are kept in fewer bytes, which the host reads and writes around one of numbers as they are
/// computed.
fn kept<const D: usize>(
    keeping: &Keeping,
    full: Step,
    code: &Code,
    scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let dtype = parameter.dtype();
    let parameter = keeping.widen::<D>(parameter, states);
    let parameter = full(code, scalars, parameter, gradient, states);
    keeping.narrow::<D>(parameter, dtype, states)
}

/// One step by burn's tensor operations, whatever the backend.
pub(crate) fn portable<const D: usize>(
    code: &Code,
    mut scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    if let Some(keeping) = scalars.keeping.take() {
        return kept::<D>(&keeping, portable::<D>, code, scalars, parameter, gradient, states);
    }
    let tensor = Tensor::<D>::from_dispatch;
    let gradient = beside::<D>(&parameter, gradient);
    let before = core::mem::take(states).into_iter().map(tensor).collect();
    let (parameter, after) =
        crate::portable::step(code, &scalars, tensor(parameter), tensor(gradient), before);
    *states = after.into_iter().map(Tensor::into_dispatch).collect();
    parameter.into_dispatch()
}
