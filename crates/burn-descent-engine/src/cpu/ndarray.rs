//! The pass on burn's `ndarray` tensors.
#![allow(deprecated)] // burn prefers `flex`; `ndarray` is supported as long as burn ships it

use super::split::{Slices, Stored, step};
use crate::MAX_STATES;
use crate::program::Program;
use burn::backend::ndarray::{NdArrayTensor, SharedArray};
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};

/// The parameter after a step. It and the states are updated in place where nobody else holds them.
pub(crate) fn update(
    program: &Program,
    parameter: NdArrayTensor,
    gradient: NdArrayTensor,
    states: &mut Vec<DispatchTensor>,
    scalars: &[f64],
) -> NdArrayTensor {
    let run = match parameter {
        NdArrayTensor::F64(_) => run::<f64>,
        _ => run::<f32>,
    };
    run(program, parameter, gradient, states, scalars)
}

fn run<T: Array>(
    program: &Program,
    parameter: NdArrayTensor,
    gradient: NdArrayTensor,
    states: &mut Vec<DispatchTensor>,
    scalars: &[f64],
) -> NdArrayTensor {
    let (mut parameter, gradient) = (dense::<T>(parameter), dense::<T>(gradient));
    let mut arrays: [Option<SharedArray<T>>; MAX_STATES] = Default::default();
    for (array, state) in arrays.iter_mut().zip(states.drain(..)) {
        *array = Some(dense(inside(state)));
    }
    let mut slices = Slices::default();
    for (slice, array) in slices.iter_mut().zip(arrays.iter_mut().flatten()) {
        *slice = slice_mut(array);
    }
    let gradient = gradient.as_slice().expect("dense");
    step::<T>(program, slice_mut(&mut parameter), gradient, slices, scalars);
    states.extend(arrays.into_iter().flatten().map(T::tensor).map(outside));
    T::tensor(parameter)
}

fn inside(state: DispatchTensor) -> NdArrayTensor {
    match state.kind {
        DispatchTensorKind::NdArray(tensor) => tensor.float(),
        _ => unreachable!("states are where their parameter is"),
    }
}

fn outside(state: NdArrayTensor) -> DispatchTensor {
    let kind = DispatchTensorKind::NdArray(BackendTensor::Float(state));
    DispatchTensor { kind, autodiff: Default::default() }
}

/// A type that burn's `ndarray` stores floats in.
trait Array: Stored<Compute = Self> {
    fn array(tensor: NdArrayTensor) -> SharedArray<Self>;
    fn tensor(array: SharedArray<Self>) -> NdArrayTensor;
}

macro_rules! impl_array {
    ($($t:ident $variant:ident),*) => {$(
        impl Array for $t {
            fn array(tensor: NdArrayTensor) -> SharedArray<$t> {
                match tensor {
                    NdArrayTensor::$variant(storage) => storage.into_shared(),
                    _ => unreachable!("all tensors of a step have one dtype"),
                }
            }
            fn tensor(array: SharedArray<$t>) -> NdArrayTensor {
                array.into()
            }
        }
    )*};
}
impl_array!(f32 F32, f64 F64);

/// The array in standard layout.
fn dense<T: Array + Clone>(tensor: NdArrayTensor) -> SharedArray<T> {
    let array = T::array(tensor);
    if array.is_standard_layout() {
        array
    } else {
        array.as_standard_layout().into_owned().into_shared()
    }
}

/// Copies on write where the array is shared.
fn slice_mut<T: Clone>(array: &mut SharedArray<T>) -> &mut [T] {
    array.as_slice_mut().expect("dense")
}
