//! Gradients that all runs of a problem share.

use crate::schema::{bytes, parse, unpack};
use crate::{Case, Error, OptimizerFile, Step, number};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the problems of some trajectory files are.
pub(crate) struct Source {
    /// The name of the file, without its extension.
    stem: &'static str,
    /// The file of this repository.
    packed: &'static [u8],
}

/// The problems of files of whole matrices.
const MATRICES: Source =
    Source { stem: "problems_matrix", packed: include_bytes!("../traces/problems_matrix.json.gz") };
/// Those of the others.
const VECTORS: Source =
    Source { stem: "problems", packed: include_bytes!("../traces/problems.json.gz") };
/// Those of the program in `oracle/`.
const ORACLE: Source = Source {
    stem: "problems_numpy_matrix",
    packed: include_bytes!("../traces/problems_numpy_matrix.json.gz"),
};
/// The set that its files are.
const ORACLE_SET: &str = "numpy";

/// The names of the files of problems, without their extension.
pub(crate) const STEMS: [&str; 3] = [VECTORS.stem, MATRICES.stem, ORACLE.stem];

impl Source {
    /// Where the problems of this file are.
    fn of(file: &OptimizerFile, path: &Path) -> &'static Self {
        match &file.set[..] {
            ORACLE_SET => &ORACLE,
            _ if crate::is_of_matrices(path) => &MATRICES,
            _ => &VECTORS,
        }
    }
}

/// The problems of a set of trajectory files.
#[derive(Clone, Debug, Deserialize)]
pub struct ProblemsFile {
    /// The set.
    #[serde(default)]
    pub set: String,
    /// The problems, by name.
    pub problems: BTreeMap<String, Problem>,
}

/// One problem. Fields that are not listed here are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// Where the parameters start.
    #[serde(default, deserialize_with = "number::maybe_step")]
    pub init: Option<Step>,
    /// The shape of each parameter.
    #[serde(default)]
    pub shapes: Vec<Vec<usize>>,
    /// What each parameter is called.
    #[serde(default)]
    pub names: Option<Vec<String>>,
    /// How many steps there are gradients for.
    #[serde(default, rename = "T")]
    pub steps: Option<usize>,
    /// The gradient of each step, where it depends on nothing else. In a file, that of a step is
    /// one list for each parameter, or if there is one parameter, just its list.
    #[serde(default, rename = "G", deserialize_with = "number::maybe_steps_or_lists")]
    pub gradients: Option<Vec<Step>>,
    /// The inputs of a problem of least squares, row by row.
    #[serde(default, rename = "X", deserialize_with = "number::list")]
    pub inputs: Vec<f64>,
    /// How many rows and columns they have.
    #[serde(default, rename = "X_shape")]
    pub inputs_shape: [usize; 2],
    /// Its outputs.
    #[serde(default, rename = "Y", deserialize_with = "number::list")]
    pub outputs: Vec<f64>,
    /// How many rows and columns they have.
    #[serde(default, rename = "Y_shape")]
    pub outputs_shape: [usize; 2],
    /// The loss before each step, where it is a fixed sequence too.
    #[serde(default, deserialize_with = "number::maybe_list")]
    pub losses: Option<Vec<f64>>,
}

impl Case {
    /// Does it take its gradients from a problem?
    fn asks(&self) -> bool {
        self.grads.is_none() && self.evals.is_none() && self.n_evals.is_none()
    }

    /// Takes what it does not say itself from its problem: `false` if that has no gradients.
    fn take_from(&mut self, problem: &Problem) -> bool {
        self.grads = problem.gradients.clone();
        self.names = self.names.take().or_else(|| problem.names.clone());
        self.losses = self.losses.take().or_else(|| problem.losses.clone());
        self.grads.is_some()
    }
}

impl ProblemsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`] if it cannot be read, [`Error::Json`] if it is not of this form.
    pub fn read(path: &Path) -> Result<Self, Error> {
        parse(path, &bytes(path)?)
    }

    /// Gives gradients to the cases of a file that have none of their own, and names and losses.
    pub(crate) fn complete(file: &mut OptimizerFile, path: &Path) -> Result<(), Error> {
        if !file.cases.iter().any(Case::asks) {
            return Ok(());
        }
        let source = Source::of(file, path);
        let problems = Self::beside(path, source)?.or_else(|| Self::of_set(&file.set, source));
        for case in file.cases.iter_mut().filter(|case| case.asks()) {
            let problem = problems.as_ref().and_then(|file| file.problems.get(&case.problem));
            if !problem.is_some_and(|problem| case.take_from(problem)) {
                return Err(Error::MissingProblems {
                    file: path.into(),
                    case: case.id.clone(),
                    problem: case.problem.clone(),
                    set: file.set.clone(),
                    needs: source.stem,
                });
            }
        }
        Ok(())
    }

    /// The problems in the folder of a file, if they are there.
    fn beside(path: &Path, source: &Source) -> Result<Option<Self>, Error> {
        let names = ["json", "json.gz"].map(|extension| format!("{}.{extension}", source.stem));
        let paths = names.map(|name| path.with_file_name(name));
        let Some(path) = paths.iter().find(|path| path.exists()) else { return Ok(None) };
        parse(path, &bytes(path)?).map(Some)
    }

    /// The problems of this repository, if they are the ones of this set.
    fn of_set(set: &str, source: &Source) -> Option<Self> {
        let plain = unpack(source.packed.to_vec()).ok()?;
        serde_json::from_slice(&plain).ok().filter(|file: &Self| file.set == set)
    }
}
