//! All of a run in one file.

mod container;
mod error;
mod file;
mod parameters;
#[cfg(feature = "safetensors")]
mod pytorch;
mod rename;
mod restore;
mod take;

pub use error::{CheckpointError, Mismatch};
#[cfg(feature = "safetensors")]
pub use pytorch::{PyTorchError, PyTorchMismatch, PyTorchRun};

use super::Setup;
use super::search::{Memory, Vector};
use crate::averaging::Factors;
use burn::tensor::{DType, Shape, TensorData};
use burn_descent_rules::schedules::ReduceOnPlateau;
use burn_pack::Scalar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that a run needs to go on: all that burn records of the model (weights, running statistics,
/// parameters of integers and booleans, quantised ones), the states of the optimizers, counters,
/// averages, accumulated gradients, the scale of the loss; and every option, to compare with.
/// burn records neither tensors that are not parameters nor flags such as that of a frozen norm: those stay as they are in
/// the model that the checkpoint is restored into.
///
/// A restored run goes on as if it had never stopped, bit for bit on one device, at any step, also between two micro-batches
/// of one step. Schedules and noise follow from the number of steps, so nothing of them is kept. The options of optimizers
/// of other crates are not known and not compared.
///
/// The file is [burnpack](burn::store), burn's own container, with tensors named by the paths of
/// the parameters, and a checksum over all of it.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use burn_descent::{AdamW, Build, Checkpoint, Descent};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("run.bpk");
/// let device = Device::default().autodiff();
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let mut descent = Descent::builder(AdamW::new().build()?).lr(1e-3).build(&model)?;
/// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
/// let (model, _) = descent.step(model.clone(), model.forward(x).mean().backward())?;
/// descent.checkpoint(&model)?.note("epoch", "1").save(&path)?;
///
/// // In another process: a model and a `Descent` built in the same way.
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let mut descent = Descent::builder(AdamW::new().build()?).lr(1e-3).build(&model)?;
/// let checkpoint = Checkpoint::open(&path)?;
/// assert_eq!(checkpoint.noted("epoch"), Some("1"));
/// let model = checkpoint.restore(&mut descent, &model)?;
/// assert_eq!(descent.steps(), 1);
/// # drop(model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    header: Header,
    scalars: BTreeMap<String, Scalar>,
    tensors: BTreeMap<String, TensorData>,
}

impl Checkpoint {
    /// Keeps a text of the caller's in it, such as the position in the data.
    pub fn note(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.header.notes.insert(name.into(), text.into());
        self
    }

    /// The text that was kept under a name.
    pub fn noted(&self, name: &str) -> Option<&str> {
        self.header.notes.get(name).map(String::as_str)
    }

    /// How many steps had been taken.
    pub fn steps(&self) -> u64 {
        self.header.steps
    }
}

/// All that is no tensor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    parameters: Vec<Parameter>,
    /// Every option of the walk as text.
    options: BTreeMap<String, String>,
    steps: u64,
    skipped: u64,
    accumulated: u32,
    accumulated_weight: f64,
    /// The weighted sum of their losses, where an optimizer needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accumulated_loss: Option<f64>,
    averaged: u64,
    loss_scale: Option<SavedScale>,
    plateau: Option<ReduceOnPlateau>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mechanic: Option<Factors>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<SavedSearch>,
    notes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedScale {
    value: f64,
    good: u64,
}

/// What a search keeps, but for its vectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedSearch {
    /// The name of the search.
    name: String,
    /// Its lists of numbers, bit by bit: they need not be finite.
    numbers: BTreeMap<String, Vec<u64>>,
    /// How many vectors each of its lists has.
    vectors: BTreeMap<String, usize>,
}

impl SavedSearch {
    fn of(setup: &Setup, memory: &Memory) -> Option<Self> {
        let search = setup.settings.search.as_ref().filter(|_| !memory.is_empty())?;
        let bits = |numbers: &Vec<f64>| numbers.iter().map(|x| x.to_bits()).collect();
        let numbers = memory.numbers.iter().map(|(list, numbers)| (list.clone(), bits(numbers)));
        let vectors = memory.vectors.iter().map(|(list, vectors)| (list.clone(), vectors.len()));
        Some(Self {
            name: search.name().to_owned(),
            numbers: numbers.collect(),
            vectors: vectors.collect(),
        })
    }

    /// The memory, with vectors that are still empty; none of a search of another name.
    fn memory(&self, setup: &Setup) -> Memory {
        let mut memory = Memory::default();
        if setup.settings.search.as_ref().is_some_and(|search| search.name() == self.name) {
            for (list, bits) in &self.numbers {
                *memory.numbers(list) = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
            }
            for (list, count) in &self.vectors {
                *memory.vectors(list) = vec![Vector::default(); *count];
            }
        }
        memory
    }
}

/// The name in the file of a vector in a list of a search.
fn in_memory(list: &str, place: usize) -> String {
    format!("search.{list}.{place}")
}

/// A parameter of the model that was saved, or a buffer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    path: String,
    shape: Shape,
    dtype: DType,
    /// What steps it; `None` for a buffer, and for integers and booleans. In version 1 a buffer has
    /// one too.
    optimizer: Option<String>,
    /// Does it have a state?
    stepped: bool,
    /// How many of its weights are averaged. In version 1 all have as many as the header says.
    #[serde(default)]
    averaged: Option<u64>,
}

/// The option that says how many micro-batches make a step.
const ACCUMULATE: &str = "accumulate";

/// What is kept of a parameter beside its weights and its state, by the name in the file.
const SUM: &str = "sum";
const AVERAGE: &str = "average";
const SLOW: &str = "slow";
const START: &str = "start";
const WEIGHTS: &str = "weights";
const STATE: &str = "state";
const SEARCH: &str = "memory of the search";

/// A value as it is saved: how a backend keeps its booleans is its own business.
fn portable(data: TensorData) -> TensorData {
    match data.dtype() {
        DType::Bool(_) => data.convert::<bool>(),
        _ => data,
    }
}

/// Stands behind an option that vectors have of their own.
const OF_VECTORS: &str = " of vectors";

/// The name in the file.
fn name(part: &str, path: &str) -> String {
    format!("{part}/{path}")
}
