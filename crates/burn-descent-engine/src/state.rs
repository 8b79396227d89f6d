//! What an optimizer remembers of one parameter, and its record.

use crate::code::Code;
use crate::dispatch::place;
use crate::program::Program;
use crate::store::{self, Kept};
use crate::{Place, Reading, StepError};
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_descent_rules::{Domain, Keep, View};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The state tensors of one parameter and the number of steps it has taken.
///
/// States are kept in f64 for parameters in f64 and in f32 for all others: a moment in bf16 would
/// stand still.
#[derive(Clone, Debug)]
pub struct FusedState {
    pub(crate) lanes: Lanes,
    pub(crate) time: u64,
    /// What is remembered once for the parameter.
    pub(crate) memory: Vec<f64>,
    /// The scalars of its last step that [`Program::kept`] keeps.
    pub(crate) last: Vec<f64>,
    pub(crate) failed: Failed,
    /// What is known of the parameter; its stream tells the random numbers by which it is rounded from those of others.
    pub(crate) place: Place,
    /// How many numbers the parameter has.
    pub(crate) count: usize,
    /// How the states and the parameter are kept.
    pub(crate) kept: Kept,
    /// [`Code::fingerprint`] of the rule that made it; `None` in a record of another library.
    pub(crate) rule: Option<u64>,
}

/// How many refreshes of matrices that are kept have failed. A clone counts on its own.
#[derive(Debug, Default)]
pub(crate) struct Failed(Arc<AtomicU64>);

impl Failed {
    pub(crate) fn new(count: u64) -> Self {
        Self(Arc::new(count.into()))
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clone for Failed {
    fn clone(&self) -> Self {
        Self::new(self.count())
    }
}

/// The states, one after another.
#[derive(Clone, Debug)]
pub(crate) enum Lanes {
    /// As loaded from a record, they are data until a step shows the device to put them on.
    Loaded(Vec<TensorData>),
    /// On one device, and all of one dtype but for those that are kept in words.
    Ready(Vec<DispatchTensor>),
}

/// The precision in which a parameter of this type is updated, and in which its states, and all
/// sums and averages of it, are kept.
pub fn compute_dtype(parameter: DType) -> DType {
    if parameter == DType::F64 { DType::F64 } else { DType::F32 }
}

impl Code {
    /// The shape of a state of a parameter of this shape.
    fn shape_of(&self, lane: usize, shape: &Shape, place: Place) -> Shape {
        let of = self.stages.states[lane];
        if of == Domain::Element {
            return shape.clone();
        }
        flat(self.view_of(shape, place).numbers(of), shape.rank())
    }
}

/// The shape of a list of numbers, in as many dimensions as its parameter has.
pub(crate) fn flat(numbers: usize, rank: usize) -> Shape {
    let mut dims = vec![1; rank];
    if let Some(last) = dims.last_mut() {
        *last = numbers;
    }
    Shape::from(dims)
}

/// A state for a step to change.
pub(crate) struct Open<'a> {
    pub(crate) time: &'a mut u64,
    pub(crate) memory: &'a mut Vec<f64>,
    pub(crate) last: &'a mut Vec<f64>,
    pub(crate) failed: &'a Arc<AtomicU64>,
    /// How it is kept, where that is not as it is computed.
    pub(crate) kept: Option<&'a Kept>,
    pub(crate) stream: u32,
    pub(crate) view: View,
    pub(crate) tensors: &'a mut Vec<DispatchTensor>,
}

impl FusedState {
    /// The state before the first step.
    pub(crate) fn start<const D: usize>(
        program: &Program,
        parameter: &Tensor<D>,
        at: Place,
        kept: Kept,
    ) -> Self {
        let device = parameter.device().without_autodiff();
        let options = (&device, compute_dtype(parameter.dtype()));
        let code = &program.code;
        let count = parameter.shape().num_elements();
        let full = |(lane, value)| match kept.state(lane) {
            coding if coding.is_words() => {
                let words = store::encode(&vec![value as f32; count], coding, [0; 3], D);
                store::on_device::<D>(words, &device)
            }
            _ => {
                let shape = code.shape_of(lane, &parameter.shape(), at);
                Tensor::<D>::full(shape, value, options).into_dispatch()
            }
        };
        let whole = |keep: Keep| {
            let shape = flat(keep.len(), D);
            let data = TensorData::new(keep.numbers(), shape);
            Tensor::<D>::from_data(data, options).into_dispatch()
        };
        let states = program.starts().into_iter().enumerate().map(full);
        let keeps = program.keeps(&parameter.shape(), at).into_iter();
        let lost = kept.lost(count).map(|words| store::zeros::<D>(words, &device));
        let lanes = states.chain(keeps.map(whole)).chain(lost).collect();
        let mut memory = program.memory();
        if let (Some(_), Some(last)) = (program.seed, memory.last_mut()) {
            *last = at.stream.into();
        }
        let (lanes, last) = (Lanes::Ready(lanes), Vec::new());
        Self {
            lanes,
            time: 0,
            memory,
            last,
            failed: Failed::default(),
            place: at,
            count,
            kept,
            rule: Some(code.fingerprint),
        }
    }

    /// The state, fit for this parameter, for the next step to change.
    pub(crate) fn open<const D: usize>(
        &mut self,
        program: &Program,
        parameter: &DispatchTensor,
        shape: &Shape,
        wanted: Kept,
    ) -> Result<Open<'_>, StepError> {
        self.check(program, shape)?;
        let dtype = compute_dtype(parameter.dtype());
        let device = || Tensor::<D>::from_dispatch(parameter.clone()).device().without_autodiff();
        if let Lanes::Loaded(lanes) = &mut self.lanes {
            let lost = self.kept.weights.has_lost().then(|| lanes.len() - 1);
            // Whatever type the data has: a file may be anything.
            let ready = |(lane, data)| match self.kept.state(lane).is_words() || lost == Some(lane)
            {
                true => store::on_device::<D>(data, &device()),
                false => Tensor::<D>::from_data(data, (&device(), dtype)).into_dispatch(),
            };
            let lanes = core::mem::take(lanes).into_iter().enumerate();
            self.lanes = Lanes::Ready(lanes.map(ready).collect());
        }
        if self.kept != wanted {
            self.keep_as::<D>(program, wanted, shape, &device());
        }
        let Lanes::Ready(lanes) = &mut self.lanes else { unreachable!("made ready above") };
        let other = |lane: &DispatchTensor| !is_words(lane) && lane.dtype() != dtype;
        let elsewhere = |lane: &_| place(lane) != place(parameter);
        if lanes.iter().any(other) || lanes.first().is_some_and(elsewhere) {
            let device = device();
            for lane in lanes.iter_mut() {
                *lane = match is_words(lane) {
                    true => store::moved(lane, &device),
                    false => tensor(lane).to_device(&device).cast(dtype).into_dispatch(),
                };
            }
        }
        let view = program.code.view_of(shape, self.place);
        let Self { time, memory, last, failed, kept, place, .. } = self;
        let kept = (!kept.is_plain()).then_some(&*kept);
        let (failed, stream) = (&failed.0, place.stream);
        Ok(Open { time, memory, last, failed, kept, stream, view, tensors: lanes })
    }

    /// The same numbers, kept otherwise. What rounding had lost of the weights is lost where it is kept otherwise.
    fn keep_as<const D: usize>(
        &mut self,
        program: &Program,
        wanted: Kept,
        shape: &Shape,
        device: &Device,
    ) {
        let Lanes::Ready(lanes) = &mut self.lanes else { return };
        let count = shape.num_elements();
        for (number, lane) in lanes.iter_mut().take(program.code.states.len()).enumerate() {
            let (before, after) = (self.kept.state(number), wanted.state(number));
            if before == after {
                continue;
            }
            let numbers = match before.is_words() {
                true => store::decode(&store::data(lane), before, count),
                false => tensor(lane).into_data().iter::<f32>().collect(),
            };
            *lane = match after.is_words() {
                true => store::on_device::<D>(store::encode(&numbers, after, [0; 3], D), device),
                false => {
                    let data = TensorData::new(numbers, shape.clone());
                    Tensor::<D>::from_data(data, (device, DType::F32)).into_dispatch()
                }
            };
        }
        if self.kept.weights != wanted.weights {
            if self.kept.weights.has_lost() {
                lanes.pop();
            }
            lanes.extend(wanted.lost(count).map(|words| store::zeros::<D>(words, device)));
        }
        self.kept = wanted;
    }

    /// Is it of this rule and of this shape?
    pub(crate) fn check(&self, program: &Program, shape: &Shape) -> Result<(), StepError> {
        let optimizer = program.name;
        let keeps = program.keeps(shape, self.place);
        if !self.is_of(&program.code, keeps.len()) {
            return Err(StepError::ForeignState { optimizer });
        }
        match self.other_shape(&program.code, &keeps, shape) {
            Some((expected, found)) => Err(StepError::StateShape { optimizer, expected, found }),
            None => Ok(()),
        }
    }

    /// The states that [`open`](Self::open) has made ready.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) fn ready_mut(&mut self) -> &mut [DispatchTensor] {
        match &mut self.lanes {
            Lanes::Ready(lanes) => lanes,
            Lanes::Loaded(_) => &mut [],
        }
    }

    /// The same, as a list.
    #[cfg(feature = "cube")]
    pub(crate) fn list_mut(&mut self) -> Option<&mut Vec<DispatchTensor>> {
        match &mut self.lanes {
            Lanes::Ready(lanes) => Some(lanes),
            Lanes::Loaded(_) => None,
        }
    }

    /// The states after a step that has been taken outside of this.
    pub(crate) fn set(&mut self, lanes: Vec<DispatchTensor>) {
        self.lanes = Lanes::Ready(lanes);
    }

    /// The shape that a state of a parameter of this shape should have, and the one that it has, where they
    /// differ.
    fn other_shape(&self, code: &Code, keeps: &[Keep], shape: &Shape) -> Option<(Shape, Shape)> {
        let found = |lane: usize| match &self.lanes {
            Lanes::Loaded(lanes) => lanes[lane].shape().clone(),
            Lanes::Ready(lanes) => lanes[lane].shape(),
        };
        let states = code.states.len();
        (0..self.len()).find_map(|lane| {
            let found = found(lane);
            let rank = shape.rank();
            let words = match lane == states + keeps.len() {
                true => self.kept.lost(shape.num_elements()),
                false => {
                    let coding = self.kept.state(lane);
                    coding.is_words().then(|| coding.store.words(shape.num_elements()))
                }
            };
            if let Some(words) = words {
                let expected = flat(words, rank);
                return (expected != found).then_some((expected, found));
            }
            if let Some(keep) = lane.checked_sub(states).and_then(|number| keeps.get(number)) {
                let expected = flat(keep.len(), rank);
                return (expected != found).then_some((expected, found));
            }
            let is_element = code.stages.states[lane] == Domain::Element;
            if is_element && found == *shape {
                return None;
            }
            let expected = code.shape_of(lane, shape, self.place);
            (expected != found).then_some((expected, found))
        })
    }

    fn len(&self) -> usize {
        match &self.lanes {
            Lanes::Loaded(lanes) => lanes.len(),
            Lanes::Ready(lanes) => lanes.len(),
        }
    }

    /// Was this state made by this rule?
    fn is_of(&self, code: &Code, kept: usize) -> bool {
        self.rule == Some(code.fingerprint)
            && self.kept.is_of(code)
            && self.len() == code.states.len() + kept + usize::from(self.kept.weights.has_lost())
            && self.memory.len() == code.memory.len()
    }

    /// Was it made by this rule for such a parameter? The precision follows that of the parameter, which may have been cast
    /// since.
    pub(crate) fn fits<const D: usize>(&self, program: &Program, parameter: &Tensor<D>) -> bool {
        let code = &program.code;
        let keeps = program.keeps(&parameter.shape(), self.place);
        let shape = parameter.shape();
        let is_right = |lane: usize, found: DType| {
            let in_words =
                self.kept.state(lane).is_words() || lane == code.states.len() + keeps.len();
            match found {
                DType::I32 => in_words,
                found => !in_words && matches!(found, DType::F32 | DType::F64),
            }
        };
        let right_dtypes = match &self.lanes {
            Lanes::Loaded(lanes) => {
                lanes.iter().enumerate().all(|(lane, data)| is_right(lane, data.dtype()))
            }
            Lanes::Ready(lanes) => {
                lanes.iter().enumerate().all(|(lane, tensor)| is_right(lane, tensor.dtype()))
            }
        };
        self.is_of(code, keeps.len())
            && right_dtypes
            && self.other_shape(code, &keeps, &shape).is_none()
    }

    /// How many steps the parameter has taken.
    pub fn steps(&self) -> u64 {
        self.time
    }

    /// How many refreshes of the parameter's matrices have failed, of a rule that refreshes roots, bases or factors: each
    /// of them left the last ones in their place. Equal matrices that are refreshed together count once.
    pub fn failed_refreshes(&self) -> u64 {
        self.failed.count()
    }

    /// The state tensors, in the order in which the rule declares them. What is kept in fewer bytes is shown as a list of
    /// the numbers that it stands for; what rounding has lost of the weights is not shown.
    pub fn tensors(&self) -> Vec<TensorData> {
        let mut all = self.data();
        if self.kept.weights.has_lost() {
            all.pop();
        }
        for (data, coding) in all.iter_mut().zip(&self.kept.states) {
            if coding.is_words() {
                let numbers = store::decode(data, *coding, self.count);
                let shape = flat(numbers.len(), data.shape().rank());
                *data = TensorData::new(numbers, shape);
            }
        }
        all
    }

    /// All that is kept, as it is.
    pub(crate) fn data(&self) -> Vec<TensorData> {
        let read = |lane: &DispatchTensor| match is_words(lane) {
            true => now(store::data(lane)),
            false => now(tensor(lane).into_data()),
        };
        match &self.lanes {
            Lanes::Loaded(lanes) => lanes.clone(),
            Lanes::Ready(lanes) => lanes.iter().map(read).collect(),
        }
    }

    /// The number in a lane that has one. One that lies on a device is not waited for.
    pub(crate) fn number(&self, lane: usize) -> Option<Reading> {
        match &self.lanes {
            Lanes::Loaded(lanes) => lanes.get(lane)?.iter::<f64>().next().map(Reading::from),
            Lanes::Ready(lanes) => Some(Reading::from(tensor(lanes.get(lane)?))),
        }
    }

    /// The state on another device. What is still data stays so.
    pub(crate) fn on_device(mut self, device: &Device) -> Self {
        if let Lanes::Ready(lanes) = &mut self.lanes
            && lanes.first().is_some_and(|first| place(first) != *device.as_dispatch())
        {
            for lane in lanes {
                *lane = match is_words(lane) {
                    true => store::moved(lane, device),
                    false => tensor(lane).to_device(device).into_dispatch(),
                };
            }
        }
        self
    }
}

/// Is it kept in words?
fn is_words(lane: &DispatchTensor) -> bool {
    lane.dtype() == DType::I32
}

/// A state as a tensor that can be read and moved. The rank in its type is of no matter there:
/// burn's tensors know their own.
pub(crate) fn tensor(lane: &DispatchTensor) -> Tensor<1> {
    Tensor::from_dispatch(lane.clone())
}

/// Data as it is now. burn reads a GPU when data is first looked at, and the next step may have changed the
/// tensor in place by then.
fn now(data: TensorData) -> TensorData {
    let _ = data.bytes().first();
    data
}
