//! burn's backend extension for the kernel: under fusion a step is recorded, not run.

use super::kept::InWords;
use super::leaf::{put_back, take_out};
pub(super) use super::list::{List, Words};
use super::passes::{BUFFERS, Passes, counts};
use super::reduce::room;
use crate::scalars::Scalars;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchTensor, backend_extension};
use burn_descent_rules::{Domain, Fold, Graph, Node, Stages, View};
use std::sync::Arc;

/// The stages of a rule as kernels run them.
pub(crate) enum Kernels {
    /// What is known of all elements are scalars there.
    Whole(Whole),
    Passes(Arc<Passes>),
}

impl Kernels {
    /// The graph of all that it does, if it sees no sum.
    pub(super) fn alone(&self) -> Option<&Arc<Graph>> {
        match self {
            Self::Whole(Whole { sums, update }) => sums.is_empty().then_some(update),
            Self::Passes(_) => None,
        }
    }

    /// Those of a rule whose gradient is multiplied by the last of so many scalars; `None` if they do not
    /// compute all that it sees, or do not take all of its states.
    pub(crate) fn of(stages: &Stages, scalars: usize) -> Option<Self> {
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
    fn of(stages: &Stages, scalars: usize) -> Option<Self> {
        let sums = stages.sums.iter().flat_map(|stage| &stage.sums);
        let order: Vec<_> = sums.clone().map(|sum| sum.number).collect();
        let whole = sums.clone().all(|sum| sum.fold == Fold::Sum && sum.to == Domain::Tensor);
        // Parameter, gradient and the factor of the gradient, and a list of sums for each stage.
        let many = stages.states.len() + stages.sums.len() + 3 > BUFFERS;
        if !whole || many || stages.sees_matrices() || stages.coarse().next().is_some() {
            return None;
        }
        // Behind the factor: the number of elements, and the sums as they become known, of each tensor.
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
        Kernels::Whole(kernels) => {
            let mut slot = Some(parameter);
            kernels.step(&scalars, vec![Member { parameter: &mut slot, gradient, states }]);
            slot.expect("it is put back after a step")
        }
        Kernels::Passes(passes) => step_in_passes(passes, scalars, parameter, gradient, states),
    }
}

/// A tensor that is stepped.
pub(super) struct Member<'a> {
    /// There before the step, and after it; in its leaf of autodiff, if that is to stay.
    pub(super) parameter: &'a mut Option<DispatchTensor>,
    pub(super) gradient: DispatchTensor,
    pub(super) states: &'a mut Vec<DispatchTensor>,
}

impl Whole {
    /// Steps tensors that have the same scalars.
    pub(super) fn step(&self, scalars: &Scalars, members: Vec<Member<'_>>) {
        let (mut parameters, mut gradients) = (Vec::new(), Vec::new());
        let (mut states, mut slots) = (Vec::new(), Vec::new());
        for Member { parameter, gradient, states: own } in members {
            parameters.extend(take_out(parameter, &gradient));
            gradients.push(gradient);
            states.append(own);
            slots.push((parameter, own));
        }
        let each = states.len() / slots.len().max(1);
        let mut known = Vec::new();
        for graph in &self.sums {
            let to = room(&parameters[0], graph.outputs.len() * parameters.len());
            let (work, beside) = self.work(graph, scalars);
            known.push(<Dispatch as Engine>::sum(
                to,
                List(parameters.clone()),
                List(gradients.clone()),
                List(states.clone()),
                beside,
                List(known.clone()),
                work,
            ));
        }
        let (work, beside) = self.work(&self.update, scalars);
        let (parameters, gradients, states) = (List(parameters), List(gradients), List(states));
        let sums = List(known);
        let (parameters, states) =
            <Dispatch as Engine>::update(parameters, gradients, states, beside, sums, work);
        let mut states = states.0.into_iter();
        for ((slot, own), parameter) in slots.into_iter().zip(parameters.0) {
            put_back(slot, parameter);
            own.extend(states.by_ref().take(each));
        }
    }

    /// What is done by one of its graphs: where there are sums, each tensor has its own scalars behind the others.
    fn work(&self, graph: &Arc<Graph>, scalars: &Scalars) -> (Work, List<Dispatch>) {
        let (mut work, beside) = Work::new(graph.clone(), scalars);
        work.counts = !self.sums.is_empty();
        if work.counts {
            let before = self.sums.iter().take_while(|sums| !Arc::ptr_eq(sums, graph));
            let own = 1 + before.map(|sums| sums.outputs.len()).sum::<usize>();
            work.lanes.extend((0..own).map(|number| scalars.len() + number));
        }
        (work, beside)
    }
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
        List(before),
        List(coarse),
        beside,
        InPasses { passes: passes.clone(), view, work },
    );
    let after = own.0.into_iter().chain(coarse.0);
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
    /// Does the graph know of each tensor how many elements it has, and the sums before it?
    pub(super) counts: bool,
    /// The words that noise follows from; none where there is none.
    pub(super) key: Vec<u32>,
}

impl Work {
    /// A graph with its scalars, and those of them that lie on the device.
    pub(super) fn new(graph: Arc<Graph>, scalars: &Scalars) -> (Self, List<Dispatch>) {
        let beside = scalars.on_device.iter().map(|(lane, scalar)| (*lane, (**scalar).clone()));
        let (lanes, beside) = beside.unzip();
        let (numbers, key) =
            (scalars.numbers.clone(), scalars.draw.iter().flat_map(|draw| draw.key));
        (Self { graph, numbers, lanes, counts: false, key: key.collect() }, List(beside))
    }
}

/// A backend that runs a rule by a kernel.
///
/// A gradient has the shape and the dtype of its parameter; a state its shape, and the dtype to
/// compute in. So have the scalars `beside`, of one element each.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(super) trait Engine: Backend {
    /// Updates parameters and their states, in place where nobody else holds them. All states of a parameter are
    /// before those of the next, and so are the sums of each stage, that are known.
    #[fusion(meta = |parameters, _gradients, states, _beside, _sums, _work| {
        (parameters.clone(), states.clone())
    })]
    fn update(
        #[extension_type] parameters: List<Self>,
        #[extension_type] gradients: List<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        #[extension_type] sums: List<Self>,
        work: Work,
    ) -> (List<Self>, List<Self>);

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

    /// The sums, in the elements of `to`, of the graph of all elements of each parameter and what belongs to it; or of
    /// all parameters, if there is room for no more. Where the graph asks for no gradient, there may be none.
    #[fusion(meta = |to, _parameters, _gradients, _states, _beside, _sums, _work| to.clone())]
    fn sum(
        to: FloatTensor<Self>,
        #[extension_type] parameters: List<Self>,
        #[extension_type] gradients: List<Self>,
        #[extension_type] states: List<Self>,
        #[extension_type] beside: List<Self>,
        #[extension_type] sums: List<Self>,
        work: Work,
    ) -> FloatTensor<Self>;

    /// The norm, in the one element of `to`, of what has these sums of squares.
    #[fusion(meta = |_squares, to| to.clone())]
    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self>;
}
