//! Stopping and going on: a save is a checkpoint of the walk, with a note of the run's position.

use crate::data::Encoder;
use crate::model::Network;
use crate::output;
use crate::position::Position;
use crate::train::Learner;
use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::Device;
use burn_descent::{Checkpoint, CheckpointError, Descent};
use std::path::Path;

/// The name of the note of a run's position.
const NOTE: &str = "run";

/// The name of the note of what its numbers stand for.
const ENCODER: &str = "encoder";

/// A save that was read and found whole.
#[derive(Debug)]
pub struct Save {
    /// How far it has come.
    pub position: Position,
    /// What its numbers stand for; saves of old have none.
    pub encoder: Option<Encoder>,
    checkpoint: Checkpoint,
}

impl Save {
    /// Reads a save.
    ///
    /// # Errors
    /// If it is not one, or was damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display();
        ensure!(!path.is_dir(), "{name} is a folder: a save is one file");
        ensure!(!path.exists() || path.is_file(), "{name} is no file: a save is one");
        let checkpoint = Checkpoint::open(path).map_err(|error| match error {
            CheckpointError::File { reason, .. } => {
                anyhow!("cannot read the save {name}: {reason}")
            }
            other => anyhow!("the save {name}: {other}"),
        })?;
        let note = checkpoint.noted(NOTE);
        let note = note.with_context(|| format!("{name} is a checkpoint of another program"))?;
        let version = || format!("the save {name} is of another version of this program");
        let position = serde_json::from_str(note).with_context(version)?;
        let encoder = checkpoint.noted(ENCODER).map(serde_json::from_str);
        let encoder = encoder.transpose().with_context(version)?;
        Ok(Self { position, encoder, checkpoint })
    }

    /// The model as it was, and the walk where it was, to go on to a position of now. What may
    /// change is in its flags: all else must be as it was.
    ///
    /// # Errors
    /// If the save is not of such a model and walk.
    pub fn restore(
        self,
        now: &Position,
        descent: &mut Descent,
        model: &Network,
    ) -> Result<Network> {
        let Position { recipe, around, epochs, .. } = &self.position;
        let same = (recipe, around, *epochs) == (&now.recipe, &now.around, now.epochs);
        let checkpoint = self.checkpoint;
        let model = if same {
            checkpoint.restore(descent, model)
        } else {
            checkpoint.restore_changed(descent, model)
        };
        model.context("the save")
    }

    /// The model to evaluate and to predict with, of so many inputs and outputs.
    ///
    /// # Errors
    /// If the save is not of such a model.
    pub fn evaluated(self, widths: [usize; 2], device: &Device) -> Result<Network> {
        let Self { position, checkpoint, .. } = self;
        let model = position.recipe.network(widths, device)?;
        // No step is taken, so that no schedule is needed.
        let mut descent = position.walk_by(&model, position.recipe.lr)?;
        let model = checkpoint.restore_changed(&mut descent, &model).context("the save")?;
        Ok(descent.evaluate(&model))
    }
}

/// Finds out before training whether a save can be written here.
///
/// # Errors
/// If it cannot, or if something is there that is not a save and must not be replaced.
pub fn check(path: &Path) -> Result<()> {
    output::check_file(path)?;
    let name = path.display();
    match path.exists().then(|| Checkpoint::open(path)) {
        Some(Err(CheckpointError::Foreign(_))) => {
            bail!("cannot save to {name}: there is a file that is not a save; take another name")
        }
        Some(Err(error @ CheckpointError::File { .. })) => bail!("cannot save to {name}: {error}"),
        _ => Ok(()),
    }
}

/// Writes a save: all of it, or nothing.
///
/// # Errors
/// If it cannot be written; an older save is there still.
pub fn write(path: &Path, learner: &Learner, position: &Position, encoder: &Encoder) -> Result<()> {
    output::make_folder_of(path)?;
    let checkpoint = learner.descent.checkpoint(&learner.model)?;
    let checkpoint = checkpoint
        .note(NOTE, serde_json::to_string(position)?)
        .note(ENCODER, serde_json::to_string(encoder)?);
    checkpoint.save(path).context("--save")
}
