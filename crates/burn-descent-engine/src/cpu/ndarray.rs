//! The pass on burn's `ndarray` tensors.
#![allow(deprecated)] // burn prefers `flex`; `ndarray` is supported as long as burn ships it

use super::split::{Slices, Stored, update};
use crate::dispatch::{Engine, States};
use crate::program::Program;
use burn::backend::NdArray;
use burn::backend::ndarray::{NdArrayTensor, SharedArray};
use burn::backend::tensor::FloatTensor;
use std::sync::Arc;

impl Engine for NdArray {
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: States<Self>,
        program: Arc<Program>,
        scalars: Arc<[f64]>,
    ) -> (FloatTensor<Self>, States<Self>) {
        let run = match &parameter {
            NdArrayTensor::F64(_) => run::<f64>,
            _ => run::<f32>,
        };
        let (parameter, states) = run(&program, parameter, gradient, states.into_vec(), &scalars);
        (parameter, States::new(states))
    }
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
                    _ => unreachable!("dispatch casts to one dtype"),
                }
            }
            fn tensor(array: SharedArray<$t>) -> NdArrayTensor {
                array.into()
            }
        }
    )*};
}
impl_array!(f32 F32, f64 F64);

fn run<T: Array>(
    program: &Program,
    parameter: NdArrayTensor,
    gradient: NdArrayTensor,
    states: Vec<NdArrayTensor>,
    scalars: &[f64],
) -> (NdArrayTensor, Vec<NdArrayTensor>) {
    let (mut parameter, gradient) = (dense::<T>(parameter), dense::<T>(gradient));
    let mut states: Vec<_> = states.into_iter().map(dense::<T>).collect();
    let mut slices = Slices::default();
    slices.iter_mut().zip(&mut states).for_each(|(slice, state)| *slice = slice_mut(state));
    let gradient = gradient.as_slice().expect("dense");
    update::<T>(program, slice_mut(&mut parameter), gradient, slices, scalars);
    (T::tensor(parameter), states.into_iter().map(T::tensor).collect())
}

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
fn slice_mut<T>(array: &mut SharedArray<T>) -> &mut [T]
where
    T: Clone,
{
    array.as_slice_mut().expect("dense")
}
