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
    let (work, beside) = Work::new(program.update.clone(), &scalars);
    let (parameter, after) =
        <Dispatch as Engine>::update(parameter, gradient, before, beside, work);
    *states = after.into_vec();
    parameter
}

/// What a kernel does with each element.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) graph: Arc<Graph>,
    /// The scalars that are numbers.
    pub(super) numbers: Arc<[f64]>,
    /// The lanes of the scalars that lie on the device, beside the tensors.
    pub(super) lanes: Vec<usize>,
    /// The words that noise follows from; none where there is none.
    pub(super) key: Vec<u32>,
}

impl Work {
    /// A graph with its scalars, and those of them that lie on the device.
    pub(super) fn new(graph: Arc<Graph>, scalars: &Scalars) -> (Self, List<Dispatch>) {
        let (lanes, beside) = scalars.on_device.iter().cloned().unzip();
        let (numbers, key) = (scalars.numbers.clone(), scalars.key.iter().flatten().copied());
        (Self { graph, numbers, lanes, key: key.collect() }, List::new(beside))
    }
}

/// A backend that runs a rule by a kernel.
///
/// A gradient has the shape and the dtype of its parameter; a state its shape, and the dtype to
/// compute in. So have the scalars `beside`, of one element each.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(super) trait Engine: Backend {
    /// Updates parameter and states, in place where nobody else holds them.
    #[fusion(meta = |parameter, _gradient, states, _beside, _work| (parameter.clone(), states.clone()))]
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        work: Work,
    ) -> (FloatTensor<Self>, List<Self>);

    /// Adds the graph of all elements of the inputs (a parameter, and its gradient if the graph
    /// asks for it) to the parts of a sum.
    #[fusion(meta = |parts, _inputs, _states, _beside, _work| parts.clone())]
    fn add(
        parts: FloatTensor<Self>,
        #[extension_type] inputs: List<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        work: Work,
    ) -> FloatTensor<Self>;

    /// Adds up the elements of one tensor in the elements of another, smaller one.
    #[fusion(meta = |_from, to| to.clone())]
    fn fold(from: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The norm, in the one element of `to`, of what has these sums of squares.
    #[fusion(meta = |_squares, to| to.clone())]
    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self>;
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
