//! Golden trajectories on burn tensors.

use crate::model::Model;
use burn::module::Param;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::Bound;
use burn_descent::{Descent, Fused, Schedule, registry};
use burn_descent_golden::{
    BoxError, Case, Outcome, Precision, ReplayError, Setting, Skip, Step, replay,
};

/// What computes the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The engine of the device.
    Own,
    /// Tensor operations.
    Portable,
}

/// A case on a device: the optimizer in burn's `ModuleOptimizer` takes the recorded gradients.
///
/// # Errors
/// Why the case cannot be compared, or what went wrong.
pub fn replay_on(
    device: &Device,
    engine: Engine,
    precision: Precision,
    case: &Case,
    setting: &Setting,
) -> Result<Outcome, ReplayError> {
    let options: Vec<_> =
        setting.options.iter().map(|(option, value)| (option.as_str(), value.as_str())).collect();
    let row = registry::find(setting.name).map_err(|error| ReplayError::Engine(error.into()))?;
    let optimizer = row.build(&options).map_err(|error| ReplayError::Engine(error.into()))?;
    let optimizer = if engine == Engine::Portable { optimizer.portable() } else { optimizer };
    let dtype = dtype(precision);
    if !device.supports_dtype(dtype) {
        return Err(ReplayError::Skip(Skip::Differs("the device has no f64")));
    }
    replay(
        case,
        setting,
        precision,
        &mut OnDevice::new(optimizer, device.clone(), dtype, setting.lrs.clone()),
    )
}

/// The type of the tensors in a replay.
fn dtype(precision: Precision) -> DType {
    match precision {
        Precision::F32 => DType::F32,
        Precision::F64 => DType::F64,
    }
}

struct OnDevice {
    device: Device,
    dtype: DType,
    optimizer: Fused,
    /// The learning rate of each step.
    lrs: Vec<f64>,
    walk: Walk,
    model: Model,
}

/// What walks over the model.
enum Walk {
    Burn(ModuleOptimizer),
    /// For rules that look at the whole model.
    Ours(Box<Descent>),
}

/// Learning rates, one a step.
#[derive(Debug)]
struct List(Vec<f64>);

impl Schedule for List {
    fn name(&self) -> &'static str {
        "list"
    }
    fn bounds(&self) -> Vec<Bound> {
        Vec::new()
    }
    fn at(&self, step: u64) -> f64 {
        self.0.get(step as usize).or(self.0.last()).copied().unwrap_or(0.0)
    }
}

impl OnDevice {
    fn new(optimizer: Fused, device: Device, dtype: DType, lrs: Vec<f64>) -> Self {
        let walk = Walk::Burn(ModuleOptimizer::from(optimizer.clone()));
        Self { device, dtype, optimizer, lrs, walk, model: Model { tensors: vec![] } }
    }

    fn tensor(&self, numbers: &[f64]) -> Tensor<1> {
        let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
        Tensor::from_data(data, (&self.device, self.dtype))
    }
}

fn numbers(model: &Model) -> Result<Step, BoxError> {
    let read = |param: &Param<Tensor<1>>| param.val().into_data().iter::<f64>().collect();
    Ok(model.tensors.iter().map(read).collect())
}

impl burn_descent_golden::Engine for OnDevice {
    fn start(&mut self, init: &Step, _shapes: &[Vec<usize>]) -> Result<(), BoxError> {
        let param =
            |init: &Vec<f64>| Param::from_tensor(self.tensor(init).autodiff().require_grad());
        let tensors = init.iter().map(param).collect();
        self.model = Model { tensors };
        self.walk = match self.optimizer.sees_model() {
            false => Walk::Burn(ModuleOptimizer::from(self.optimizer.clone())),
            true => {
                let descent = Descent::new(self.optimizer.clone()).schedule(List(self.lrs.clone()));
                Walk::Ours(Box::new(descent.build(&self.model)?))
            }
        };
        Ok(())
    }

    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError> {
        let mut gradients = GradientsParams::new();
        for (param, gradient) in self.model.tensors.iter().zip(grads) {
            gradients.register(param.id, self.tensor(gradient));
        }
        let model = core::mem::replace(&mut self.model, Model { tensors: vec![] });
        self.model = match &mut self.walk {
            Walk::Burn(walk) => walk.step(lr, model, gradients),
            Walk::Ours(descent) => {
                descent.step(model, gradients).map_err(|refused| refused.error)?.0
            }
        };
        Ok(())
    }

    fn params(&self) -> Result<Step, BoxError> {
        numbers(&self.model)
    }

    fn evaluated(&self) -> Result<Step, BoxError> {
        match &self.walk {
            Walk::Burn(walk) => numbers(&self.optimizer.evaluate(&self.model, walk)),
            Walk::Ours(descent) => numbers(&descent.evaluate(&self.model)),
        }
    }
}
