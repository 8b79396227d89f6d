//! Stopping and going on.
//!
//! A save is a folder: `model.bpk`, the trained weights as burn's record; `optimizer.bpk`, the
//! optimizer's state as burn's record; `position.json`, a [`Position`]; and `checksums.json`, the
//! CRC-32 of each, because burn's records load a flipped bit without a word.

use crate::model::Mlp;
use crate::output;
use crate::recipe::Recipe;
use crate::train::{Epoch, Learner};
use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn_descent::Fused;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const POSITION: &str = "position.json";
const CHECKSUMS: &str = "checksums.json";

/// The version of the files below.
const FORMAT: u32 = 1;

/// How far a run has come, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    format: u32,
    /// How it was trained.
    pub recipe: Recipe,
    /// Steps taken.
    pub steps: u64,
    /// [`Dataset::checksum`](crate::data::Dataset::checksum) of its data.
    pub data: u32,
    /// The epochs that are done.
    pub history: Vec<Epoch>,
}

impl Position {
    /// Before the first epoch.
    pub fn start(recipe: Recipe, data: u32) -> Self {
        Self { format: FORMAT, recipe, steps: 0, data, history: Vec::new() }
    }
}

/// A save that was read and found whole.
#[derive(Debug)]
pub struct Checkpoint {
    /// How far it has come.
    pub position: Position,
    model: ModuleRecord,
    optimizer: OptimizerRecord,
}

impl Checkpoint {
    /// Reads a save.
    ///
    /// # Errors
    /// If it is not one, or was damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let name = folder.display();
        ensure!(folder.is_dir(), "there is no save {name}");
        let read = |file| {
            fs::read(folder.join(file)).with_context(|| format!("{file} of the save {name}"))
        };
        let damaged = |file: &str| format!("{file} of the save {name} is damaged");

        let checksums: BTreeMap<String, u32> =
            serde_json::from_slice(&read(CHECKSUMS)?).with_context(|| damaged(CHECKSUMS))?;
        let whole = |file| {
            let bytes = read(file)?;
            ensure!(checksums.get(file) == Some(&checksum(&bytes)), "{}", damaged(file));
            Ok(bytes)
        };
        let position = whole(POSITION)?;
        let format: Format =
            serde_json::from_slice(&position).with_context(|| damaged(POSITION))?;
        ensure!(
            format.format == FORMAT,
            "the save {name} has format {}, this program reads format {FORMAT}",
            format.format
        );
        let position = serde_json::from_slice(&position).with_context(|| damaged(POSITION))?;
        let bytes = |file| whole(file).map(Bytes::from_bytes_vec);
        let model = ModuleRecord::from_bytes(bytes(MODEL)?).with_context(|| damaged(MODEL))?;
        let optimizer =
            OptimizerRecord::from_bytes(bytes(OPTIMIZER)?).with_context(|| damaged(OPTIMIZER))?;
        Ok(Self { position, model, optimizer })
    }

    /// Network and optimizer as they were, on the device of a network of the same widths.
    ///
    /// # Errors
    /// If the network is of other widths.
    pub fn learner(self, model: Mlp, rule: Fused) -> Result<Learner> {
        let model =
            model.try_load_record(self.model).map_err(|error| anyhow!("the save: {error}"))?;
        let optimizer = ModuleOptimizer::from(rule.clone()).load_record(self.optimizer);
        Ok(Learner { model, optimizer, rule })
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Finds out before training whether a save can be written here.
///
/// # Errors
/// If it cannot, or if something is there that is not a save and must not be replaced.
pub fn check(folder: &Path, recipe: &Recipe) -> Result<()> {
    serde_json::to_vec(recipe).context("--save")?;
    output::check_writable(folder)?;
    if !folder.exists() {
        return Ok(());
    }
    let name = folder.display();
    ensure!(folder.is_dir(), "cannot save to {name}: it is a file");
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {name}"))? {
        let file = entry?.file_name();
        ensure!(
            [MODEL, OPTIMIZER, POSITION, CHECKSUMS].iter().any(|known| file == *known),
            "cannot save to {name}: it holds {}, which is not of a save",
            file.display()
        );
    }
    Ok(())
}

/// Writes a save: all of it, or nothing.
///
/// # Errors
/// If it cannot be written; an older save is there still.
pub fn save(folder: &Path, learner: &Learner, position: &Position) -> Result<()> {
    let model = learner.model.clone().into_record().into_bytes().context("the network")?;
    let optimizer = learner.optimizer.into_bytes().context("the optimizer")?;
    let position = serde_json::to_vec_pretty(position)?;
    let files: [(&str, &[u8]); 3] =
        [(MODEL, &model), (OPTIMIZER, &optimizer), (POSITION, &position)];
    let checksums: BTreeMap<&str, u32> =
        files.iter().map(|(name, bytes)| (*name, checksum(bytes))).collect();
    let checksums = serde_json::to_vec_pretty(&checksums)?;
    output::write_folder(folder, &[&files[..], &[(CHECKSUMS, &checksums)]].concat())
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
