//! Where the examples are from.

use super::encode::{self, Choice};
use super::table::Table;
use super::{Dataset, Layout, generated, idx};
use crate::task::Task;
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The flags that say something of a table.
const OF_TABLE: &str = "--target, --drop, --features, --separator, --no-header and --missing";

/// Where the examples are from. It is kept in a save, so that a run can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// A formula and the seed.
    Generated,
    /// A CSV file.
    Table {
        /// The file.
        path: PathBuf,
        /// The column to predict.
        target: String,
        /// Columns not to use.
        drop: Vec<String>,
        /// The only columns to use, unless empty.
        features: Vec<String>,
        /// How it is written down.
        #[serde(default)]
        layout: Layout,
    },
    /// A folder of MNIST-style files.
    Images {
        /// The folder.
        path: PathBuf,
    },
}

/// What somebody says of the data; what is left empty is open.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// A CSV file or a folder.
    pub path: Option<PathBuf>,
    /// The column to predict.
    pub target: Option<String>,
    /// Columns not to use.
    pub drop: Vec<String>,
    /// The only columns to use.
    pub features: Vec<String>,
    /// How the CSV file is written down.
    pub layout: Layout,
}

impl Wish {
    /// The same, with what is open as it was.
    fn or(mut self, saved: &Source) -> Self {
        match saved {
            Source::Generated => {}
            Source::Images { path } => self.path = self.path.or_else(|| Some(path.clone())),
            Source::Table { path, target, drop, features, layout } => {
                self.path = self.path.or_else(|| Some(path.clone()));
                self.target = self.target.or_else(|| Some(target.clone()));
                let choose = self.drop.is_empty() && self.features.is_empty();
                if choose {
                    (self.drop, self.features) = (drop.clone(), features.clone());
                }
                self.layout = self.layout.or(layout);
            }
        }
        self
    }
}

impl Source {
    /// The source that is wished for; what the wish leaves open is as in the save.
    ///
    /// # Errors
    /// If the parts of the wish do not fit together.
    pub fn new(wish: &Wish, saved: Option<&Source>) -> Result<Self> {
        let wish = wish.clone();
        let wish = saved.map_or(wish.clone(), |saved| wish.or(saved));
        let Wish { path, target, drop, features, layout } = wish;
        let of_table = target.is_some()
            || !drop.is_empty()
            || !features.is_empty()
            || layout != Layout::default();
        let Some(path) = path else {
            ensure!(!of_table, "{OF_TABLE} need --data FILE.csv");
            return Ok(Source::Generated);
        };
        ensure!(path.exists(), "there is no file or folder {}", path.display());
        let path = std::path::absolute(&path).unwrap_or(path);
        if path.is_dir() {
            let name = path.display();
            ensure!(!of_table, "{name} is a folder: {OF_TABLE} are for a file");
            return Ok(Source::Images { path });
        }
        match target {
            Some(target) => Ok(Source::Table { path, target, drop, features, layout }),
            None => {
                let columns =
                    Table::open(&path, &layout)?.columns.into_iter().map(|column| column.name);
                let columns = columns.collect::<Vec<_>>().join(", ");
                bail!("--target COLUMN is missing: which of {columns} is to be predicted?")
            }
        }
    }

    /// Reads or makes the examples.
    ///
    /// # Errors
    /// If the files are missing, damaged, or not fit for the task.
    pub fn load(&self, task: Task, seed: u64) -> Result<Dataset> {
        match self {
            Source::Generated => generated::generate(task, seed),
            Source::Table { path, target, drop, features, layout } => {
                let choice = Choice { target, drop, features };
                encode::examples(&Table::open(path, layout)?, choice, task, seed)
            }
            Source::Images { path } if task == Task::Classification => idx::open(path, seed),
            Source::Images { path } => {
                bail!(
                    "{} is a folder: --data takes a CSV file here, with --target COLUMN",
                    path.display()
                )
            }
        }
    }

    /// How its table is written down, if it is one.
    pub fn layout(&self) -> Layout {
        match self {
            Source::Table { layout, .. } => layout.clone(),
            Source::Generated | Source::Images { .. } => Layout::default(),
        }
    }

    /// Its name in titles: `diamonds.csv.gz`.
    pub fn name(&self) -> String {
        match self {
            Source::Generated => "generated data".into(),
            Source::Table { path, .. } | Source::Images { path } => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_from_before_layouts_is_read() {
        let saved =
            r#"{ "table": { "path": "a.csv", "target": "y", "drop": [], "features": [] } }"#;
        let source: Source = serde_json::from_str(saved).unwrap();
        assert_eq!(source.layout(), Layout::default());
    }
}
