//! The step of each parameter.

use super::gradients::Descending;
use super::group::Member;
use super::group_step::{GroupStep, OptimizerStep};
use super::param::{is_frozen, put, replace};
use super::visit::{ByParameter, Tensors};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::DynState;
use burn::tensor::{DType, Shape, Tensor};
use burn_descent_engine::{Deferred, Fused, FusedState, Place};

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

    pub(super) fn as_ours(&self) -> Option<&FusedState> {
        match self {
            Self::Ours(state) => Some(state),
            Self::Foreign(..) => None,
        }
    }

    fn ours_mut(&mut self) -> &mut FusedState {
        match self {
            Self::Ours(state) => state,
            Self::Foreign(..) => unreachable!("{OWN}"),
        }
    }

    pub(super) fn foreign(self) -> DynState {
        match self {
            Self::Foreign(state, ..) => state,
            Self::Ours(_) => unreachable!("{OWN}"),
        }
    }
}

const OWN: &str = "a parameter has one optimizer, and the state is its own";

pub(super) const LOOKED_AT: &str = "all that can refuse a step has been looked at before it";

/// The states of the parameters that have been stepped.
pub(super) type States = ByParameter<State>;

/// The model after a step of every parameter that has a gradient.
pub(super) fn apply<M: Module>(
    model: M,
    members: &ByParameter<Member>,
    groups: &[GroupStep],
    states: &mut States,
    descending: Descending,
) -> M {
    let Descending { gradients, places, .. } = descending;
    let (tied, deferred) = (Tensors::new(), Vec::new());
    let mut apply = Apply { members, groups, states, gradients, places, tied, deferred };
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
    groups: &'a [GroupStep],
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
            let nothing = no_elements(&param);
            return put(param, nothing);
        }
        let Some(gradient) = self.gradients.remove::<D>(id) else { return param };
        let group = &self.groups[member.group];
        let together = tied || param.shape().num_elements() >= LARGE;
        match &group.optimizers[member.optimizer] {
            OptimizerStep::Ours(fused) if fused.sees_model() => {
                return self.defer(fused, group.lr, member.place, param, gradient);
            }
            OptimizerStep::Ours(fused) if !fused.steps_leaf(&param) => {}
            OptimizerStep::Ours(fused) if together => {
                return self.defer(fused, group.lr, member.place, param, gradient);
            }
            OptimizerStep::Ours(fused) => {
                return self.step_leaf(fused, group.lr, member.place, param, gradient);
            }
            OptimizerStep::Foreign { .. } | OptimizerStep::Search => {}
        }
        let param = self.step(group, member, param, gradient);
        if tied {
            self.tied.register(id, param.val());
        }
        param
    }
}

/// A tensor without elements, without autodiff, on the device of the parameter.
fn no_elements<const D: usize>(param: &Param<Tensor<D>>) -> Tensor<D> {
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
        let nothing = no_elements(&param);
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
        group: &GroupStep,
        member: Member,
        param: Param<Tensor<D>>,
        gradient: Tensor<D>,
    ) -> Param<Tensor<D>> {
        let id = param.id;
        replace(param, |weights| {
            let (weights, state) = group.step(member, weights, gradient, self.states.remove(&id));
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
