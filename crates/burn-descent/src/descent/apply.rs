//! The step of each parameter.

use super::group::{AnyOptimizer, Member};
use burn::module::{ModuleMapper, Param, ParamId};
use burn::optim::{DynOptimizer, DynState, GradientsParams};
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

/// Walks over the model and steps every parameter that has a gradient.
pub(super) struct Apply<'a> {
    pub(super) members: &'a HashMap<ParamId, Member>,
    pub(super) paces: &'a [Pace],
    pub(super) states: &'a mut HashMap<ParamId, DynState>,
    pub(super) gradients: GradientsParams,
    /// The new weights of parameters that the model holds more than once.
    pub(super) tied: GradientsParams,
}

impl Apply<'_> {
    /// The weights after the step with this gradient.
    fn step<const D: usize>(
        &mut self,
        id: ParamId,
        member: Member,
        weights: Tensor<D>,
        gradient: Tensor<D>,
    ) -> Tensor<D> {
        let pace = &self.paces[member.group];
        let Ready { optimizer, factor } = &pace.optimizers[member.optimizer];
        let device = weights.device();
        let gradient = gradient.to_device(&device);
        let gradient = if *factor == 1.0 { gradient } else { gradient.mul_scalar(*factor) };
        let state = self.states.remove(&id).map(|state| optimizer.to_device_dyn(state, &device));
        let (weights, state) =
            optimizer.step_dyn(D, pace.lr, weights.into_bridge(), gradient.into_bridge(), state);
        state.and_then(|state| self.states.insert(id, state));
        let weights = Tensor::from_bridge(weights);
        if member.tied {
            self.tied.register(id, weights.clone());
        }
        weights
    }
}

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(member) = self.members.get(&param.id).copied() else { return param };
        let gradient = self.gradients.remove::<D>(param.id);
        let stepped = self.tied.get::<D>(param.id);
        if gradient.is_none() && stepped.is_none() {
            return param;
        }
        let (id, tensor, mapper) = param.consume();
        let context = Context::of(&tensor);
        let weights = match (stepped, gradient) {
            (Some(stepped), _) => stepped,
            (None, Some(gradient)) => self.step(id, member, context.inner(tensor), gradient),
            (None, None) => context.inner(tensor),
        };
        Param::from_mapped_value(id, context.restore(weights, id), mapper)
    }
}

/// What autodiff knows of a parameter, which the step is not to lose.
struct Context {
    autodiff: bool,
    require_grad: bool,
    distributed: bool,
    checkpointing: Option<burn::tensor::GradientCheckpointingStrategy>,
}

impl Context {
    fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Self {
            autodiff: tensor.is_autodiff(),
            require_grad: tensor.is_require_grad(),
            distributed: tensor.is_distributed(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    fn inner<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        if self.autodiff { tensor.inner() } else { tensor }
    }

    fn restore<const D: usize>(self, weights: Tensor<D>, id: ParamId) -> Tensor<D> {
        if !self.autodiff {
            return weights;
        }
        let mut tensor = Tensor::from_inner(weights);
        if let Some(strategy) = self.checkpointing {
            tensor = tensor.with_gradient_checkpointing_strategy(strategy);
        }
        if self.require_grad {
            tensor = tensor.require_grad();
        }
        if self.distributed {
            tensor = tensor.set_distributed(id);
        }
        tensor
    }
}
