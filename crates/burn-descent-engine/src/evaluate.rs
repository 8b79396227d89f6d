//! The weights to judge and ship.

use crate::program::Program;
use crate::{Fused, FusedState, portable};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use std::sync::Arc;

impl Fused {
    /// The model to judge and to ship: where the rule trains at one point and is judged at
    /// another, as [`Nesterov`](burn_descent_rules::Nesterov) does, its weights follow from the
    /// trained weights and the state in `optimizer`. For every other rule, the model as it is.
    ///
    /// Parameters that have taken no step with this rule stay as they are.
    pub fn evaluate<M: Module>(&self, model: &M, optimizer: &ModuleOptimizer) -> M {
        if self.program.evaluate.is_identity() {
            return model.clone();
        }
        let mut touched = GradientsParams::new();
        model.visit(&mut Touch(&mut touched));
        // burn lets nobody but an optimizer meet parameter and state: evaluating is one step of
        // an optimizer whose states are those of `optimizer`, and which has no use for gradients.
        ModuleOptimizer::from(Evaluate(self.program.clone()))
            .load_record(optimizer.to_record())
            .step(0.0, model.clone(), touched)
    }
}

/// Gives every float parameter a gradient, so that an optimizer visits it.
struct Touch<'a>(&'a mut GradientsParams);

impl ModuleVisitor for Touch<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().inner());
    }
}

#[derive(Clone)]
struct Evaluate(Arc<Program>);

impl Optimizer for Evaluate {
    type State<const D: usize> = FusedState<D>;

    fn step<const D: usize>(
        &self,
        _lr: f64,
        tensor: Tensor<D>,
        _grad: Tensor<D>,
        state: Option<FusedState<D>>,
    ) -> (Tensor<D>, Option<FusedState<D>>) {
        let states = state
            .filter(|state| state.is_of(&self.0))
            .and_then(|state| state.unpack(&self.0, &tensor).ok());
        match states {
            Some((_, states)) => (portable::evaluate(&self.0, tensor, states), None),
            None => (tensor, None),
        }
    }

    fn to_device<const D: usize>(state: FusedState<D>, device: &Device) -> FusedState<D> {
        state.to_device(device)
    }
}
