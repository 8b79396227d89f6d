//! burn's backend extension for the kernel: under fusion a step is recorded, not run.

use crate::program::Program;
use crate::scalars::Scalars;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Backend, Dispatch, DispatchTensor, ExtensionType, TensorMetadata, backend_extension,
};
use burn_descent_rules::Graph;
use std::sync::Arc;

/// One step. The sum of a rule that has terms stays on the device.
pub(crate) fn step(
    program: &Program,
    mut scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    if let Some(term) = &program.term {
        let sum = super::reduce::sum(term.clone(), &parameter, &gradient, states, &scalars);
        scalars = scalars.then(parameter.shape().num_elements() as f64, sum);
    }
    let before = List::new(core::mem::take(states));
    let graph = program.update.clone();
    let (lanes, beside) = scalars.on_device.into_iter().unzip();
    let beside = List::new(beside);
    let numbers = scalars.numbers;
    let (parameter, after) =
        <Dispatch as Engine>::update(parameter, gradient, before, beside, graph, numbers, lanes);
    *states = after.into_vec();
    parameter
}

/// A backend that runs a rule by a kernel.
///
/// `graph` is what is computed of each element. Its scalars are the numbers in `scalars` and, in
/// `lanes`, the tensors of one element in `beside`, in the precision to compute in. A gradient has
/// the shape and the dtype of its parameter, a state its shape and the dtype to compute in.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(super) trait Engine: Backend {
    /// Updates parameter and states, in place where nobody else holds them.
    #[fusion(meta = |parameter, _gradient, states, _beside, _graph, _scalars, _lanes| (parameter.clone(), states.clone()))]
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        graph: Arc<Graph>,
        scalars: Arc<[f64]>,
        lanes: Vec<usize>,
    ) -> (FloatTensor<Self>, List<Self>);

    /// Adds the graph of all elements of the inputs (a parameter, and its gradient if the graph
    /// asks for it) to the parts of a sum.
    #[fusion(meta = |parts, _inputs, _states, _beside, _graph, _scalars, _lanes| parts.clone())]
    fn add(
        parts: FloatTensor<Self>,
        #[extension_type] inputs: List<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        graph: Arc<Graph>,
        scalars: Arc<[f64]>,
        lanes: Vec<usize>,
    ) -> FloatTensor<Self>;

    /// Adds up the elements of one tensor in the elements of another, smaller one.
    #[fusion(meta = |_from, to| to.clone())]
    fn fold(from: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self>;
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
