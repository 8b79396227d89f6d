//! A step of states in words and weights of two bytes: in one kernel, or, where the rule takes more than one, between a kernel
//! that reads them and one that writes them.

use super::extension::{Engine, Kernels, List, Words, Work};
use super::halves::Half;
use super::passes::BUFFERS;
use crate::code::Code;
use crate::dispatch::{Step, beside};
use crate::scalars::Scalars;
use crate::store::{Coding, Keeping, Weights};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Tensor};
use burn_descent_rules::Graph;
use std::sync::Arc;

/// Lists of words that the kernels around a rule take at most.
const LISTS: usize = 4;

/// How what is kept of a parameter lies in its tensors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    /// How each state is kept.
    pub(super) states: Vec<Coding>,
    pub(super) weights: Weights,
    pub(super) half: Half,
}

impl Plan {
    fn of(keeping: &Keeping, parameter: DType) -> Self {
        let states = (0..keeping.states).map(|lane| keeping.kept.state(lane)).collect();
        let half = if parameter == DType::F16 { Half::F16 } else { Half::Bf16 };
        Self { states, weights: keeping.kept.weights, half }
    }

    /// The states that lie in words.
    pub(super) fn in_words(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|lane| self.is_words(*lane)).collect()
    }

    pub(super) fn is_words(&self, lane: usize) -> bool {
        self.states[lane].is_words()
    }

    /// The place of a state among those that lie in words, or among those that do not.
    pub(super) fn place(&self, lane: usize) -> usize {
        (0..lane).filter(|other| self.is_words(*other) == self.is_words(lane)).count()
    }

    /// The states that do not lie in words and those that do, and what is beside the weights behind these, if it is there.
    fn split(
        &self,
        states: &mut Vec<DispatchTensor>,
        has_lost: bool,
    ) -> (Vec<DispatchTensor>, Vec<DispatchTensor>) {
        let lost = (has_lost && self.weights.has_lost()).then(|| states.pop()).flatten();
        let lies_in_words =
            |lane: usize| self.states.get(lane).is_some_and(|state| state.is_words());
        let (mut full, mut words) = (Vec::new(), Vec::new());
        for (lane, state) in core::mem::take(states).into_iter().enumerate() {
            if lies_in_words(lane) { words.push(state) } else { full.push(state) }
        }
        words.extend(lost);
        (full, words)
    }

    /// Back from there.
    fn join(&self, full: Vec<DispatchTensor>, words: Vec<DispatchTensor>) -> Vec<DispatchTensor> {
        let (mut full, mut words) = (full.into_iter(), words.into_iter());
        let lanes = self.states.iter();
        let lane = |state: &Coding| if state.is_words() { words.next() } else { full.next() };
        let mut states: Vec<_> = lanes.filter_map(lane).collect();
        // What is kept of whole matrices, and what is beside the weights.
        states.extend(full.chain(words));
        states
    }

    /// The list of words that is beside the weights.
    pub(super) fn lost(&self) -> usize {
        self.in_words().len()
    }

    /// Are the weights computed otherwise than they are kept?
    pub(super) fn has_weights(&self) -> bool {
        self.weights != Weights::AsTheyAre
    }

    /// Do kernels take its lists?
    fn fits(&self) -> bool {
        self.lost() + usize::from(self.has_weights()) <= LISTS
    }

    /// Does one kernel take all of them?
    fn fits_one(&self) -> bool {
        // Parameter, gradient, states, and the factor of the gradient.
        self.states.len() + usize::from(self.weights.has_lost()) + 3 <= BUFFERS
    }
}

/// What kernels have to know of numbers in words.
#[derive(Clone)]
pub(crate) struct InWords {
    pub(super) plan: Arc<Plan>,
    /// Three words for each list, and for the weights behind them: the random numbers of rounding follow from these.
    pub(super) dice: Vec<u32>,
    /// What is done with each element; nothing, where numbers are read or written only.
    pub(super) work: Work,
}

impl InWords {
    /// What they have to know of a parameter; `None` if they do not take its lists, or do not count so far.
    pub(crate) fn of(keeping: &Keeping, parameter: &DispatchTensor) -> Option<Self> {
        let plan = Plan::of(keeping, parameter.dtype());
        if !plan.fits() || u32::try_from(parameter.shape().num_elements()).is_err() {
            return None;
        }
        let mut dice: Vec<_> =
            plan.in_words().into_iter().flat_map(|lane| keeping.dice(lane)).collect();
        dice.extend(keeping.dice_of_weights());
        let work = Work::new(Arc::default(), &Scalars::none()).0;
        Some(Self { plan: Arc::new(plan), dice, work })
    }

    /// One step: in one kernel, if the rule has one for all that it does, or by `full` between two.
    pub(crate) fn step<const D: usize>(
        self,
        full: Step,
        code: &Code,
        scalars: Scalars,
        parameter: DispatchTensor,
        gradient: DispatchTensor,
        states: &mut Vec<DispatchTensor>,
    ) -> DispatchTensor {
        match code
            .by_kernels(scalars.view)
            .and_then(Kernels::alone)
            .filter(|_| self.plan.fits_one())
        {
            Some(graph) => {
                let gradient = beside::<D>(&parameter, gradient);
                let scalars = scalars.beside(&parameter);
                step_in_one(self, graph, &scalars, parameter, gradient, states)
            }
            None => {
                let step = |parameter, states: &mut Vec<DispatchTensor>| {
                    full(code, scalars, parameter, gradient, states)
                };
                step_between::<D>(self, step, parameter, states)
            }
        }
    }
}

fn step_in_one(
    words: InWords,
    graph: &Arc<Graph>,
    scalars: &Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let plan = words.plan.clone();
    let (work, beside) = Work::new(graph.clone(), scalars);
    let (full, lists) = plan.split(states, true);
    let (parameter, full, lists) = <Dispatch as Engine>::update_kept(
        parameter,
        gradient,
        List(full),
        Words(lists),
        beside,
        InWords { work, ..words },
    );
    *states = plan.join(full.0, lists.0);
    parameter
}

fn step_between<const D: usize>(
    words: InWords,
    step: impl FnOnce(DispatchTensor, &mut Vec<DispatchTensor>) -> DispatchTensor,
    parameter: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let plan = words.plan.clone();
    let (full, lists) = plan.split(states, true);
    let device = Tensor::<D>::from_dispatch(parameter.clone()).device();
    let empty = |_| Tensor::<D>::empty(parameter.shape(), (&device, DType::F32)).into_dispatch();
    let count = plan.lost() + usize::from(plan.has_weights());
    let to = List((0..count).map(empty).collect());
    let wide =
        <Dispatch as Engine>::widen(parameter.clone(), Words(lists.clone()), to, words.clone());
    let mut wide = wide.0;
    // What is kept of the parameter is written over after the step.
    let (wide_parameter, kept) = match plan.has_weights() {
        true => (wide.remove(0), Some(parameter)),
        false => (parameter, None),
    };
    *states = plan.join(full, wide);
    let parameter = step(wide_parameter, states);
    let (full, wide) = plan.split(states, false);
    let (parameter, from) = match kept {
        Some(kept) => (kept, core::iter::once(parameter).chain(wide).collect()),
        None => (parameter, wide),
    };
    let (parameter, lists) =
        <Dispatch as Engine>::narrow(List(from), parameter, Words(lists), words);
    *states = plan.join(full, lists.0);
    parameter
}
