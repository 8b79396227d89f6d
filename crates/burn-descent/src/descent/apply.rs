//! The step of each parameter.

use super::group::{AnyOptimizer, Member};
use super::param::Change;
use super::visit::Tensors;
use burn::module::{Param, ParamId};
use burn::optim::{DynOptimizer, DynState};
use burn::tensor::Tensor;
use burn_descent_engine::{Fused, FusedState};
use std::collections::HashMap;
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

    fn foreign(self) -> DynState {
        match self {
            Self::Foreign(state) => state,
            Self::Ours(_) => unreachable!("{OWN}"),
        }
    }
}

const OWN: &str = "a parameter has one optimizer, and the state is its own";

/// The states of the parameters that have been stepped.
pub(super) type States = HashMap<ParamId, State>;

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
        factor: f64,
    },
}

impl Ready {
    pub(super) fn new(optimizer: &AnyOptimizer, factor: f64) -> Self {
        match optimizer {
            AnyOptimizer::Ours(fused) => Self::Ours(fused.clone().scaled(factor)),
            AnyOptimizer::Foreign(optimizer, _) => {
                Self::Foreign { optimizer: optimizer.clone(), factor }
            }
        }
    }
}

impl Pace {
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
                let gradient = if *factor == 1.0 { gradient } else { gradient.mul_scalar(*factor) };
                let state = state.map(|state| optimizer.to_device_dyn(state.foreign(), &device));
                let (weights, gradient) = (weights.into_bridge(), gradient.into_bridge());
                let (weights, state) = optimizer.step_dyn(D, self.lr, weights, gradient, state);
                (Tensor::from_bridge(weights), state.map(State::Foreign))
            }
        }
    }
}

/// Steps every parameter that has a gradient.
pub(super) struct Apply<'a> {
    pub(super) paces: &'a [Pace],
    pub(super) states: &'a mut States,
    pub(super) gradients: Tensors,
}

impl Change for Apply<'_> {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.gradients.remove(param.id)
    }

    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        member: Member,
        weights: Tensor<D>,
        gradient: Tensor<D>,
    ) -> Tensor<D> {
        let state = self.states.remove(&id);
        let (weights, state) = self.paces[member.group].step(member, weights, gradient, state);
        state.and_then(|state| self.states.insert(id, state));
        weights
    }
}
