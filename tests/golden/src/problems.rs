//! Gradients that all runs of a problem share.

use crate::schema::{bytes, parse, unpack};
use crate::{Case, Error, OptimizerFile, Tensor, number};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file, without its extension.
pub(crate) const STEM: &str = "problems";

/// The problems of a set of trajectory files.
#[derive(Clone, Debug, Deserialize)]
pub struct ProblemsFile {
    /// The set.
    #[serde(default)]
    pub set: String,
    /// The problems, by name.
    pub problems: BTreeMap<String, Problem>,
}

/// One problem.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// The gradient of each step for the one tensor there is, where it depends on nothing else.
    #[serde(default, rename = "G", deserialize_with = "number::maybe_lists")]
    pub gradients: Option<Vec<Tensor>>,
}

impl ProblemsFile {
    /// Gives gradients to the cases of a file that have none of their own.
    pub(crate) fn complete(file: &mut OptimizerFile, path: &Path) -> Result<(), Error> {
        let asks = |case: &Case| case.grads.is_none() && case.evals.is_none();
        let asks = |case: &Case| asks(case) && case.n_evals.is_none();
        if !file.cases.iter().any(asks) {
            return Ok(());
        }
        let problems = Self::beside(path)?.or_else(|| Self::of_set(&file.set));
        for case in file.cases.iter_mut().filter(|case| asks(case)) {
            let problem = problems.as_ref().and_then(|file| file.problems.get(&case.problem));
            let Some(gradients) = problem.and_then(|problem| problem.gradients.as_ref()) else {
                return Err(Error::MissingProblems {
                    file: path.into(),
                    case: case.id.clone(),
                    problem: case.problem.clone(),
                    set: file.set.clone(),
                });
            };
            case.grads = Some(gradients.iter().map(|tensor| vec![tensor.clone()]).collect());
        }
        Ok(())
    }

    /// The problems in the folder of a file, if they are there.
    fn beside(path: &Path) -> Result<Option<Self>, Error> {
        let names = ["json", "json.gz"].map(|extension| format!("{STEM}.{extension}"));
        let paths = names.map(|name| path.with_file_name(name));
        let Some(path) = paths.iter().find(|path| path.exists()) else { return Ok(None) };
        parse(path, &bytes(path)?).map(Some)
    }

    /// The problems of this repository, if they are the ones of this set.
    fn of_set(set: &str) -> Option<Self> {
        let packed = include_bytes!("../traces/problems.json.gz").to_vec();
        let plain = unpack(packed).ok()?;
        serde_json::from_slice(&plain).ok().filter(|file: &Self| file.set == set)
    }
}
