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
use std::any::Any;

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
    let (tied, deferred, nothing) = (Tensors::new(), Vec::new(), Nothing::default());
    let mut apply = Apply { members, groups, states, gradients, places, tied, deferred, nothing };
    let model = model.map(&mut apply);
    let Apply { places, tied, deferred, .. } = apply;
    if deferred.is_empty() && tied.is_empty() {
        return model;
    }
    let (ids, mut steps): (Vec<_>, Vec<_>) = deferred.into_iter().unzip();
    Deferred::run(&mut steps);
    let steps = ids.into_iter().zip(steps).collect();
    model.map(&mut PutBack { steps, states, places, tied })
}

/// Elements from which a tensor on a CPU is taken out of the model, to be stepped together with all
/// others of its kind. A smaller one is work for one thread, and is stepped on the way. On a GPU all are taken out that
/// kernels step: it launches few for many tensors.
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
    nothing: Nothing,
}

/// Tensors without elements and without autodiff, to be where parameters have been taken out: one of each rank, for a
/// GPU reserves memory for each that is made.
#[derive(Default)]
struct Nothing(Vec<Box<dyn Any>>);

impl Nothing {
    /// That of the rank of a parameter.
    fn of<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Tensor<D> {
        if let Some(nothing) = self.0.iter().find_map(|any| any.downcast_ref::<Tensor<D>>()) {
            return nothing.clone();
        }
        let nothing = Tensor::empty([0; D], &param.device().without_autodiff());
        self.0.push(Box::new(nothing.clone()));
        nothing
    }
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
            let nothing = self.nothing.of(&param);
            return put(param, nothing);
        }
        let Some(gradient) = self.gradients.remove::<D>(id) else { return param };
        let group = &self.groups[member.group];
        let together = tied || param.shape().num_elements() >= LARGE;
        match &group.optimizers[member.optimizer] {
            OptimizerStep::Ours(fused) if fused.sees_model() => {
                return self.defer(fused, group.lr, member.place, param, gradient);
            }
            OptimizerStep::Ours(fused) if fused.steps_leaf(&param) => {
                return match together {
                    true => self.defer(fused, group.lr, member.place, param, gradient),
                    false => self.step_leaf(fused, group.lr, member.place, param, gradient),
                };
            }
            OptimizerStep::Ours(fused) if fused.steps_by_kernels(&param, member.place) => {
                return self.defer(fused, group.lr, member.place, param, gradient);
            }
            OptimizerStep::Ours(_) => {}
            OptimizerStep::Foreign { .. } | OptimizerStep::Search => {}
        }
        let param = self.step(group, member, param, gradient);
        if tied {
            self.tied.register(id, param.val());
        }
        param
    }
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
        let nothing = self.nothing.of(&param);
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
    /// Has an entry for each parameter that the model holds more than once.
    places: ByParameter<u32>,
    /// Those of them that have been stepped.
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
            if !self.places.contains_key(&id) {
                return put(param, weights);
            }
            self.tied.register(id, weights);
        }
        match self.tied.get::<D>(id) {
            Some(weights) => put(param, weights),
            None => param,
        }
    }
}
