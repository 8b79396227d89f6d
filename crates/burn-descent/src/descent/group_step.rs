//! A group of parameters at one step: its learning rate, and its optimizers as they are scheduled.

use super::apply::{LOOKED_AT, State};
use super::group::{AnyOptimizer, Member, Schedules};
use burn::optim::DynOptimizer;
use burn::tensor::Tensor;
use burn_descent_engine::{Fused, Reading};
use burn_descent_rules::{OptionError, check_lr};
use std::sync::Arc;

/// A group at one step.
pub(super) struct GroupStep {
    pub(super) lr: f64,
    /// With what is scheduled set.
    pub(super) optimizers: Vec<OptimizerStep>,
}

/// An optimizer at one step.
pub(super) enum OptimizerStep {
    Ours(Fused),
    /// It cannot take up the factor of the gradients.
    Foreign {
        optimizer: Arc<dyn DynOptimizer>,
        factor: Reading,
    },
    /// A search has moved the weights.
    Search,
}

impl GroupStep {
    /// What the schedules of a group say at a step, from 0.
    ///
    /// # Errors
    /// A learning rate or an option that is not allowed.
    pub(super) fn at(group: &Schedules, step: u64, lr: f64) -> Result<Self, OptionError> {
        let at = |(number, optimizer): (usize, &AnyOptimizer)| -> Result<_, OptionError> {
            check_lr(optimizer.name(), lr)?;
            Ok(match optimizer {
                AnyOptimizer::Ours(fused) if group.options.is_empty() => {
                    OptimizerStep::Ours(fused.clone())
                }
                AnyOptimizer::Ours(fused) => OptimizerStep::Ours(group.at(number, fused, step)?),
                AnyOptimizer::Foreign(optimizer, _) => {
                    OptimizerStep::Foreign { optimizer: optimizer.clone(), factor: 1.0.into() }
                }
                AnyOptimizer::Search { .. } => OptimizerStep::Search,
            })
        };
        let optimizers = group.optimizers.iter().enumerate().map(at).collect::<Result<_, _>>()?;
        Ok(Self { lr, optimizers })
    }

    /// The same, which meets its gradients times a factor, where the loss is `loss`.
    pub(super) fn meeting(self, factor: &Reading, loss: f64) -> Self {
        let scaled = |step| match step {
            OptimizerStep::Ours(fused) => {
                OptimizerStep::Ours(fused.scaled(factor.clone()).at_loss(loss))
            }
            OptimizerStep::Foreign { optimizer, .. } => {
                OptimizerStep::Foreign { optimizer, factor: factor.clone() }
            }
            OptimizerStep::Search => OptimizerStep::Search,
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
            OptimizerStep::Ours(fused) => {
                let state = state.map(State::ours);
                let state = state.unwrap_or_else(|| fused.start_as(&weights, member.place));
                let stepped = fused.try_step(self.lr, weights, gradient, Some(state));
                let (weights, state) = stepped.expect(LOOKED_AT);
                (weights, Some(State::Ours(state)))
            }
            OptimizerStep::Foreign { optimizer, factor } => {
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
            OptimizerStep::Search => (weights, state),
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
