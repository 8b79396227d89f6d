//! burn's backend extension for the kernel: under fusion a step is recorded, not run.

use super::kept::InWords;
use super::passes::{Passes, counts};
use crate::scalars::Scalars;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{
    Backend, Dispatch, DispatchTensor, ExtensionType, TensorMetadata, backend_extension,
};
use burn_descent_rules::{Domain, Fold, Graph, Node, Stages, View};
use std::sync::Arc;

/// The stages of a rule as kernels run them.
pub(crate) enum Kernels {
    /// What is known of all elements are scalars there.
    Whole(Whole),
    Passes(Arc<Passes>),
}

impl Kernels {
    /// Those of a rule whose gradient is multiplied by the last of so many scalars; `None` if they do not
    /// compute all that it sees, or do not take all of its states.
    pub(crate) fn of(stages: &Stages, scalars: usize) -> Option<Self> {
        if stages.states.len() - stages.coarse().count() > LIST {
            return None;
        }
        let whole = Whole::of(stages, scalars).map(Self::Whole);
        whole.or_else(|| Some(Self::Passes(Arc::new(Passes::of(stages, scalars)?))))
    }
}

/// Those of a rule that sees a few sums over its tensor and nothing else.
pub(crate) struct Whole {
    /// Graphs whose outputs are summed over the tensor, stage by stage.
    sums: Vec<Arc<Graph>>,
    update: Arc<Graph>,
}

impl Whole {
    /// The graph of all that it does, if it sees no sum.
    pub(super) fn alone(&self) -> Option<&Arc<Graph>> {
        self.sums.is_empty().then_some(&self.update)
    }

    fn of(stages: &Stages, scalars: usize) -> Option<Self> {
        let sums = stages.sums.iter().flat_map(|stage| &stage.sums);
        let order: Vec<_> = sums.clone().map(|sum| sum.number).collect();
        let whole = sums.clone().all(|sum| sum.fold == Fold::Sum && sum.to == Domain::Tensor);
        // The factor of the gradient is one of the scalars in the list.
        let many = order.len() + 1 > LIST;
        if !whole || many || stages.sees_matrices() || stages.coarse().next().is_some() {
            return None;
        }
        // Behind the factor: the number of elements, and the sums as they become known.
        let lane = |number: usize| order.iter().position(|known| *known == number);
        let with_scalars = |graph: &Graph| {
            let mut graph = graph.clone();
            for node in &mut graph.nodes {
                *node = match *node {
                    Node::Count(_) => Node::Scalar(scalars),
                    Node::Known(number) => Node::Scalar(scalars + 1 + lane(number)?),
                    node => node,
                };
            }
            Some(Arc::new(graph))
        };
        let sums = stages.sums.iter().map(|stage| with_scalars(&stage.graph));
        Some(Self { sums: sums.collect::<Option<_>>()?, update: with_scalars(&stages.update)? })
    }
}

/// One step. Sums stay on the device.
pub(crate) fn step(
    kernels: &Kernels,
    scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    match kernels {
        Kernels::Whole(kernels) => step_whole(kernels, scalars, parameter, gradient, states),
        Kernels::Passes(passes) => step_in_passes(passes, scalars, parameter, gradient, states),
    }
}

fn step_whole(
    kernels: &Whole,
    mut scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    if !kernels.sums.is_empty() {
        let count = parameter.shape().num_elements() as f64;
        scalars.numbers = scalars.numbers.iter().copied().chain([count]).collect();
    }
    for graph in &kernels.sums {
        let sums = super::reduce::sums(graph.clone(), &parameter, &gradient, states, &scalars);
        for sum in sums {
            scalars.on_device.push((scalars.len(), sum));
        }
    }
    let before = List::new(core::mem::take(states));
    let (work, beside) = Work::new(kernels.update.clone(), &scalars);
    let (parameter, after) =
        <Dispatch as Engine>::update(parameter, gradient, before, beside, work);
    *states = after.into_vec();
    parameter
}

/// What the passes of a step need to know.
#[derive(Clone)]
pub(super) struct InPasses {
    pub(super) passes: Arc<Passes>,
    pub(super) view: View,
    /// The update, and the scalars of all passes.
    pub(super) work: Work,
}

fn step_in_passes(
    passes: &Arc<Passes>,
    mut scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let view = scalars.view;
    scalars.numbers = scalars.numbers.iter().copied().chain(counts(view)).collect();
    let (work, beside) = Work::new(passes.update.graph.clone(), &scalars);
    let mut lanes: Vec<_> = core::mem::take(states).into_iter().map(Some).collect();
    let take = |(lane, _): &(usize, Domain)| lanes[*lane].take().expect("each lane once");
    let mut before: Vec<_> = passes.states.iter().map(take).collect();
    let coarse = before.split_off(passes.update.own.len());
    let (parameter, own, coarse) = <Dispatch as Engine>::step_in_passes(
        parameter,
        gradient,
        List::new(before),
        List::new(coarse),
        beside,
        InPasses { passes: passes.clone(), view, work },
    );
    let after = own.into_vec().into_iter().chain(coarse.into_vec());
    for ((lane, _), state) in passes.states.iter().zip(after) {
        lanes[*lane] = Some(state);
    }
    *states = lanes.into_iter().flatten().collect();
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
        let (numbers, key) =
            (scalars.numbers.clone(), scalars.draw.iter().flat_map(|draw| draw.key));
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

    /// The same, where states lie in words, and what rounding has lost of the parameter behind them.
    #[fusion(meta = |parameter, _gradient, states, words, _beside, _work| {
        (parameter.clone(), states.clone(), words.clone())
    })]
    fn update_kept(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] words: Words<Self>,
        #[extension_type] beside: List<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, List<Self>, Words<Self>);

    /// What lies in words as it is computed: the parameter, if something is kept of its rounding, and states.
    #[fusion(meta = |_parameter, _words, to, _work| to.clone())]
    fn widen(
        parameter: FloatTensor<Self>,
        #[extension_type] words: Words<Self>,
        #[extension_type] to: List<Self>,
        work: InWords,
    ) -> List<Self>;

    /// Back from there.
    #[fusion(meta = |_from, parameter, words, _work| (parameter.clone(), words.clone()))]
    fn narrow(
        #[extension_type] from: List<Self>,
        parameter: FloatTensor<Self>,
        #[extension_type] words: Words<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, Words<Self>);

    /// Updates parameter and states by passes over the elements, and over what there is one number of for
    /// each row, column and so on.
    #[fusion(meta = |parameter, _gradient, states, coarse, _beside, _work| {
        (parameter.clone(), states.clone(), coarse.clone())
    })]
    fn step_in_passes(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] coarse: List<Self>,
        #[extension_type] beside: List<Self>,
        work: InPasses,
    ) -> (FloatTensor<Self>, List<Self>, List<Self>);

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

/// How many tensors a [`List`] holds.
pub(super) const LIST: usize = 4;

macro_rules! list {
    ($(#[$doc:meta])* $name:ident of $kind:ident) => {
        $(#[$doc])*
        #[derive(ExtensionType)]
        #[extension_type(fusion: cfg(feature = "fusion"))]
        pub(super) enum $name<B: Backend> {
            None,
            One($kind<B>),
            Two($kind<B>, $kind<B>),
            Three($kind<B>, $kind<B>, $kind<B>),
            Four($kind<B>, $kind<B>, $kind<B>, $kind<B>),
        }

        impl<B: Backend> $name<B> {
            pub(super) fn new(list: Vec<$kind<B>>) -> Self {
                let mut list = list.into_iter();
                match (list.next(), list.next(), list.next(), list.next()) {
                    (Some(a), Some(b), Some(c), Some(d)) => Self::Four(a, b, c, d),
                    (Some(a), Some(b), Some(c), _) => Self::Three(a, b, c),
                    (Some(a), Some(b), ..) => Self::Two(a, b),
                    (Some(a), ..) => Self::One(a),
                    (None, ..) => Self::None,
                }
            }

            pub(super) fn into_vec(self) -> Vec<$kind<B>> {
                match self {
                    Self::None => vec![],
                    Self::One(a) => vec![a],
                    Self::Two(a, b) => vec![a, b],
                    Self::Three(a, b, c) => vec![a, b, c],
                    Self::Four(a, b, c, d) => vec![a, b, c, d],
                }
            }
        }
    };
}

list! {
    /// Up to four tensors. burn's dispatch knows single tensors, not lists of them.
    List of FloatTensor
}

list! {
    /// Up to four tensors of words.
    Words of IntTensor
}
