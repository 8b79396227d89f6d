//! What has been done, line by line: a comparison that was interrupted goes on from there.

use super::tune::Setting;
use crate::training::Outcome;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

const FILE: &str = "trials.jsonl";

/// Which training of a comparison one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it is for.
    pub phase: Phase,
    /// The optimizer, as it was asked for.
    pub optimizer: String,
    /// The number of the point, or the seed.
    pub index: u32,
}

/// What a training is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// To find the best setting.
    Tune,
    /// To evaluate it.
    #[serde(alias = "judge")]
    Evaluate,
}

/// A training that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which one.
    #[serde(flatten)]
    pub key: Key,
    /// Its learning rate and options.
    #[serde(flatten)]
    pub setting: Setting,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The trainings that are done, in a file too unless there is no folder: the first line is what was
/// asked for, each other one a [`Trial`].
#[derive(Debug)]
pub struct Journal {
    file: Option<(PathBuf, File)>,
    trials: Vec<Trial>,
}

impl Journal {
    /// Opens that of a folder, which may have trials of the same comparison already.
    ///
    /// # Errors
    /// If it cannot be written, is damaged, or belongs to another comparison.
    pub fn open(folder: Option<&Path>, asked: &Map<String, Value>) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self { file: None, trials: Vec::new() }) };
        let path = folder.join(FILE);
        let context = || format!("cannot write {}", path.display());
        fs::create_dir_all(folder).with_context(context)?;
        let text = if path.exists() {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            String::new()
        };
        // A line without an end is one that was interrupted.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let trials = read(&text[..whole], asked).with_context(|| path.display().to_string())?;
        let file =
            OpenOptions::new().create(true).append(true).open(&path).with_context(context)?;
        file.set_len(whole as u64).with_context(context)?;
        let mut journal = Self { file: Some((path, file)), trials };
        if whole == 0 {
            journal.write(asked)?;
        }
        Ok(journal)
    }

    /// The training of a key and setting, if it is done.
    ///
    /// # Errors
    /// If it was done with another setting.
    pub fn find(&self, key: &Key, setting: &Setting) -> Result<Option<&Trial>> {
        let trial = self.trials.iter().find(|trial| trial.key == *key);
        if let Some(trial) = trial {
            let Key { optimizer, index, .. } = key;
            ensure!(
                trial.setting == *setting,
                "trial {index} of {optimizer} was made with {}, not {setting}, by another version of \
                 the program: give another --out",
                trial.setting
            );
        }
        Ok(trial)
    }

    /// Writes down what is done.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn push(&mut self, trial: Trial) -> Result<()> {
        self.write(&trial)?;
        self.trials.push(trial);
        Ok(())
    }

    /// All that is done, in the order in which it was done.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let line = serde_json::to_string(line)? + "\n";
        file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The trials of whole lines, whose first one must be what is asked for now.
fn read(text: &str, asked: &Map<String, Value>) -> Result<Vec<Trial>> {
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else { return Ok(Vec::new()) };
    let before: Map<String, Value> = serde_json::from_str(first).context("line 1 is damaged")?;
    let names = before.keys().chain(asked.keys());
    for name in names {
        let (before, now) = (before.get(name), asked.get(name));
        if before != now {
            let tell = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
            bail!(
                "it is of a comparison with {name} {}, not {}: give the same arguments, or another --out",
                tell(before),
                tell(now)
            );
        }
    }
    let trial = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("line {} is damaged", number + 1))
    };
    lines.map(trial).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(epochs: u64) -> Map<String, Value> {
        json!({ "task": "classifier", "epochs": epochs }).as_object().unwrap().clone()
    }

    fn trial(index: u32) -> Trial {
        let key = Key { phase: Phase::Tune, optimizer: "adam".into(), index };
        let setting = Setting { lr: 0.1 + 0.2, options: vec![("beta1".into(), 0.9)] };
        let outcome =
            Outcome { steps_an_epoch: 3, diverged: Some("it is NaN".into()), ..Outcome::default() };
        Trial { key, setting, outcome }
    }

    #[test]
    fn what_was_done_is_found_again_and_half_a_line_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Journal::open(Some(dir.path()), &asked(5));
        let mut journal = open().unwrap();
        journal.push(trial(0)).unwrap();
        journal.push(trial(1)).unwrap();
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        let mut journal = open().unwrap();
        assert_eq!(journal.trials(), [trial(0)]);
        let found = journal.find(&trial(0).key, &trial(0).setting).unwrap();
        assert_eq!(found, Some(&trial(0)));
        assert_eq!(journal.find(&trial(1).key, &trial(1).setting).unwrap(), None);
        journal.push(trial(1)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn what_belongs_to_another_comparison_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(Some(dir.path()), &asked(5)).unwrap();
        journal.push(trial(0)).unwrap();
        let error = format!("{:#}", Journal::open(Some(dir.path()), &asked(6)).unwrap_err());
        assert!(error.contains("a comparison with epochs 5, not 6"), "{error}");
        let other = Setting { lr: 0.5, options: Vec::new() };
        assert!(journal.find(&trial(0).key, &other).is_err());
        let path = dir.path().join(FILE);
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{}\n").unwrap();
        let error = format!("{:#}", Journal::open(Some(dir.path()), &asked(5)).unwrap_err());
        assert!(error.contains("line 3 is damaged"), "{error}");
    }
}
