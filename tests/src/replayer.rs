//! Golden trajectories on burn tensors.

use crate::model::Model;
use burn::module::Param;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{Fused, registry};
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
    replay(case, setting, precision, &mut OnDevice::new(optimizer, device.clone(), dtype))
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
    walk: ModuleOptimizer,
    model: Model,
}

impl OnDevice {
    fn new(optimizer: Fused, device: Device, dtype: DType) -> Self {
        let walk = ModuleOptimizer::from(optimizer.clone());
        Self { device, dtype, optimizer, walk, model: Model { tensors: vec![] } }
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
        self.walk = ModuleOptimizer::from(self.optimizer.clone());
        Ok(())
    }

    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError> {
        let mut gradients = GradientsParams::new();
        for (param, gradient) in self.model.tensors.iter().zip(grads) {
            gradients.register(param.id, self.tensor(gradient));
        }
        self.model = self.walk.step(lr, self.model.clone(), gradients);
        Ok(())
    }

    fn params(&self) -> Result<Step, BoxError> {
        numbers(&self.model)
    }

    fn evaluated(&self) -> Result<Step, BoxError> {
        numbers(&self.optimizer.evaluate(&self.model, &self.walk))
    }
}
