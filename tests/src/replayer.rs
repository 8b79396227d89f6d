//! Golden trajectories on burn tensors.

use crate::searches::replay_search;
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::registry::{self, SEARCHES};
use burn_descent::rules::Bound;
use burn_descent::{Batch, Descent, Fused, Schedule};
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

/// Why a case is not replayed on devices.
const DRAWN: &str = "it goes by random numbers, or by signs of singular vectors, that the library has drawn: \
     tests/golden/tests/rules.rs replays it on slices with those";

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
    if !(case.draws.is_empty() && case.projectors.is_empty()) {
        return Err(ReplayError::Skip(Skip::Differs(DRAWN)));
    }
    if let Some(row) = SEARCHES.iter().find(|row| row.name == setting.name) {
        return replay_search(row, device, precision, case, setting);
    }
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
    model: Shaped,
    /// Rank and number of each parameter.
    places: Vec<(usize, usize)>,
}

/// Parameters of the ranks that trajectories have.
#[derive(Module, Debug)]
struct Shaped {
    vectors: Vec<Param<Tensor<1>>>,
    matrices: Vec<Param<Tensor<2>>>,
    kernels: Vec<Param<Tensor<4>>>,
}

impl Shaped {
    fn new() -> Self {
        Self { vectors: vec![], matrices: vec![], kernels: vec![] }
    }
}

/// What walks over the model.
enum Walk {
    Burn(ModuleOptimizer),
    /// For rules that look at the whole model, or need the loss.
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
        Self { device, dtype, optimizer, lrs, walk, model: Shaped::new(), places: vec![] }
    }

    fn tensor<const D: usize>(&self, numbers: &[f64], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (&self.device, self.dtype))
    }

    fn param<const D: usize>(&self, numbers: &[f64], shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(self.tensor(numbers, shape).autodiff().require_grad())
    }

    fn numbers(&self, model: &Shaped) -> Step {
        fn read<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f64> {
            param.val().into_data().iter::<f64>().collect()
        }
        let numbers = |(rank, number): &(usize, usize)| match rank {
            1 => read(&model.vectors[*number]),
            2 => read(&model.matrices[*number]),
            _ => read(&model.kernels[*number]),
        };
        self.places.iter().map(numbers).collect()
    }
}

impl burn_descent_golden::Engine for OnDevice {
    fn start(&mut self, init: &Step, shapes: &[Vec<usize>]) -> Result<(), BoxError> {
        let (mut model, mut places) = (Shaped::new(), Vec::new());
        for (init, shape) in init.iter().zip(shapes) {
            places.push(match shape[..] {
                [a, b] => {
                    model.matrices.push(self.param(init, [a, b]));
                    (2, model.matrices.len() - 1)
                }
                [a, b, c, d] => {
                    model.kernels.push(self.param(init, [a, b, c, d]));
                    (4, model.kernels.len() - 1)
                }
                _ => {
                    model.vectors.push(self.param(init, [init.len()]));
                    (1, model.vectors.len() - 1)
                }
            });
        }
        (self.model, self.places) = (model, places);
        self.walk = match self.optimizer.steps_alone() {
            true => Walk::Burn(ModuleOptimizer::from(self.optimizer.clone())),
            false => {
                let descent =
                    Descent::builder(self.optimizer.clone()).schedule(List(self.lrs.clone()));
                Walk::Ours(Box::new(descent.build(&self.model)?))
            }
        };
        Ok(())
    }

    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError> {
        self.step_with_loss(lr, None, grads)
    }

    fn step_with_loss(&mut self, lr: f64, loss: Option<f64>, grads: &Step) -> Result<(), BoxError> {
        fn beside<const D: usize>(
            at: &OnDevice,
            param: &Param<Tensor<D>>,
            gradient: &[f64],
            gradients: &mut GradientsParams,
        ) {
            gradients.register(param.id, at.tensor(gradient, param.dims()));
        }
        let mut gradients = GradientsParams::new();
        for ((rank, number), gradient) in self.places.iter().zip(grads) {
            match rank {
                1 => beside(self, &self.model.vectors[*number], gradient, &mut gradients),
                2 => beside(self, &self.model.matrices[*number], gradient, &mut gradients),
                _ => beside(self, &self.model.kernels[*number], gradient, &mut gradients),
            }
        }
        let model = core::mem::replace(&mut self.model, Shaped::new());
        self.model = match &mut self.walk {
            Walk::Burn(walk) => walk.step(lr, model, gradients),
            Walk::Ours(descent) => {
                let batch = loss.into_iter().fold(Batch::new(), Batch::loss);
                let stepped = descent.step_weighted(model, gradients, batch);
                stepped.map_err(|refused| refused.error)?.0
            }
        };
        Ok(())
    }

    fn params(&self) -> Result<Step, BoxError> {
        Ok(self.numbers(&self.model))
    }

    fn evaluated(&self) -> Result<Step, BoxError> {
        let model = match &self.walk {
            Walk::Burn(walk) => self.optimizer.evaluate(&self.model, walk),
            Walk::Ours(descent) => descent.evaluate(&self.model),
        };
        Ok(self.numbers(&model))
    }
}
