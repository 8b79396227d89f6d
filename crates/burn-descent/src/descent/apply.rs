//! The step of each parameter.

use super::gradients::Descending;
use super::group::{AnyOptimizer, Member};
use super::param::{is_frozen, put, replace};
use super::visit::{ByParameter, Tensors};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{DynOptimizer, DynState};
use burn::tensor::{DType, Shape, Tensor};
use burn_descent_engine::{Deferred, Fused, FusedState, Place, Reading};
use std::sync::Arc;

/// What an optimizer remembers of one parameter.
#[derive(Clone)]
pub(super) enum State {
    Ours(FusedState),
    /// With the shape and the precision of the parameter, which burn's states do not tell.
    Foreign(DynState, Shape, DType),
}

impl State {
    pub(super) fn ours(self) -> FusedState {
        match self {
            Self::Ours(state) => state,
            Self::Foreign(..) => unreachable!("{OWN}"),
        }
    }

    fn ours_mut(&mut self) -> &mut FusedState {
        match self {
            Self::Ours(state) => state,
            Self::Foreign(..) => unreachable!("{OWN}"),
        }
    }

    fn foreign(self) -> DynState {
        match self {
            Self::Foreign(state, ..) => state,
            Self::Ours(_) => unreachable!("{OWN}"),
        }
    }
}

const OWN: &str = "a parameter has one optimizer, and the state is its own";

const LOOKED_AT: &str = "all that can refuse a step has been looked at before it";

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
                let state = state.unwrap_or_else(|| fused.start_as(&weights, member.place));
                let stepped = fused.try_step(self.lr, weights, gradient, Some(state));
                let (weights, state) = stepped.expect(LOOKED_AT);
                (weights, Some(State::Ours(state)))
            }
            Ready::Foreign { optimizer, factor } => {
                let device = weights.device();
                let gradient = gradient.to_device(&device);
                let gradient = times(gradient, factor);
                let state = state.map(|state| optimizer.to_device_dyn(state.foreign(), &device));
                let (shape, dtype) = (weights.shape(), weights.dtype());
                let (weights, gradient) = (weights.into_bridge(), gradient.into_bridge());
                let (weights, state) = optimizer.step_dyn(D, self.lr, weights, gradient, state);
                (
                    Tensor::from_bridge(weights),
                    state.map(|state| State::Foreign(state, shape, dtype)),
                )
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
    descending: Descending,
) -> M {
    let Descending { gradients, places, .. } = descending;
    let (tied, deferred) = (Tensors::new(), Vec::new());
    let mut apply = Apply { members, paces, states, gradients, places, tied, deferred };
    let model = model.map(&mut apply);
    let Apply { tied, deferred, .. } = apply;
    if deferred.is_empty() && tied.is_empty() {
        return model;
    }
    let (ids, mut steps): (Vec<_>, Vec<_>) = deferred.into_iter().unzip();
    Deferred::run(&mut steps);
    let steps = ids.into_iter().zip(steps).collect();
    model.map(&mut PutBack { steps, states, tied })
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
    /// The places yet to come of the parameters that the model holds more than once. They are taken
    /// out of all of them and stepped at the last one, where nobody else holds their tensor.
    places: ByParameter<u32>,
    /// Those that have been stepped.
    tied: Tensors,
    deferred: Vec<(ParamId, Deferred)>,
}

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let Some(member) = self.members.get(&id).copied() else { return param };
        if is_frozen(&param) {
            return param;
        }
        let places = self.places.get_mut(&id);
        let tied = places.is_some();
        if let Some(left) = places
            && *left > 1
        {
            *left -= 1;
            let nothing = nothing_beside(&param);
            return put(param, nothing);
        }
        let Some(gradient) = self.gradients.remove::<D>(id) else { return param };
        let pace = &self.paces[member.group];
        let together = tied || param.shape().num_elements() >= LARGE;
        match &pace.optimizers[member.optimizer] {
            Ready::Ours(fused) if fused.sees_model() => {
                return self.defer(fused, pace.lr, member.place, param, gradient);
            }
            Ready::Ours(fused) if !fused.steps_leaf(&param) => {}
            Ready::Ours(fused) if together => {
                return self.defer(fused, pace.lr, member.place, param, gradient);
            }
            Ready::Ours(fused) => {
                return self.step_leaf(fused, pace.lr, member.place, param, gradient);
            }
            Ready::Foreign { .. } => {}
        }
        let param = self.step(pace, member, param, gradient);
        if tied {
            self.tied.register(id, param.val());
        }
        param
    }
}

/// A tensor without elements, without autodiff, on the device of the parameter.
fn nothing_beside<const D: usize>(param: &Param<Tensor<D>>) -> Tensor<D> {
    Tensor::empty([0; D], &param.device().without_autodiff())
}

impl Apply<'_> {
    /// Steps the parameter in its leaf.
    fn step_leaf<const D: usize>(
        &mut self,
        fused: &Fused,
        lr: f64,
        place: Place,
        param: Param<Tensor<D>>,
        gradient: Tensor<D>,
    ) -> Param<Tensor<D>> {
        let (id, weights, mapper) = param.consume();
        let start = || State::Ours(fused.start_as(&weights, place));
        let state = self.states.entry(id).or_insert_with(start).ours_mut();
        let weights = fused.advance(lr, weights, gradient, state);
        Param::from_mapped_value(id, weights.expect(LOOKED_AT), mapper)
    }

    /// Takes the parameter out, to be stepped together with others.
    fn defer<const D: usize>(
        &mut self,
        fused: &Fused,
        lr: f64,
        place: Place,
        param: Param<Tensor<D>>,
        gradient: Tensor<D>,
    ) -> Param<Tensor<D>> {
        let nothing = nothing_beside(&param);
        let (id, weights, mapper) = param.consume();
        let state = self.states.remove(&id).map(State::ours);
        let state = state.unwrap_or_else(|| fused.start_as(&weights, place));
        let step = fused.defer(lr, weights, gradient, state);
        self.deferred.push((id, step.expect(LOOKED_AT)));
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
            weights
        })
    }
}

/// Puts parameters that have been stepped outside of their model back, wherever it holds them.
struct PutBack<'a> {
    steps: ByParameter<Deferred>,
    states: &'a mut States,
    tied: Tensors,
}

impl ModuleMapper for PutBack<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        if is_frozen(&param) {
            return param;
        }
        if let Some(step) = self.steps.remove(&id) {
            let distributed = step.is_distributed();
            let (weights, state) = step.finish::<D>();
            let weights = if distributed { weights.set_distributed(id) } else { weights };
            self.states.insert(id, State::Ours(state));
            self.tied.register(id, weights);
        }
        match self.tied.get::<D>(id) {
            Some(weights) => put(param, weights),
            None => param,
        }
    }
}
