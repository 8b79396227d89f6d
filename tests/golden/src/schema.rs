//! A trajectory file as it is on disk.

use crate::{
    Closeness, Draw, Dtype, Error, Evaluation, ProblemsFile, Projector, State, is_of_matrices,
    number,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The elements of a tensor, in row-major order.
pub type Tensor = Vec<f64>;
/// What belongs to one step: a tensor for each parameter.
pub type Step = Vec<Tensor>;

/// The runs of one optimizer of one library. Fields that are not listed here are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct OptimizerFile {
    /// The library, such as `torch.optim`.
    pub library: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Its name of the optimizer, such as `adamw`.
    pub optimizer: String,
    /// The set of files that share one `problems.json`.
    #[serde(default)]
    pub set: String,
    /// Anything worth knowing.
    #[serde(default)]
    pub notes: String,
    /// The runs.
    pub cases: Vec<Case>,
}

/// One run of an optimizer.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// `optimizer/variant/problem`.
    pub id: String,
    /// Name of the problem whose gradients were followed.
    pub problem: String,
    /// The shape of each tensor.
    pub shapes: Vec<Vec<usize>>,
    /// Every hyper-parameter in effect that the library reports.
    pub hyper: Map<String, Value>,
    /// The hyper-parameters that were given to the library, some of which it does not report.
    #[serde(default)]
    pub hyper_given: Map<String, Value>,
    /// What each tensor is called, where the library decides by name.
    #[serde(default)]
    pub names: Option<Vec<String>>,
    /// The type of the weights.
    #[serde(default)]
    pub dtype: Dtype,
    /// The parameters before the first step.
    #[serde(deserialize_with = "number::step")]
    pub init: Step,
    /// As `init`, rounded to bf16, where the weights are.
    #[serde(default, deserialize_with = "number::maybe_step")]
    pub init_bf16: Option<Step>,
    /// How many steps were taken.
    pub steps: usize,
    /// The gradient of each step, where there is such a sequence.
    #[serde(default, deserialize_with = "number::maybe_steps")]
    pub grads: Option<Vec<Step>>,
    /// The loss before each step; in long runs, before the recorded ones.
    #[serde(default, deserialize_with = "number::maybe_list")]
    pub losses: Option<Vec<f64>>,
    /// The random numbers of the run, in the order in which they were drawn.
    #[serde(default)]
    pub draws: Vec<Draw>,
    /// The largest logit of each head of attention before each step.
    #[serde(default, deserialize_with = "number::maybe_lists")]
    pub attention_max_logits: Option<Vec<Vec<f64>>>,
    /// The learning rate of each step, where it changes.
    #[serde(default, deserialize_with = "number::maybe_list")]
    pub lr_sequence: Option<Vec<f64>>,
    /// The steps, from 1, after which `params` were recorded.
    pub record: Vec<usize>,
    /// The parameters after these steps.
    #[serde(deserialize_with = "number::steps")]
    pub params: Vec<Step>,
    /// The weights to evaluate and ship after these steps, where they are not `params`.
    #[serde(default, deserialize_with = "number::maybe_steps")]
    pub eval_params: Option<Vec<Step>>,
    /// More of what the optimizer remembers, by name, after the same steps as `params`.
    #[serde(default, deserialize_with = "number::named_lists")]
    pub aux: BTreeMap<String, Vec<Vec<f64>>>,
    /// The states of an optimizer of bf16 weights, by name.
    #[serde(default)]
    pub state_bf16: BTreeMap<String, State>,
    /// The bases in which gradients were looked at.
    #[serde(default)]
    pub projectors: Vec<Projector>,
    /// The steps after which `params_f32` were recorded; absent, it is `record`.
    #[serde(default)]
    pub record_f32: Option<Vec<usize>>,
    /// As `params`, from a run in f32.
    #[serde(default, deserialize_with = "number::maybe_steps")]
    pub params_f32: Option<Vec<Step>>,
    /// As `eval_params`, from a run in f32.
    #[serde(default, deserialize_with = "number::maybe_steps")]
    pub eval_params_f32: Option<Vec<Step>>,
    /// Why the library failed in f32.
    #[serde(default)]
    pub f32_error: Option<String>,
    /// State that the library keeps in f32 even in its f64 run.
    #[serde(default)]
    pub low_precision_state: Vec<String>,
    /// Where the optimizer evaluated the loss as it went, so that `grads` does not exist: each time
    /// that it did, in every step, or in the first ones.
    #[serde(default)]
    pub evals: Option<Vec<Vec<Evaluation>>>,
    /// As `evals`, where only their number was kept.
    #[serde(default)]
    pub n_evals: Option<Vec<usize>>,
    /// How closely the run is to be followed: no field of a file, it depends on which one it is.
    #[serde(skip)]
    pub closeness: Closeness,
}

impl Case {
    /// The hyper-parameter in effect, or if the library does not report it, as it was given.
    pub fn hyper(&self, key: &str) -> Option<&Value> {
        self.hyper.get(key).or_else(|| self.hyper_given.get(key))
    }

    /// Hyper-parameters that a library reports by groups of parameters, the first for matrices, the second for all
    /// others: those of the second get `auxiliary.` in front.
    fn spread_groups(&mut self) {
        let Some(Value::Array(groups)) = self.hyper.get("groups").cloned() else { return };
        for (group, prefix) in groups.iter().zip(["", "auxiliary."]) {
            for (key, value) in group.as_object().into_iter().flatten() {
                self.hyper.insert(format!("{prefix}{key}"), value.clone());
            }
        }
        self.hyper.remove("groups");
    }

    /// Is this a long run, in whose course the parameters may come close to zero?
    pub fn is_long(&self) -> bool {
        self.id.ends_with("_long")
    }

    /// Does the learning rate change from step to step?
    pub fn lr_changes(&self) -> bool {
        let changes = |lrs: &Vec<f64>| lrs.windows(2).any(|pair| pair[0] != pair[1]);
        self.lr_sequence.as_ref().is_some_and(changes)
    }
}

/// The fields that tell what a file is.
#[derive(Deserialize)]
struct Header {
    library: Option<IgnoredAny>,
    optimizer: Option<IgnoredAny>,
    cases: Option<IgnoredAny>,
    problems: Option<IgnoredAny>,
}

/// Of the cases of a file, the field that no run is without.
#[derive(Deserialize)]
struct Runs {
    cases: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    steps: Option<IgnoredAny>,
}

impl OptimizerFile {
    /// Reads a file, plain or packed with gzip, and completes it: what all runs of a problem share,
    /// such as gradients, is taken from the `problems.json` of its folder, or, for files of the set
    /// in this repository, from the one here. For a file whose name ends in `_matrix`, that is
    /// `problems_matrix.json`; for files of the set `numpy`, `problems_numpy_matrix.json`.
    ///
    /// # Errors
    /// [`Error`] names the file, what is wrong, and what to do.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = bytes(path)?;
        let header: Header = parse(path, &bytes)?;
        let other = |what| Err(Error::NotOptimizer { file: path.into(), what });
        match header {
            Header { library: Some(_), optimizer: Some(_), cases: Some(_), .. } => {}
            Header { problems: Some(_), .. } => return other("problems"),
            Header { optimizer: None, cases: Some(_), .. } => return other("schedules"),
            _ => return other("something else"),
        }
        let Runs { cases } = parse(path, &bytes)?;
        if !cases.is_empty() && cases.iter().all(|case| case.steps.is_none()) {
            return other("cases without steps");
        }
        let mut file: Self = parse(path, &bytes)?;
        file.cases.iter_mut().for_each(Case::spread_groups);
        file.ask_for_closeness(is_of_matrices(path));
        ProblemsFile::complete(&mut file, path)?;
        file.check(path)?;
        Ok(file)
    }
}

/// The contents of a file, unpacked if they are packed.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { file: path.into(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    unpack(bytes).map_err(failed)
}

/// Unpacks what begins as a gzip file does.
pub(crate) fn unpack(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Reads JSON; an error names the file.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Json { file: path.into(), source })
}
