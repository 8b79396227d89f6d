//! Ways to take a step: each has its own copy of the parameters.

use super::choice::Choice;
use super::floor::Floor;
use crate::allocation::allocated;
use crate::model::Model;
use burn::module::{ParamGroup, ParamId};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, GradientsParams, LambConfig,
    LionConfig, ModuleOptimizer, Optimizer, RmsPropConfig, SgdConfig,
};
use burn::tensor::{DType, Device, Tensor};
use burn_descent::schedules::Linear;
use burn_descent::{Batch, Builder, Descent, Fused, FusedState, Group};
use std::time::{Duration, Instant};

/// A step down fresh gradients of a half, which are made before the clock starts.
pub trait Way {
    /// Takes it.
    fn step(&mut self, gradients: Gradients) -> Cost;
}

/// When gradients are freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradients {
    /// While the clock runs, as in training.
    Fresh,
    /// When it has stopped.
    Resident,
}

impl Gradients {
    /// What keeps them until it has stopped.
    fn keep<T: Clone>(self, gradients: &T) -> Option<T> {
        (self == Self::Resident).then(|| gradients.clone())
    }
}

/// What a step has cost.
pub struct Cost {
    /// How long it took.
    pub time: Duration,
    /// Bytes allocated by all threads.
    pub allocated: usize,
}

impl Cost {
    fn of(work: impl FnOnce()) -> Self {
        let (start, before) = (Instant::now(), allocated());
        work();
        Self { time: start.elapsed(), allocated: allocated() - before }
    }
}

const LR: f64 = 1e-3;

/// A model and what steps it.
struct Walk<F> {
    model: Option<Model>,
    parameters: Vec<(ParamId, [usize; 2])>,
    device: Device,
    dtype: DType,
    step: F,
}

impl<F: FnMut(Model, GradientsParams) -> Model> Walk<F> {
    fn new(model: Model, shapes: &[[usize; 2]], device: &Device, step: F) -> Self {
        let dtype = model.tensors.first().map_or(DType::F32, |param| param.dtype());
        let ids = model.tensors.iter().map(|param| param.id);
        let parameters = ids.zip(shapes.iter().copied()).collect();
        Self { model: Some(model), parameters, device: device.clone(), dtype, step }
    }
}

impl<F: FnMut(Model, GradientsParams) -> Model> Way for Walk<F> {
    fn step(&mut self, when: Gradients) -> Cost {
        let half = |shape| Tensor::<2>::full(shape, 0.5, (&self.device, self.dtype));
        let halves: Vec<_> = self.parameters.iter().map(|(_, shape)| half(*shape)).collect();
        let _kept = when.keep(&halves);
        let mut gradients = GradientsParams::new();
        for ((id, _), half) in self.parameters.iter().zip(halves) {
            gradients.register(*id, half);
        }
        let model = self.model.take().expect("every step puts it back");
        self.device.sync().expect("the device answers");
        Cost::of(|| {
            self.model = Some((self.step)(model, gradients));
            self.device.sync().expect("the device answers");
        })
    }
}

struct ByHand {
    floor: Floor,
    lengths: Vec<usize>,
}

impl Way for ByHand {
    fn step(&mut self, when: Gradients) -> Cost {
        let gradients: Vec<Vec<f32>> = self.lengths.iter().map(|len| vec![0.5; *len]).collect();
        let mut kept = None;
        Cost::of(|| {
            self.floor.step(&gradients);
            kept = (when == Gradients::Resident).then_some(gradients);
        })
    }
}

/// Tensor by tensor, with nothing around.
struct Passes {
    optimizer: Fused,
    tensors: Vec<(Tensor<2>, Option<FusedState>)>,
}

impl Way for Passes {
    fn step(&mut self, when: Gradients) -> Cost {
        let half = |(tensor, _): &(Tensor<2>, _)| tensor.full_like(0.5);
        let gradients: Vec<_> = self.tensors.iter().map(half).collect();
        let _kept = when.keep(&gradients);
        let tensors = core::mem::take(&mut self.tensors);
        let device = gradients[0].device();
        device.sync().expect("the device answers");
        Cost::of(|| {
            let step = |((tensor, state), gradient)| {
                let stepped = self.optimizer.try_step(LR, tensor, gradient, state);
                let (tensor, state) = stepped.expect("a good step");
                (tensor, Some(state))
            };
            self.tensors = tensors.into_iter().zip(gradients).map(step).collect();
            device.sync().expect("the device answers");
        })
    }
}

/// The bare passes of our optimizer, tensor by tensor.
pub(super) fn passes(optimizer: Fused, shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    let ones = |shape: &[usize; 2]| (Tensor::ones(*shape, (device, DType::F32)), None);
    Box::new(Passes { optimizer, tensors: shapes.iter().map(ones).collect() })
}

/// The hand-written loop that moves as many bytes.
pub(super) fn floor(choice: &Choice, lengths: Vec<usize>) -> Box<dyn Way> {
    let floor = Floor::new(&lengths, choice.states(), choice.summed());
    Box::new(ByHand { floor, lengths })
}

/// burn's `ModuleOptimizer` with our optimizer.
pub(super) fn module(optimizer: Fused, shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    through_module(ModuleOptimizer::from(optimizer), shapes, device)
}

/// burn's `ModuleOptimizer` with burn-optim's optimizer that does the same, if there is one.
pub(super) fn burns(
    choice: &Choice,
    shapes: &[[usize; 2]],
    device: &Device,
) -> Option<Box<dyn Way>> {
    let ours = choice.to_string();
    let optimizer = BURNS.iter().find(|(name, _)| *name == ours)?.1();
    Some(through_module(optimizer, shapes, device))
}

/// Makes an optimizer of burn-optim.
type Make = fn() -> ModuleOptimizer;

/// burn-optim's optimizers by ours.
const BURNS: [(&str, Make); 9] = [
    ("sgd", || SgdConfig::new().init()),
    ("sgd:momentum=0.9", || {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        SgdConfig::new().with_momentum(Some(momentum)).init()
    }),
    ("adagrad", || AdaGradConfig::new().init()),
    ("rmsprop", || RmsPropConfig::new().init()),
    ("adam", || AdamConfig::new().init()),
    ("adamw", || AdamWConfig::new().init()),
    ("lion", || LionConfig::new().init()),
    ("lamb", || LambConfig::new().init()),
    ("adafactor", || AdafactorConfig::new().init()),
];

fn through_module(
    mut optimizer: ModuleOptimizer,
    shapes: &[[usize; 2]],
    device: &Device,
) -> Box<dyn Way> {
    let model = Model::ones(shapes, device);
    let step = move |model, gradients| optimizer.step(LR, model, gradients);
    Box::new(Walk::new(model, shapes, device, step))
}

/// burn's `ModuleOptimizer` with an optimizer that returns its input: what burn takes for itself.
pub(super) fn nothing(shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    through_module(ModuleOptimizer::from(Nothing), shapes, device)
}

#[derive(Clone)]
struct Nothing;

impl Optimizer for Nothing {
    type State<const D: usize> = FusedState;

    fn step<const D: usize>(
        &self,
        _lr: f64,
        tensor: Tensor<D>,
        _grad: Tensor<D>,
        _state: Option<FusedState>,
    ) -> (Tensor<D>, Option<FusedState>) {
        (tensor, None)
    }

    fn to_device<const D: usize>(state: FusedState, _device: &Device) -> FusedState {
        state
    }
}

/// The products of a Newton-Schulz iteration of five steps, and nothing else.
pub(super) fn products(shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    let step = |model: Model, gradients: GradientsParams| {
        for param in &model.tensors {
            let x: Tensor<2> = gradients.get(param.id).expect("it has one");
            let x = if x.dims()[0] > x.dims()[1] { x.transpose() } else { x };
            for _ in 0..5 {
                let gram = x.clone().matmul(x.clone().transpose());
                drop(gram.clone().matmul(gram.clone()));
                drop(gram.matmul(x.clone()));
            }
        }
        model
    };
    Box::new(Walk::new(Model::ones(shapes, device), shapes, device, step))
}

/// `Descent` with our optimizer, and with what stands around it.
pub(super) fn descent(
    optimizer: Fused,
    shapes: &[[usize; 2]],
    device: &Device,
    around: impl FnOnce(Builder) -> Builder,
) -> Box<dyn Way> {
    walk(Model::ones(shapes, device), optimizer, shapes, device, around)
}

/// The same with weights and gradients in bf16.
pub(super) fn half(optimizer: Fused, shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    let model = Model::ones_in(DType::BF16, shapes, device);
    walk(model, optimizer, shapes, device, |builder| builder)
}

fn walk(
    model: Model,
    optimizer: Fused,
    shapes: &[[usize; 2]],
    device: &Device,
    around: impl FnOnce(Builder) -> Builder,
) -> Box<dyn Way> {
    let builder = around(Descent::builder(optimizer).lr(LR));
    let mut descent = builder.build(&model).expect("it fits");
    let step = move |model, gradients| {
        let batch = Batch::new().loss(1.0);
        descent.step_weighted(model, gradients, batch).expect("a good step").0
    };
    Box::new(Walk::new(model, shapes, device, step))
}

/// `Descent` with one group of all parameters, of which an option is scheduled.
pub(super) fn scheduled(optimizer: Fused, shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    let numbers = optimizer
        .options()
        .iter()
        .filter_map(|(name, value)| value.parse::<f64>().ok().map(|value| (name.clone(), value)));
    let group = numbers
        .take(1)
        .fold(Group::new("all", ParamGroup::all(), optimizer.clone()), |group, (name, value)| {
            group.option(name, Linear::new(value, 1_000_000).end(value * 0.99))
        });
    descent(optimizer, shapes, device, |builder| builder.group(group))
}
