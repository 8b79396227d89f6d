//! burn's backend extension for the kernel: under fusion a step is recorded, not run.

use crate::program::Program;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchTensor, ExtensionType, backend_extension};
use burn::tensor::Tensor;
use std::sync::Arc;

/// One step. The sum of a rule that has terms is taken by tensor operations, and stays on the
/// device.
pub(crate) fn step<const D: usize>(
    program: &Arc<Program>,
    scalars: Arc<[f64]>,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let (scalars, sum) = match program.term {
        None => (scalars, None),
        Some(_) => {
            let tensor = |tensor: &DispatchTensor| Tensor::<D>::from_dispatch(tensor.clone());
            let before: Vec<_> = states.iter().map(tensor).collect();
            let (p, g) = (tensor(&parameter), tensor(&gradient));
            let (scalars, sum) = crate::portable::sum(program, &scalars, &p, &g, &before);
            (scalars.into(), sum)
        }
    };
    let before = List::new(core::mem::take(states));
    let sum = List::new(sum.map(Tensor::into_dispatch).into_iter().collect());
    let program = program.clone();
    let (parameter, after) =
        <Dispatch as Engine>::update(parameter, gradient, before, sum, program, scalars);
    *states = after.into_vec();
    parameter
}

/// A backend that runs a rule by a kernel.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(super) trait Engine: Backend {
    /// Updates parameter and states, in place where nobody else holds them. Parameter and gradient
    /// have one shape and one dtype, the states the same shape and the dtype to compute in; so has
    /// the sum, of one element, if there is one.
    #[fusion(meta = |parameter, _gradient, states, _sum, _program, _scalars| (parameter.clone(), states.clone()))]
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] sum: List<Self>,
        program: Arc<Program>,
        scalars: Arc<[f64]>,
    ) -> (FloatTensor<Self>, List<Self>);
}

/// Up to four tensors. burn's dispatch knows single tensors, not lists of them.
#[derive(ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(super) enum List<B: Backend> {
    None,
    One(FloatTensor<B>),
    Two(FloatTensor<B>, FloatTensor<B>),
    Three(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Four(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
}

impl<B: Backend> List<B> {
    pub(super) fn new(list: Vec<FloatTensor<B>>) -> Self {
        let mut list = list.into_iter();
        match (list.next(), list.next(), list.next(), list.next()) {
            (Some(a), Some(b), Some(c), Some(d)) => List::Four(a, b, c, d),
            (Some(a), Some(b), Some(c), _) => List::Three(a, b, c),
            (Some(a), Some(b), ..) => List::Two(a, b),
            (Some(a), ..) => List::One(a),
            (None, ..) => List::None,
        }
    }

    pub(super) fn into_vec(self) -> Vec<FloatTensor<B>> {
        match self {
            List::None => vec![],
            List::One(a) => vec![a],
            List::Two(a, b) => vec![a, b],
            List::Three(a, b, c) => vec![a, b, c],
            List::Four(a, b, c, d) => vec![a, b, c, d],
        }
    }
}
