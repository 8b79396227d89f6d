//! What of a checkpoint fits each parameter of a model.

use super::restore::Found;
use super::{
    AVERAGE, Mismatch, Parameter, SEARCH, SLOW, START, STATE, SUM, WEIGHTS, in_memory, name,
    portable,
};
use crate::descent::Descent;
use crate::descent::apply::State;
use crate::descent::group::AnyOptimizer;
use crate::descent::position::Position;
use crate::descent::visit::{Each, Tensors, compute_dtype, inner};
use burn::module::{Param, ParamId};
use burn::optim::{StateSink, StateSource};
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, DType, Int, Tensor};
use burn_descent_engine::FusedState;
use std::collections::{HashMap, HashSet};

/// The precisions in which is computed, and in which what is kept of a parameter is.
const COMPUTED: [DType; 2] = [DType::F32, DType::F64];

/// Looks at one parameter of the model after another.
pub(super) struct Look<'a> {
    pub(super) descent: &'a Descent,
    pub(super) buffers: HashSet<ParamId>,
    /// If averages of the file go on: how many weights they are of, where a parameter does not say.
    pub(super) averaged: Option<u64>,
    pub(super) source: StateSource,
    /// The tensors of the file, by the type that they have there.
    pub(super) types: HashMap<String, DType>,
    /// The parameters of the file that have not been found in the model.
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
        let weights = inner(param.val());
        if self.buffers.contains(&id) {
            self.value(path, id, &weights);
            return;
        }
        let parameter = path.to_owned();
        let setup = &self.descent.setup;
        let Some(member) = setup.members.get(&id) else {
            return self.found.mismatches.push(Mismatch::Unknown { parameter });
        };
        let Some(saved) = self.value(path, id, &weights) else { return };

        let optimizer = &setup.groups[member.group].optimizers[member.optimizer];
        if saved.optimizer.as_deref() != Some(optimizer.name()) {
            let saved = saved.optimizer.clone().unwrap_or_else(|| "nothing".into());
            let expected = optimizer.name().to_owned();
            self.found.mismatches.push(Mismatch::Optimizer { parameter, saved, expected });
        } else if saved.stepped {
            match self.state(optimizer, path, &weights) {
                Ok(Some(state)) => drop(self.found.position.states.insert(id, state)),
                Ok(None) => self.refuse(path, STATE),
                Err(mismatch) => self.found.mismatches.push(mismatch),
            }
        }

        let settings = &setup.settings;
        if self.found.position.accumulator.seen > 0 {
            self.part(SUM, path, id, &weights, |position| &mut position.accumulator.sums);
        }
        if let Some(averaged) = self.averaged {
            let seen = saved.averaged.unwrap_or(averaged);
            if seen > 0 {
                self.found.position.averages.seen.insert(id, seen);
            }
            // Whichever way the file has kept it: the next weights that it takes in find it as it is kept now.
            let dtypes = [COMPUTED[0], COMPUTED[1], DType::BF16];
            self.part_in(&dtypes, AVERAGE, path, id, &weights, |at| &mut at.averages.weights);
        }
        if settings.lookahead.is_some() {
            self.part(SLOW, path, id, &weights, |position| &mut position.slow);
        }
        if settings.mechanic.is_some() {
            self.part(START, path, id, &weights, |position| &mut position.starts);
        }
        self.vectors(path, member.place.stream, &weights);
    }

    fn each_int<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D, Int>>) {
        if self.seen.insert(param.id) {
            self.value(path, param.id, &param.val());
        }
    }

    fn each_bool<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D, Bool>>) {
        if self.seen.insert(param.id) {
            self.value(path, param.id, &param.val());
        }
    }
}

impl<'a> Look<'a> {
    fn refuse(&mut self, path: &str, part: &'static str) {
        self.found.mismatches.push(Mismatch::Part { parameter: path.to_owned(), part });
    }

    /// Finds the value that was saved for one of the model, if it is of the same kind and shape.
    fn value<const D: usize, K: Basic + 'static>(
        &mut self,
        path: &str,
        id: ParamId,
        value: &Tensor<D, K>,
    ) -> Option<&'a Parameter> {
        let parameter = path.to_owned();
        let Some(saved) = self.saved.remove(path) else {
            self.found.mismatches.push(Mismatch::Missing { parameter });
            return None;
        };
        let (shape, dtype) = (value.shape(), portable_dtype(value));
        if saved.shape != shape {
            let (saved, expected) = (saved.shape.clone(), shape);
            self.found.mismatches.push(Mismatch::Shape { parameter, saved, expected });
            return None;
        }
        if saved.dtype != dtype {
            let (saved, expected) = (saved.dtype, dtype);
            self.found.mismatches.push(Mismatch::Dtype { parameter, saved, expected });
            return None;
        }
        match self.tensor(WEIGHTS, path, value, &[dtype]) {
            Some(restored) => self.found.values.insert(id, restored),
            None => self.refuse(path, WEIGHTS),
        }
        Some(saved)
    }

    /// A tensor of the file, on the device of a value; `None` if it is not there, not as large as it should be, or of
    /// another type than these. What is computed with is taken up in the precision that the value has now, as the next
    /// step would take it: the model may have been cast since the last one.
    fn tensor<const D: usize, K: Basic>(
        &mut self,
        part: &str,
        path: &str,
        value: &Tensor<D, K>,
        dtypes: &[DType],
    ) -> Option<Tensor<D, K>> {
        let data = self.source.take_tensor("", &name(part, path))?;
        let dtype = data.dtype();
        let fits = dtypes.contains(&dtype) && *data.shape() == value.shape();
        let sound = || match dtype {
            DType::Bool(_) => data.as_slice::<bool>().is_ok(),
            // Its length does not follow from its shape.
            DType::QFloat(_) => data.bytes().len() == value.to_data().bytes().len(),
            _ => true,
        };
        let is_computed = COMPUTED.contains(&dtype);
        let now = if is_computed { compute_dtype(value.dtype()) } else { dtype };
        let sound = fits && sound();
        sound.then(|| Tensor::from_data(data, (&value.device(), now)))
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
        self.part_in(&COMPUTED, part, path, id, weights, of);
    }

    fn part_in<const D: usize>(
        &mut self,
        dtypes: &[DType],
        part: &'static str,
        path: &str,
        id: ParamId,
        weights: &Tensor<D>,
        of: impl Fn(&mut Position) -> &mut Tensors,
    ) {
        if !self.types.contains_key(&name(part, path)) {
            return;
        }
        match self.tensor(part, path, weights, dtypes) {
            Some(tensor) => of(&mut self.found.position).register(id, tensor),
            None => self.refuse(path, part),
        }
    }

    /// What the search keeps of one parameter.
    fn vectors<const D: usize>(&mut self, path: &str, number: u32, weights: &Tensor<D>) {
        let mut memory = core::mem::take(&mut self.found.position.search);
        for (list, vectors) in &mut memory.vectors {
            for (place, vector) in vectors.iter_mut().enumerate() {
                let part = in_memory(list, place);
                if !self.types.contains_key(&name(&part, path)) {
                    continue;
                }
                match self.tensor(&part, path, weights, &COMPUTED) {
                    Some(tensor) => vector.insert(number, tensor.reshape([-1])),
                    None => return self.refuse(path, SEARCH),
                }
            }
        }
        self.found.position.search = memory;
    }

    /// The state of one parameter, if it is one of this optimizer's and not older than the walk.
    fn state<const D: usize>(
        &mut self,
        optimizer: &AnyOptimizer,
        path: &str,
        weights: &Tensor<D>,
    ) -> Result<Option<State>, Mismatch> {
        let prefix = name(STATE, path);
        match optimizer {
            AnyOptimizer::Ours(fused) => {
                let state = fused.unflatten_state(weights, &prefix, &mut self.source);
                let steps = self.found.position.steps;
                let fits =
                    |state: &FusedState| fused.fits(state, weights) && state.steps() <= steps;
                Ok(state.filter(fits).map(State::Ours))
            }
            AnyOptimizer::Search { .. } => Ok(None),
            AnyOptimizer::Foreign(foreign, _) => {
                let device = weights.device();
                let state = foreign.state_unflatten(D, &prefix, &mut self.source, &device);
                let Some(state) = state else { return Ok(None) };
                // burn reads a state in the default precision of the device, and its next step would panic.
                let mut read = StateSink::default();
                foreign.state_flatten(&prefix, &state, &mut read);
                for (name, data) in &read.tensors {
                    let (parameter, read) = (path.to_owned(), data.dtype());
                    if let Some(saved) = self.types.get(name).copied().filter(|it| *it != read) {
                        return Err(Mismatch::StateDtype { parameter, saved, read });
                    }
                }
                Ok(Some(State::Foreign(state, weights.shape(), weights.dtype())))
            }
        }
    }
}

/// The precision in which a value is saved.
fn portable_dtype<const D: usize, K: Basic>(value: &Tensor<D, K>) -> DType {
    match value.dtype() {
        DType::Bool(_) | DType::QFloat(_) => portable(value.to_data()).dtype(),
        dtype => dtype,
    }
}
