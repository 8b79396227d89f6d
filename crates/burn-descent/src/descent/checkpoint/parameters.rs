//! What of a checkpoint fits each parameter of a model.

use super::restore::Found;
use super::{AVERAGE, Mismatch, Parameter, SLOW, STATE, SUM, WEIGHTS, name};
use crate::descent::Descent;
use crate::descent::apply::State;
use crate::descent::group::AnyOptimizer;
use crate::descent::position::Position;
use crate::descent::visit::{Each, Tensors, compute_dtype, inner};
use burn::module::{Param, ParamId};
use burn::optim::{RecordState, StateSource};
use burn::tensor::{DType, Tensor};
use burn_descent_engine::FusedState;
use std::collections::{HashMap, HashSet};

/// Looks at one parameter of the model after another.
pub(super) struct Look<'a> {
    pub(super) descent: &'a Descent,
    /// If averages of the file go on: how many weights they are of, where a parameter does not say.
    pub(super) averaged: Option<u64>,
    pub(super) source: StateSource,
    /// The tensors of the file.
    pub(super) names: HashSet<String>,
    /// The parameters of the file that have not been met.
    pub(super) saved: HashMap<&'a str, &'a Parameter>,
    pub(super) seen: HashSet<ParamId>,
    pub(super) found: Found,
}

impl Each for Look<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let id = param.id;
        if !self.seen.insert(id) {
            return;
        }
        let parameter = path.to_owned();
        let setup = &self.descent.setup;
        let Some(member) = setup.members.get(&id) else {
            return self.found.mismatches.push(Mismatch::Unknown { parameter });
        };
        let Some(saved) = self.saved.remove(path) else {
            return self.found.mismatches.push(Mismatch::Missing { parameter });
        };
        let weights = inner(param.val());
        let (shape, dtype) = (weights.shape(), weights.dtype());
        if saved.shape != shape {
            let (saved, expected) = (saved.shape.clone(), shape);
            return self.found.mismatches.push(Mismatch::Shape { parameter, saved, expected });
        }
        if saved.dtype != dtype {
            let (saved, expected) = (saved.dtype, dtype);
            return self.found.mismatches.push(Mismatch::Dtype { parameter, saved, expected });
        }
        let restored = self.tensor(WEIGHTS, path, &weights, dtype);
        match restored {
            Some(restored) => self.found.weights.register(id, restored),
            None => self.refuse(path, WEIGHTS),
        }

        let optimizer = &setup.groups[member.group].optimizers[member.optimizer];
        if saved.optimizer != optimizer.name() {
            let (saved, expected) = (saved.optimizer.clone(), optimizer.name().to_owned());
            self.found.mismatches.push(Mismatch::Optimizer { parameter, saved, expected });
        } else if saved.stepped {
            match state(optimizer, &name(STATE, path), &mut self.source, &weights) {
                Some(state) => drop(self.found.position.states.insert(id, state)),
                None => self.refuse(path, STATE),
            }
        }

        let wishes = &setup.wishes;
        if self.found.position.accumulator.seen > 0 {
            self.part(SUM, path, id, &weights, |position| &mut position.accumulator.sums);
        }
        if let Some(averaged) = self.averaged {
            let seen = saved.averaged.unwrap_or(averaged);
            if seen > 0 {
                self.found.position.averages.seen.insert(id, seen);
            }
            self.part(AVERAGE, path, id, &weights, |position| &mut position.averages.weights);
        }
        if wishes.lookahead.is_some() {
            self.part(SLOW, path, id, &weights, |position| &mut position.slow);
        }
    }
}

impl Look<'_> {
    fn refuse(&mut self, path: &str, part: &'static str) {
        self.found.mismatches.push(Mismatch::Part { parameter: path.to_owned(), part });
    }

    /// A tensor of the file, on the device of the weights; `None` if it is not there, or not as
    /// large and precise as it should be.
    fn tensor<const D: usize>(
        &mut self,
        part: &str,
        path: &str,
        weights: &Tensor<D>,
        dtype: DType,
    ) -> Option<Tensor<D>> {
        let data = self.source.take_tensor("", &name(part, path))?;
        let fits = data.dtype() == dtype && *data.shape() == weights.shape();
        fits.then(|| Tensor::from_data(data, (&weights.device(), dtype)))
    }

    /// What may be kept of a parameter, or not: one that never had a gradient has no average.
    fn part<const D: usize>(
        &mut self,
        part: &'static str,
        path: &str,
        id: ParamId,
        weights: &Tensor<D>,
        of: impl Fn(&mut Position) -> &mut Tensors,
    ) {
        if !self.names.contains(&name(part, path)) {
            return;
        }
        match self.tensor(part, path, weights, compute_dtype(weights.dtype())) {
            Some(tensor) => of(&mut self.found.position).register(id, tensor),
            None => self.refuse(path, part),
        }
    }
}

/// The state of one parameter, if it is one of this optimizer's.
fn state<const D: usize>(
    optimizer: &AnyOptimizer,
    prefix: &str,
    source: &mut StateSource,
    weights: &Tensor<D>,
) -> Option<State> {
    let device = weights.device();
    match optimizer {
        AnyOptimizer::Ours(fused) => {
            let state = FusedState::state_unflatten(prefix, source, &device)?;
            fused.fits(&state, weights).then_some(State::Ours(state))
        }
        AnyOptimizer::Foreign(foreign, _) => {
            foreign.state_unflatten(D, prefix, source, &device).map(State::Foreign)
        }
    }
}
