//! The step of each parameter.

use super::group::{AnyOptimizer, Member};
use super::param::replace;
use super::visit::{ByParameter, Tensors};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{DynOptimizer, DynState};
use burn::tensor::Tensor;
use burn_descent_engine::{Deferred, Fused, FusedState, Reading};
use std::sync::Arc;

/// What an optimizer remembers of one parameter.
#[derive(Clone)]
pub(super) enum State {
    Ours(FusedState),
    Foreign(DynState),
}

impl State {
    pub(super) fn ours(self) -> FusedState {
        match self {
            Self::Ours(state) => state,
            Self::Foreign(_) => unreachable!("{OWN}"),
        }
    }

    fn ours_mut(&mut self) -> &mut FusedState {
        match self {
            Self::Ours(state) => state,
            Self::Foreign(_) => unreachable!("{OWN}"),
        }
    }

    fn foreign(self) -> DynState {
        match self {
            Self::Foreign(state) => state,
            Self::Ours(_) => unreachable!("{OWN}"),
        }
    }
}

const OWN: &str = "a parameter has one optimizer, and the state is its own";

/// The states of the parameters that have been stepped.
pub(super) type States = ByParameter<State>;

/// A group at one step.
pub(super) struct Pace {
    pub(super) lr: f64,
    /// With what is scheduled and the factor of the gradients set.
    pub(super) optimizers: Vec<Ready>,
}

/// An optimizer at one step.
pub(super) enum Ready {
    Ours(Fused),
    /// It cannot take up the factor of the gradients.
    Foreign {
        optimizer: Arc<dyn DynOptimizer>,
        factor: Reading,
    },
}

impl Ready {
    pub(super) fn new(optimizer: &AnyOptimizer, factor: &Reading) -> Self {
        match optimizer {
            AnyOptimizer::Ours(fused) => Self::Ours(fused.clone().scaled(factor.clone())),
            AnyOptimizer::Foreign(optimizer, _) => {
                Self::Foreign { optimizer: optimizer.clone(), factor: factor.clone() }
            }
        }
    }
}

impl Pace {
    /// The same, meeting the gradients times a factor.
    pub(super) fn scaled(self, factor: &Reading) -> Self {
        let scaled = |ready| match ready {
            Ready::Ours(fused) => Ready::Ours(fused.scaled(factor.clone())),
            Ready::Foreign { optimizer, .. } => {
                Ready::Foreign { optimizer, factor: factor.clone() }
            }
        };
        Self { lr: self.lr, optimizers: self.optimizers.into_iter().map(scaled).collect() }
    }

    /// The weights and the state of one parameter after the step down this gradient.
    pub(super) fn step<const D: usize>(
        &self,
        member: Member,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<State>,
    ) -> (Tensor<D>, Option<State>) {
        match &self.optimizers[member.optimizer] {
            Ready::Ours(fused) => {
                let state = state.map(State::ours);
                let state = state.unwrap_or_else(|| fused.start_stream(&weights, member.stream));
                let stepped = fused.try_step(self.lr, weights, gradient, Some(state));
                let (weights, state) = stepped.unwrap_or_else(|error| panic!("{error}"));
                (weights, Some(State::Ours(state)))
            }
            Ready::Foreign { optimizer, factor } => {
                let device = weights.device();
                let gradient = gradient.to_device(&device);
                let gradient = times(gradient, factor);
                let state = state.map(|state| optimizer.to_device_dyn(state.foreign(), &device));
                let (weights, gradient) = (weights.into_bridge(), gradient.into_bridge());
                let (weights, state) = optimizer.step_dyn(D, self.lr, weights, gradient, state);
                (Tensor::from_bridge(weights), state.map(State::Foreign))
            }
        }
    }
}

/// The gradient times a factor, wherever that lies.
pub(super) fn times<const D: usize>(gradient: Tensor<D>, factor: &Reading) -> Tensor<D> {
    match factor.tensor() {
        Some(factor) => {
            let factor = factor.clone().to_device(&gradient.device()).cast(gradient.dtype());
            gradient * factor.reshape([1; D])
        }
        None if factor.get() == 1.0 => gradient,
        None => gradient.mul_scalar(factor.get()),
    }
}

/// The model after a step of every parameter that has a gradient.
pub(super) fn apply<M: Module>(
    model: M,
    members: &ByParameter<Member>,
    paces: &[Pace],
    states: &mut States,
    gradients: Tensors,
) -> M {
    let (tied, deferred) = (Tensors::new(), Vec::new());
    let mut apply = Apply { members, paces, states, gradients, tied, deferred };
    let model = model.map(&mut apply);
    let (ids, mut steps): (Vec<_>, Vec<_>) = apply.deferred.into_iter().unzip();
    if steps.is_empty() {
        return model;
    }
    Deferred::run(&mut steps);
    let steps = ids.into_iter().zip(steps).collect();
    model.map(&mut PutBack { steps, states })
}

/// Elements from which a tensor on a CPU is taken out of the model, to be stepped together with all
/// others of its kind. A smaller one is work for one thread, and is stepped on the way.
const LARGE: usize = 1 << 16;

/// Steps parameters, or takes them out to be stepped.
struct Apply<'a> {
    members: &'a ByParameter<Member>,
    paces: &'a [Pace],
    states: &'a mut States,
    gradients: Tensors,
    /// The new weights of parameters that the model holds more than once.
    tied: Tensors,
    deferred: Vec<(ParamId, Deferred)>,
}

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(member) = self.members.get(&param.id).copied() else { return param };
        if member.tied
            && let Some(changed) = self.tied.get::<D>(param.id)
        {
            return replace(param, |_| changed);
        }
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let pace = &self.paces[member.group];
        match &pace.optimizers[member.optimizer] {
            Ready::Ours(fused) if !member.tied && keeps_leaf(fused, &param) => {
                self.step_leaf(fused, pace.lr, member.stream, param, gradient)
            }
            _ => self.step(pace, member, param, gradient),
        }
    }
}

/// Does a step leave the parameter the leaf that it is? What is shared among devices is known to
/// burn by a leaf that is made anew.
fn keeps_leaf<const D: usize>(fused: &Fused, param: &Param<Tensor<D>>) -> bool {
    let is_leaf = param.is_require_grad() || !param.is_autodiff();
    is_leaf && !param.is_distributed() && fused.steps_leaf(param)
}

impl Apply<'_> {
    /// Steps the parameter in its leaf, or takes it out.
    fn step_leaf<const D: usize>(
        &mut self,
        fused: &Fused,
        lr: f64,
        stream: u32,
        param: Param<Tensor<D>>,
        gradient: Tensor<D>,
    ) -> Param<Tensor<D>> {
        let (id, weights, mapper) = param.consume();
        if weights.shape().num_elements() < LARGE {
            let start = || State::Ours(fused.start_stream(&weights, stream));
            let state = self.states.entry(id).or_insert_with(start).ours_mut();
            let weights = fused.advance(lr, weights, gradient, state);
            let weights = weights.unwrap_or_else(|error| panic!("{error}"));
            return Param::from_mapped_value(id, weights, mapper);
        }
        let state = self.states.remove(&id).map(State::ours);
        let state = state.unwrap_or_else(|| fused.start_stream(&weights, stream));
        let nothing = Tensor::empty([0; D], &weights.device());
        let step = fused.defer(lr, weights, gradient, state);
        self.deferred.push((id, step.unwrap_or_else(|error| panic!("{error}"))));
        Param::from_mapped_value(id, nothing, mapper)
    }

    /// Steps the parameter without its leaf, and gives it a new one.
    fn step<const D: usize>(
        &mut self,
        pace: &Pace,
        member: Member,
        param: Param<Tensor<D>>,
        gradient: Tensor<D>,
    ) -> Param<Tensor<D>> {
        let id = param.id;
        replace(param, |weights| {
            let (weights, state) = pace.step(member, weights, gradient, self.states.remove(&id));
            state.and_then(|state| self.states.insert(id, state));
            if member.tied {
                self.tied.register(id, weights.clone());
            }
            weights
        })
    }
}

/// Puts parameters that have been stepped outside of their model back.
struct PutBack<'a> {
    steps: ByParameter<Deferred>,
    states: &'a mut States,
}

impl ModuleMapper for PutBack<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(step) = self.steps.remove(&param.id) else { return param };
        let (id, _, mapper) = param.consume();
        let (weights, state) = step.finish();
        self.states.insert(id, State::Ours(state));
        Param::from_mapped_value(id, weights, mapper)
    }
}
