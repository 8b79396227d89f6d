//! A training run of PyTorch, to be taken up here.

mod error;
mod fill;
mod names;

pub use error::{PyTorchError, PyTorchMismatch};

use super::restore::MOST;
use super::{Checkpoint, WEIGHTS, file};
use crate::descent::Descent;
use burn::module::Module;
use burn::store::{ModuleStore, SafetensorsStore, bridge};
use burn_pack::Tensor;
use fill::Fill;
use names::Ties;
use std::collections::BTreeMap;
use std::path::Path;

/// The weights and the optimizer states of a model that PyTorch has trained, from a safetensors file.
///
/// Adam, AdamW, SGD and Muon are known. With the same options the next steps here are those that PyTorch would
/// take. PyTorch writes the file with this function:
///
/// ```python
#[doc = include_str!("save_run.py")]
/// ```
///
/// ```python
/// save_run("run.safetensors", steps, model, optimizer)       # or several: muon, adamw
/// ```
///
/// Each tensor is named by what it is and by its parameter: `weights/fc.weight`, `exp_avg/fc.weight`. `steps` is how many
/// steps have been taken, from which schedules go on. Options such as learning rates are not in the file:
/// build the [`Descent`] with them.
///
/// Parameters are found by their names, as burn's importers find them: the weights of a `Linear`, which PyTorch stores as
/// outputs × inputs, are transposed, the `weight` and `bias` of a norm are its `gamma` and `beta`, and the variants of enums
/// may be left out, and weights that are tied in both have their states by the name of any place. [`rename`](Self::rename) is for all else. What comes back is a [`Checkpoint`], to be restored as any other:
///
/// ```no_run
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::Device;
/// use burn_descent::{AdamW, PyTorchRun, prelude::*};
///
/// let device = Device::default().autodiff();
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let descent = Descent::builder(AdamW::new().weight_decay(0.05).build()?).lr(1e-3).build(&model)?;
/// let run = PyTorchRun::open("run.safetensors")?.rename(|name| name.replace("fc.", ""))?;
/// let checkpoint = run.into_checkpoint(&descent, &model)?;
/// let mut trainer = Trainer::new(model, descent);
/// trainer.restore(checkpoint)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// States become f64 for weights in f64 and f32 for all others, as always here. With [`Store`](crate::Store)s of fewer bytes
/// they are encoded at the next step.
#[derive(Clone)]
pub struct PyTorchRun {
    steps: u64,
    parameters: Parameters,
}

/// By the names of parameters.
type Parameters = BTreeMap<String, Parts>;

/// What there is of one parameter: its weights, and each state under its name in PyTorch.
type Parts = BTreeMap<String, Tensor>;

/// The number of steps taken, in the file.
const STEPS: &str = "steps";

impl core::fmt::Debug for PyTorchRun {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, parts)| (name, parts.keys().collect::<Vec<_>>()));
        f.debug_struct("PyTorchRun")
            .field("steps", &self.steps)
            .field("parameters", &parameters.collect::<BTreeMap<_, _>>())
            .finish()
    }
}

impl PyTorchRun {
    /// Reads a file.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), and if the file cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PyTorchError> {
        let path = path.as_ref();
        let bytes = file::read(path, &[]).map_err(|error| PyTorchError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        Self::from_bytes(bytes)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// If they are not a safetensors file, or cut off; if the name of a tensor is not `PART/PARAMETER`; if there is no
    /// whole number `steps`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, PyTorchError> {
        let mut store = SafetensorsStore::from_bytes(Some(bytes));
        let tensors = store.get_all_tensors();
        let tensors = tensors.map_err(|error| PyTorchError::Format(error.to_string()))?;
        let mut parameters = Parameters::new();
        for (name, tensor) in tensors.iter().filter(|(name, _)| *name != STEPS) {
            let Some((part, parameter)) = name.split_once('/') else {
                return Err(PyTorchError::Name { name: name.clone() });
            };
            let parts = parameters.entry(parameter.to_owned()).or_default();
            parts.insert(part.to_owned(), tensor.clone());
        }
        let steps = tensors.get(STEPS).and_then(count).ok_or(PyTorchError::Steps)?;
        Ok(Self { steps, parameters })
    }

    /// How many steps PyTorch had taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The run with its parameters under other names: `to` gives the name in burn's model for each of PyTorch's, which is
    /// the old one for those that stay.
    ///
    /// # Errors
    /// [`PyTorchError::Renamed`] if two parameters get one name.
    pub fn rename(self, to: impl Fn(&str) -> String) -> Result<Self, PyTorchError> {
        let mut parameters = Parameters::new();
        for (from, parts) in self.parameters {
            let to = to(&from);
            if parameters.contains_key(&to) {
                return Err(PyTorchError::Renamed { parameter: from, to });
            }
            parameters.insert(to, parts);
        }
        Ok(Self { parameters, ..self })
    }

    /// The checkpoint that this model and this [`Descent`] would have written after these steps. It is restored as any
    /// other: [`Checkpoint::restore`], [`Trainer::restore`](crate::Trainer::restore). Averages of weights, and all
    /// else that is not in the file, begin anew.
    ///
    /// # Errors
    /// [`PyTorchError::Misfit`] with all that does not fit: a parameter or a state that is not in the file or has another
    /// shape, a tensor that nothing in the model takes, an optimizer whose states PyTorch does not have.
    /// [`PyTorchError::Model`] if `descent` was not built for this model.
    pub fn into_checkpoint<M: Module>(
        self,
        descent: &Descent,
        model: &M,
    ) -> Result<Checkpoint, PyTorchError> {
        let checkpoint = descent.fresh().checkpoint(model).map_err(PyTorchError::Model)?;
        let mut ties = Ties::new(self.parameters);
        model.visit(&mut ties);
        let run = Self { parameters: ties.file(), ..self };
        let mut fill = Fill::new(&descent.setup, checkpoint, run);
        model.visit(&mut fill);
        fill.finish()
    }
}

/// The whole number in a tensor that has one.
fn count(tensor: &Tensor) -> Option<u64> {
    let data = bridge::to_data(tensor).ok()?;
    let mut numbers = data.iter::<f64>();
    let (number, more) = (numbers.next()?, numbers.next());
    let is_count = more.is_none() && number.fract() == 0.0 && (0.0..=MOST as f64).contains(&number);
    is_count.then_some(number as u64)
}
