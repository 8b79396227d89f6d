//! The step of each parameter.

use super::group::{AnyOptimizer, Member};
use super::param::Change;
use super::visit::Tensors;
use burn::module::{Param, ParamId};
use burn::optim::{DynOptimizer, DynState};
use burn::tensor::Tensor;
use std::collections::HashMap;
use std::sync::Arc;

/// A group at one step.
pub(super) struct Pace {
    pub(super) lr: f64,
    /// With what is scheduled and the factor of the gradients set.
    pub(super) optimizers: Vec<Ready>,
}

/// An optimizer at one step.
pub(super) struct Ready {
    optimizer: Arc<dyn DynOptimizer>,
    /// The factor of the gradients, where the optimizer cannot take it up.
    factor: f64,
}

impl Ready {
    pub(super) fn new(optimizer: &AnyOptimizer, factor: f64) -> Self {
        match optimizer {
            AnyOptimizer::Ours(fused) => {
                Self { optimizer: Arc::new(fused.clone().scaled(factor)), factor: 1.0 }
            }
            AnyOptimizer::Foreign(optimizer, _) => Self { optimizer: optimizer.clone(), factor },
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
        state: Option<DynState>,
    ) -> (Tensor<D>, Option<DynState>) {
        let Ready { optimizer, factor } = &self.optimizers[member.optimizer];
        let device = weights.device();
        let gradient = gradient.to_device(&device);
        let gradient = if *factor == 1.0 { gradient } else { gradient.mul_scalar(*factor) };
        let state = state.map(|state| optimizer.to_device_dyn(state, &device));
        let (weights, state) =
            optimizer.step_dyn(D, self.lr, weights.into_bridge(), gradient.into_bridge(), state);
        (Tensor::from_bridge(weights), state)
    }
}

/// Steps every parameter that has a gradient.
pub(super) struct Apply<'a> {
    pub(super) paces: &'a [Pace],
    pub(super) states: &'a mut HashMap<ParamId, DynState>,
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
