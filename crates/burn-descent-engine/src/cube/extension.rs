//! burn's backend extension for the kernel: under fusion a step is recorded, not run.

use crate::program::Program;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchTensor, ExtensionType, backend_extension};
use std::sync::Arc;

/// One step; the states are taken out and put back.
pub(crate) fn update(
    program: &Arc<Program>,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
    scalars: Arc<[f64]>,
) -> DispatchTensor {
    let before = States::new(core::mem::take(states));
    let (parameter, after) =
        <Dispatch as Engine>::update(parameter, gradient, before, program.clone(), scalars);
    *states = after.into_vec();
    parameter
}

/// A backend that runs a rule by a kernel.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(super) trait Engine: Backend {
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
pub(super) enum States<B: Backend> {
    None,
    One(FloatTensor<B>),
    Two(FloatTensor<B>, FloatTensor<B>),
    Three(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Four(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
}

impl<B: Backend> States<B> {
    pub(super) fn new(list: Vec<FloatTensor<B>>) -> Self {
        let mut list = list.into_iter();
        match (list.next(), list.next(), list.next(), list.next()) {
            (Some(a), Some(b), Some(c), Some(d)) => States::Four(a, b, c, d),
            (Some(a), Some(b), Some(c), _) => States::Three(a, b, c),
            (Some(a), Some(b), ..) => States::Two(a, b),
            (Some(a), ..) => States::One(a),
            (None, ..) => States::None,
        }
    }

    pub(super) fn into_vec(self) -> Vec<FloatTensor<B>> {
        match self {
            States::None => vec![],
            States::One(a) => vec![a],
            States::Two(a, b) => vec![a, b],
            States::Three(a, b, c) => vec![a, b, c],
            States::Four(a, b, c, d) => vec![a, b, c, d],
        }
    }
}
