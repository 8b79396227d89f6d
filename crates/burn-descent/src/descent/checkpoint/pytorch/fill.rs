//! From tensors by PyTorch's names to a checkpoint.

use super::names::Place;
use super::{Parameters, Parts, PyTorchError, PyTorchMismatch, PyTorchRun, STEPS, count};
use crate::descent::Setup;
use crate::descent::checkpoint::{Checkpoint, Parameter, STATE, WEIGHTS, name};
use crate::descent::group::{AnyOptimizer, Member};
use crate::descent::visit::inner;
use burn::module::{ModuleVisitor, Param};
use burn::optim::StateSink;
use burn::store::{ModuleAdapter, PyTorchToBurnAdapter, bridge};
use burn::tensor::{Bool, DType, Int, Shape, Tensor, TensorData};
use burn_descent_engine::{self as engine, Fused, Store, Weights};
use burn_pack::Tensor as Stored;
use std::collections::HashMap;

/// What PyTorch calls the states of the rules whose arithmetic it has: the name of each rule, and of each state here and
/// there.
const STATES: [(&str, &[(&str, &str)]); 5] = [
    ("adam", &MOMENTS),
    ("adamw", &MOMENTS),
    ("auxiliary", &MOMENTS),
    ("sgd", &[("b", "momentum_buffer")]),
    ("muon", &[("m", "momentum_buffer")]),
];
const MOMENTS: [(&str, &str); 3] =
    [("m", "exp_avg"), ("v", "exp_avg_sq"), ("v_max", "max_exp_avg_sq")];

/// The steps of one parameter, where its optimizer counts them.
const STEP: &str = "step";

/// The end of a key of a checkpoint: the steps of one parameter.
const TIME: &str = "time";

/// Puts what PyTorch knows of each parameter into a checkpoint from before the first step.
pub(super) struct Fill<'a> {
    setup: &'a Setup,
    steps: u64,
    /// What nothing has taken so far.
    left: Parameters,
    checkpoint: Checkpoint,
    /// The parameters of the checkpoint by path, until they are met.
    numbers: HashMap<String, usize>,
    /// Where the visit is.
    place: Place,
    mismatches: Vec<PyTorchMismatch>,
}

/// A parameter of the model, and what the file has of it.
struct Found {
    path: String,
    /// Its number in the checkpoint.
    number: usize,
    /// Its name in the file.
    name: String,
    parts: Parts,
}

impl<'a> Fill<'a> {
    pub(super) fn new(setup: &'a Setup, mut checkpoint: Checkpoint, run: PyTorchRun) -> Self {
        checkpoint.header.steps = run.steps;
        let parameters = checkpoint.header.parameters.iter().enumerate();
        let numbers = parameters.map(|(number, parameter)| (parameter.path.clone(), number));
        Self {
            setup,
            steps: run.steps,
            left: run.parameters,
            numbers: numbers.collect(),
            checkpoint,
            place: Place::default(),
            mismatches: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Result<Checkpoint, PyTorchError> {
        let no_parameter = |name: &String| format!("the model has no parameter `{name}`");
        for (name, parts) in &self.left {
            for (part, tensor) in parts {
                // Such as `num_batches_tracked`, which burn does not count.
                let is_counter =
                    part == WEIGHTS && tensor.dtype.is_int() && tensor.shape.is_empty();
                if !is_counter {
                    self.mismatches.push(unused(part, name, no_parameter(name)));
                }
            }
        }
        match self.mismatches.is_empty() {
            true => Ok(self.checkpoint),
            false => Err(PyTorchError::Misfit(self.mismatches)),
        }
    }

    /// What the file has of the parameter where the visit is, at the first place that the model has it.
    fn find(&mut self) -> Option<Found> {
        let path = self.place.path();
        let number = self.numbers.remove(&path)?;
        let Some(name) = self.place.name_in(&self.left) else {
            self.mismatches.push(PyTorchMismatch::Weights { parameter: path });
            return None;
        };
        let parts = self.left.remove(&name)?;
        Some(Found { path, number, name, parts })
    }

    /// The value of a parameter or a buffer.
    fn value(&mut self, found: &mut Found) {
        let Some(weights) = found.parts.remove(WEIGHTS) else { return };
        let Parameter { shape, dtype, .. } =
            self.checkpoint.header.parameters[found.number].clone();
        if let Some(data) = self.data(WEIGHTS, found, weights, &shape, dtype) {
            self.checkpoint.tensors.insert(self::name(WEIGHTS, &found.path), data);
        }
    }

    /// A value of integers or booleans.
    fn visit_other(&mut self) {
        if let Some(mut found) = self.find() {
            self.value(&mut found);
            self.done(found, "nothing");
        }
    }

    /// A tensor of the file in burn's layout, and in the precision in which it is kept here.
    fn data(
        &mut self,
        part: &str,
        found: &Found,
        mut stored: Stored,
        expected: &Shape,
        dtype: DType,
    ) -> Option<TensorData> {
        let tensor = self::name(part, &found.name);
        stored.name = found.path.clone();
        let stored = PyTorchToBurnAdapter.adapt(stored, self.place.context());
        if !alike(stored.dtype, dtype) {
            let (found, expected) = (stored.dtype, dtype);
            self.mismatches.push(PyTorchMismatch::Dtype { tensor, found, expected });
            return None;
        }
        if stored.shape != *expected {
            let (found, expected) = (stored.shape.clone(), expected.clone());
            self.mismatches.push(PyTorchMismatch::Shape { tensor, found, expected });
            return None;
        }
        match bridge::into_data(stored) {
            Ok(data) => Some(data.convert_dtype(dtype)),
            Err(error) => {
                self.mismatches.push(unused(part, &found.name, error.to_string()));
                None
            }
        }
    }

    /// The state of a parameter that an optimizer steps.
    fn state<const D: usize>(&mut self, found: &mut Found, member: Member, weights: &Tensor<D>) {
        let (tensor, steps) = match found.parts.remove(STEP) {
            Some(step) => (self::name(STEP, &found.name), count(&step)),
            None => (STEPS.to_owned(), Some(self.steps)),
        };
        let is_possible =
            |steps: &u64| *steps <= self.steps && (*steps > 0 || found.parts.is_empty());
        let Some(steps) = steps.filter(is_possible) else {
            found.parts.clear();
            let parameter = found.name.clone();
            return self.mismatches.push(PyTorchMismatch::Steps { tensor, parameter });
        };
        if steps == 0 {
            return;
        }
        let optimizer = self.setup.optimizer(&member);
        let Some((fused, states)) = known(optimizer, weights, member.place) else {
            found.parts.clear();
            return self.mismatches.push(PyTorchMismatch::Optimizer {
                parameter: found.name.clone(),
                optimizer: optimizer.name().to_owned(),
            });
        };
        let prefix = [&*self::name(STATE, &found.path), "."].concat();
        let mut sink = StateSink::default();
        let start = fused.start_as(weights, member.place);
        fused.flatten_state(&start, weights, prefix.trim_end_matches('.'), &mut sink);
        for (key, data) in &mut sink.tensors {
            let is_this = |(ours, _): &&(&str, &str)| key.strip_prefix(&prefix) == Some(*ours);
            let Some((_, theirs)) = states.iter().find(is_this) else { continue };
            let Some(stored) = found.parts.remove(*theirs) else {
                self.mismatches.push(PyTorchMismatch::State {
                    tensor: self::name(theirs, &found.name),
                    optimizer: optimizer.name().to_owned(),
                });
                continue;
            };
            let (shape, dtype) = (data.shape().clone(), data.dtype());
            if let Some(taken) = self.data(theirs, found, stored, &shape, dtype) {
                *data = taken;
            }
        }
        for (key, number) in &mut sink.scalars {
            if key.strip_prefix(&prefix) == Some(TIME) {
                *number = steps.into();
            }
        }
        self.checkpoint.header.parameters[found.number].stepped = true;
        self.checkpoint.tensors.extend(sink.tensors);
        self.checkpoint.scalars.extend(sink.scalars);
    }

    /// What is left of a parameter.
    fn done(&mut self, found: Found, optimizer: &str) {
        let Found { name, parts, .. } = found;
        let reason = format!("it is no state of {optimizer}, which steps `{name}` here");
        let left = parts.keys().map(|part| unused(part, &name, reason.clone()));
        self.mismatches.extend(left);
    }
}

impl ModuleVisitor for Fill<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(mut found) = self.find() else { return };
        self.value(&mut found);
        let is_stepped = self.checkpoint.header.parameters[found.number].optimizer.is_some();
        let member = self.setup.members.get(&param.id).copied().filter(|_| is_stepped);
        if let Some(member) = member {
            self.state(&mut found, member, &inner(param.val()));
        }
        let optimizer = member.map_or("nothing", |member| self.setup.optimizer(&member).name());
        self.done(found, optimizer);
    }

    fn visit_int<const D: usize>(&mut self, _param: &Param<Tensor<D, Int>>) {
        self.visit_other();
    }

    fn visit_bool<const D: usize>(&mut self, _param: &Param<Tensor<D, Bool>>) {
        self.visit_other();
    }
}

/// The optimizer with states as they are computed, and what PyTorch calls them; `None` if it does not have them.
fn known<const D: usize>(
    optimizer: &AnyOptimizer,
    weights: &Tensor<D>,
    place: engine::Place,
) -> Option<(Fused, &'static [(&'static str, &'static str)])> {
    let AnyOptimizer::Ours(fused) = optimizer else { return None };
    let rule = fused.look(&weights.shape(), weights.dtype(), place).optimizer;
    let (_, states) = STATES.iter().find(|(name, _)| *name == rule)?;
    let fused = fused.clone().keep_all(Store::F32).ok()?;
    Some((fused.keep_weights(Weights::default()), states))
}

/// Are both of one kind of numbers?
fn alike(a: DType, b: DType) -> bool {
    let kinds: [fn(&DType) -> bool; 3] =
        [DType::is_float, |dtype| dtype.is_int() || dtype.is_uint(), DType::is_bool];
    kinds.into_iter().any(|is| is(&a) && is(&b))
}

fn unused(part: &str, parameter: &str, reason: String) -> PyTorchMismatch {
    PyTorchMismatch::Unused { tensor: name(part, parameter), reason }
}
