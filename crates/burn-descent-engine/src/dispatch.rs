//! The one extension of burn's runtime dispatch: which engine for this tensor?
//!
//! burn's unstable backend-extension API is touched here and in the engines below it.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use crate::portable;
use crate::program::Program;
use burn::backend::DispatchTensorKind;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType, backend_extension};
use burn::tensor::{DType, Tensor};
use std::sync::Arc;

/// One step on the engine of the tensor's backend.
pub(crate) fn step<const D: usize>(
    program: &Arc<Program>,
    scalars: Arc<[f64]>,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    let (dtype, device) = (parameter.dtype(), parameter.device());
    if !matches!(dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16) {
        return portable::step(program, &scalars, parameter, gradient, states);
    }
    let gradient = if gradient.device() == device { gradient } else { gradient.to_device(&device) };
    let gradient = if gradient.dtype() == dtype { gradient } else { gradient.cast(dtype) };
    let parameter = parameter.into_dispatch();
    if !has_engine(&parameter.kind) {
        let parameter = Tensor::from_dispatch(parameter);
        return portable::step(program, &scalars, parameter, gradient, states);
    }
    let (parameter, states) = <Dispatch as Engine>::update(
        parameter,
        gradient.into_dispatch(),
        States::new(states.into_iter().map(Tensor::into_dispatch).collect()),
        program.clone(),
        scalars,
    );
    let states = states.into_vec().into_iter().map(Tensor::from_dispatch).collect();
    (Tensor::from_dispatch(parameter), states)
}

/// Has the backend an engine of its own? burn's dispatch panics for a backend that has none.
fn has_engine(kind: &DispatchTensorKind) -> bool {
    match kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(_) => true,
        #[cfg(feature = "cube")]
        DispatchTensorKind::Cube(_) => true,
        #[allow(unreachable_patterns)] // where burn has no backends but these
        _ => false,
    }
}

/// A backend that runs a rule its own way.
#[allow(unused_variables)] // in a build without any backend
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait Engine: Backend {
    /// Updates parameter and states, in place where nobody else holds them. Parameter and gradient
    /// have one shape and one dtype, the states the same shape and the dtype to compute in.
    #[fusion(meta = |parameter, _gradient, states, _program, _scalars| (parameter.clone(), states.clone()))]
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: States<Self>,
        program: Arc<Program>,
        scalars: Arc<[f64]>,
    ) -> (FloatTensor<Self>, States<Self>);
}

/// The state tensors of one parameter. burn's dispatch knows single tensors, not lists of them.
#[derive(ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) enum States<B: Backend> {
    None,
    One(FloatTensor<B>),
    Two(FloatTensor<B>, FloatTensor<B>),
    Three(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Four(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
}

impl<B: Backend> States<B> {
    pub(crate) fn new(list: Vec<FloatTensor<B>>) -> Self {
        let mut list = list.into_iter();
        match (list.next(), list.next(), list.next(), list.next()) {
            (Some(a), Some(b), Some(c), Some(d)) => States::Four(a, b, c, d),
            (Some(a), Some(b), Some(c), _) => States::Three(a, b, c),
            (Some(a), Some(b), ..) => States::Two(a, b),
            (Some(a), ..) => States::One(a),
            (None, ..) => States::None,
        }
    }

    pub(crate) fn into_vec(self) -> Vec<FloatTensor<B>> {
        match self {
            States::None => vec![],
            States::One(a) => vec![a],
            States::Two(a, b) => vec![a, b],
            States::Three(a, b, c) => vec![a, b, c],
            States::Four(a, b, c, d) => vec![a, b, c, d],
        }
    }
}
