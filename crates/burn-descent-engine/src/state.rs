//! What an optimizer remembers of one parameter, and its record.

use crate::program::Program;
use crate::{MAX_STATES, StepError};
use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

/// The state tensors of one parameter and the number of steps it has taken.
///
/// States are kept in f64 for parameters in f64 and in f32 for all others: a moment in bf16 would
/// stand still.
#[derive(Clone, Debug)]
pub struct FusedState<const D: usize> {
    lanes: Vec<Lane<D>>,
    time: u64,
    /// [`Program::fingerprint`] of the rule that made it; `None` in a record of another library.
    rule: Option<u64>,
}

/// One state. As loaded from a record it is data, until a step shows the device to put it on.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // `Ready` is what every step meets: no box for it
enum Lane<const D: usize> {
    Loaded(TensorData),
    Ready(Tensor<D>),
}

impl<const D: usize> Lane<D> {
    fn shape(&self) -> Shape {
        match self {
            Lane::Loaded(data) => data.shape().clone(),
            Lane::Ready(tensor) => tensor.shape(),
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Lane::Loaded(data) => data.dtype(),
            Lane::Ready(tensor) => tensor.dtype(),
        }
    }

    fn tensor(self, dtype: DType, device: &Device) -> Tensor<D> {
        match self {
            Lane::Loaded(data) => Tensor::from_data(data, (device, dtype)),
            Lane::Ready(tensor) if tensor.dtype() != dtype => tensor.cast(dtype),
            Lane::Ready(tensor) => tensor,
        }
    }
}

/// The precision in which a parameter of this type is updated, and in which its states, and all
/// sums and averages of it, are kept.
pub fn compute_dtype(parameter: DType) -> DType {
    if parameter == DType::F64 { DType::F64 } else { DType::F32 }
}

impl<const D: usize> FusedState<D> {
    /// The state before the first step.
    pub(crate) fn start(program: &Program, parameter: &Tensor<D>) -> Self {
        let options = (&parameter.device(), compute_dtype(parameter.dtype()));
        let full = |(_, value): &(_, f64)| Tensor::full(parameter.shape(), *value, options);
        let lanes = program.states.iter().map(full).map(Lane::Ready).collect();
        Self { lanes, time: 0, rule: Some(program.fingerprint) }
    }

    /// The state after a step.
    pub(crate) fn after(program: &Program, time: u64, tensors: Vec<Tensor<D>>) -> Self {
        let lanes = tensors.into_iter().map(Lane::Ready).collect();
        Self { lanes, time, rule: Some(program.fingerprint) }
    }

    /// The number of steps taken, and the state tensors, fit for this parameter.
    pub(crate) fn unpack(
        self,
        program: &Program,
        parameter: &Tensor<D>,
    ) -> Result<(u64, Vec<Tensor<D>>), StepError> {
        let optimizer = program.name;
        if !self.is_of(program) {
            return Err(StepError::ForeignState { optimizer });
        }
        let expected = parameter.shape();
        if let Some(found) = self.lanes.iter().map(Lane::shape).find(|found| *found != expected) {
            return Err(StepError::StateShape { optimizer, expected, found });
        }
        let (dtype, device) = (compute_dtype(parameter.dtype()), parameter.device());
        let tensors = self.lanes.into_iter().map(|lane| lane.tensor(dtype, &device)).collect();
        Ok((self.time, tensors))
    }

    /// Was this state made by this rule?
    pub(crate) fn is_of(&self, program: &Program) -> bool {
        self.rule == Some(program.fingerprint) && self.lanes.len() == program.states.len()
    }

    /// Was it made by this rule for such a parameter?
    pub(crate) fn fits(&self, program: &Program, parameter: &Tensor<D>) -> bool {
        let (shape, dtype) = (parameter.shape(), compute_dtype(parameter.dtype()));
        self.is_of(program)
            && self.lanes.iter().all(|lane| lane.shape() == shape && lane.dtype() == dtype)
    }

    /// How many steps the parameter has taken.
    pub fn steps(&self) -> u64 {
        self.time
    }

    /// The state tensors, in the order in which the rule declares them.
    pub fn tensors(&self) -> Vec<TensorData> {
        let data = |lane: &Lane<D>| match lane {
            Lane::Loaded(data) => data.clone(),
            Lane::Ready(tensor) => tensor.to_data(),
        };
        self.lanes.iter().map(data).collect()
    }

    /// The state on another device. What is still data stays so.
    pub(crate) fn on_device(mut self, device: &Device) -> Self {
        let lanes = self.lanes.into_iter().map(|lane| match lane {
            Lane::Ready(tensor) if tensor.device() != *device => {
                Lane::Ready(tensor.to_device(device))
            }
            there => there,
        });
        self.lanes = lanes.collect();
        self
    }
}

/// By hand: burn's derive names paths that only exist inside burn-optim.
impl<const D: usize> RecordState for FusedState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        for (lane, data) in self.tensors().into_iter().enumerate() {
            out.push_tensor(prefix, &lane.to_string(), data);
        }
        out.push_scalar(prefix, "time", self.time.into());
        if let Some(rule) = self.rule {
            out.push_scalar(prefix, "rule", rule.into());
        }
    }

    /// Never `None`: a state that cannot be read is refused by the next step, because burn would
    /// start anew without a word.
    fn state_unflatten(prefix: &str, src: &mut StateSource, _device: &Device) -> Option<Self> {
        let mut scalar = |key| src.take_scalar(prefix, key);
        let time: Option<u64> = scalar("time").and_then(|scalar| scalar.try_into().ok());
        let rule = scalar("rule").and_then(|scalar| scalar.try_into().ok());
        let rule = time.and(rule);
        let lanes = (0..MAX_STATES)
            .map_while(|lane| src.take_tensor(prefix, &lane.to_string()))
            .map(Lane::Loaded)
            .collect();
        Some(Self { lanes, time: time.unwrap_or(0), rule })
    }
}
