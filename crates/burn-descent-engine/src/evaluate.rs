//! The weights to evaluate and ship.

use crate::program::Program;
use crate::state::Open;
use crate::store::Keeping;
use crate::{Fused, FusedState, portable};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{ModuleOptimizer, RecordState, StateSource};
use burn::store::RecordError;
use burn::tensor::{Tensor, TensorData};
use burn_pack::Reader;
use std::sync::Arc;

impl Fused {
    /// Are the weights to evaluate others than those that are trained?
    pub fn evaluates_elsewhere(&self) -> bool {
        !self.program.code.evaluate.is_identity()
    }

    /// The model to evaluate and to ship, in burn's [`valid`](Module::valid) form.
    ///
    /// Where the rule trains at one point and is evaluated at another, as
    /// [`Nesterov`](burn_descent_rules::Nesterov) does, its weights follow from the trained
    /// weights and the states in `optimizer`, with the options with which the last step was taken. For
    /// every other rule they are the trained weights. So are those of a parameter that has taken no step
    /// with this rule.
    pub fn evaluate<M: Module>(&self, model: &M, optimizer: &ModuleOptimizer) -> M {
        let model = model.valid();
        if self.program.code.evaluate.is_identity() {
            return model;
        }
        model.map(&mut Evaluate { program: &self.program, states: states(optimizer) })
    }
}

impl Fused {
    /// The weights of one parameter to evaluate and to ship, from its trained weights and its state;
    /// the trained weights if the state is not of this rule.
    pub fn evaluate_tensor<const D: usize>(
        &self,
        parameter: Tensor<D>,
        state: &FusedState,
    ) -> Tensor<D> {
        if self.program.code.evaluate.is_identity() {
            return parameter;
        }
        evaluate(&self.program, parameter, state.clone())
    }
}

fn evaluate<const D: usize>(
    program: &Arc<Program>,
    parameter: Tensor<D>,
    mut state: FusedState,
) -> Tensor<D> {
    if program.code.evaluate.is_identity() || state.steps() == 0 {
        return parameter;
    }
    let shape = parameter.shape();
    let program = &*program.for_shape(&shape, state.place);
    let code = &program.code;
    let bare = parameter.clone().into_dispatch();
    let kept = state.kept.clone();
    match state.open::<D>(program, &bare, &shape, kept) {
        Ok(Open { time, memory, last, kept, stream, view, tensors, .. }) => {
            let scalars = program.scalars_kept(last, *time, memory);
            let (dtype, mut lanes) = (parameter.dtype(), core::mem::take(tensors));
            let keeping = kept.map(|kept| Keeping::new(kept.clone(), code, *time, stream));
            let parameter = match keeping {
                Some(keeping) => Tensor::from_dispatch(keeping.widen::<D>(bare, &mut lanes)),
                None => parameter,
            };
            let states = lanes.into_iter().map(Tensor::from_dispatch).collect();
            portable::evaluate(code, parameter, states, code.seen(view), scalars).cast(dtype)
        }
        Err(_) => parameter,
    }
}

/// The states of all parameters. burn shows them to nobody but through a record.
fn states(optimizer: &ModuleOptimizer) -> StateSource {
    let read = || -> Result<StateSource, RecordError> {
        let reader = Reader::from_bytes(optimizer.into_bytes()?)?;
        let mut states = StateSource::new(reader.scalars().clone());
        for tensor in reader.into_tensors()? {
            let (name, dtype, shape, _, bytes) = tensor.into_parts()?;
            states.insert_tensor(name, TensorData::from_bytes(bytes, shape, dtype));
        }
        Ok(states)
    };
    read().expect("a record that has just been made is readable")
}

struct Evaluate<'a> {
    program: &'a Arc<Program>,
    states: StateSource,
}

impl ModuleMapper for Evaluate<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let prefix = id.val().to_string();
        let state = FusedState::state_unflatten(&prefix, &mut self.states, &tensor.device());
        let tensor = match state {
            Some(state) => evaluate(self.program, tensor, state),
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
