//! A file of schedules: the learning rate of every step, without an optimizer.

use crate::schema::{bytes, parse};
use crate::{Error, number};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

/// The names of the files that hold schedules, without their extension.
pub(crate) const STEMS: [&str; 2] = ["torch_optim_lr_scheduler", "optax_schedules"];

/// The schedules of one library. Fields that are not listed here are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleFile {
    /// The library, such as `torch.optim.lr_scheduler`.
    pub library: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The schedules.
    pub cases: Vec<ScheduleCase>,
}

/// What one schedule said at each step.
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleCase {
    /// `class/number`.
    pub id: String,
    /// The library's name of the schedule, such as `CosineAnnealingLR`.
    pub class: String,
    /// The learning rate of the optimizer, which some schedules start from.
    #[serde(default)]
    pub base_lr: Option<f64>,
    /// The hyper-parameters that are not at their defaults.
    pub hyper_given: Map<String, Value>,
    /// The learning rate at each step, from 0.
    pub lr: Vec<f64>,
    /// The momentum at each step, where it is scheduled too.
    #[serde(default, deserialize_with = "number::maybe_list")]
    pub momentum: Option<Vec<f64>>,
    /// The metric after each step, where the schedule looks at one.
    #[serde(default, deserialize_with = "number::maybe_list")]
    pub metrics: Option<Vec<f64>>,
}

impl ScheduleFile {
    /// Reads a file, plain or packed with gzip.
    ///
    /// # Errors
    /// [`Error`] names the file, what is wrong, and what to do.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file: Self = parse(path, &bytes(path)?)?;
        file.cases.iter().try_for_each(|case| {
            let inconsistent = |what| {
                let case = case.id.clone();
                Error::Inconsistent { file: path.into(), case, what }
            };
            case.check().map_err(inconsistent)
        })?;
        Ok(file)
    }
}

impl ScheduleCase {
    fn check(&self) -> Result<(), String> {
        let steps = self.lr.len();
        if steps == 0 {
            return Err("`lr` is empty".into());
        }
        for (name, list, len) in
            [("momentum", &self.momentum, steps), ("metrics", &self.metrics, steps - 1)]
        {
            if let Some(list) = list.as_ref().filter(|list| list.len() != len) {
                return Err(format!("`{name}` has {} entries, not {len}", list.len()));
            }
        }
        Ok(())
    }
}
