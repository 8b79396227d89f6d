use burn::tensor::{DType, Shape};
use core::fmt;

/// Why a checkpoint cannot be written, read, or taken up. The walk, the model and the file are as
/// they were.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("checkpoint {path}: {reason}")]
    File {
        /// Path of the file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// It is not a checkpoint of a walk, or was cut off.
    #[error("this is not a checkpoint of burn-descent, or was cut off: {0}")]
    Foreign(String),
    /// It was written in another version of the format.
    #[error(
        "the checkpoint has format {found}, this version of burn-descent reads format {}",
        .read.join(" and ")
    )]
    Version {
        /// Its version.
        found: String,
        /// The versions that are read.
        read: &'static [&'static str],
    },
    /// It is not what was written.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(String),
    /// The walk broke off in the middle of a step.
    #[error(
        "the walk broke off in the middle of a step, by a panic: there is nothing whole to save; take \
         up an earlier checkpoint, or build the `Descent` anew"
    )]
    BrokenOff,
    /// It is of another model or another walk.
    #[error("the checkpoint does not fit: {}{}", listed(.0), remedy(.0))]
    Misfit(Vec<Mismatch>),
}

/// One thing in which a checkpoint is not of this model and this walk.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The model has a parameter that the checkpoint has not.
    #[error("it has no parameter `{parameter}`")]
    Missing {
        /// Path of the parameter.
        parameter: String,
    },
    /// The checkpoint has a parameter that the model has not.
    #[error("the model has no parameter `{parameter}`")]
    Extra {
        /// Path of the parameter.
        parameter: String,
    },
    /// A frozen copy of a trained parameter has its id.
    #[error(
        "`{parameter}` is a frozen copy of a parameter that is trained, with the same id, and a \
         checkpoint keeps one of each: give the copy an id of its own (`Param::initialized` with \
         `ParamId::new()`)"
    )]
    FrozenCopy {
        /// Path of the copy.
        parameter: String,
    },
    /// The walk was built for another model.
    #[error("this `Descent` was not built for `{parameter}`: build one for this model")]
    Unknown {
        /// Path of the parameter.
        parameter: String,
    },
    /// A parameter has another shape.
    #[error("`{parameter}` was saved with shape {saved}, it has shape {expected}")]
    Shape {
        /// Path of the parameter.
        parameter: String,
        /// In the checkpoint.
        saved: Shape,
        /// In the model.
        expected: Shape,
    },
    /// A parameter has another precision.
    #[error("`{parameter}` was saved as {saved:?}, it is {expected:?}")]
    Dtype {
        /// Path of the parameter.
        parameter: String,
        /// In the checkpoint.
        saved: DType,
        /// In the model.
        expected: DType,
    },
    /// A parameter is stepped by another optimizer.
    #[error("`{parameter}` was stepped by {saved}, now it is by {expected}")]
    Optimizer {
        /// Path of the parameter.
        parameter: String,
        /// In the checkpoint.
        saved: String,
        /// In the walk.
        expected: String,
    },
    /// A tensor that belongs to a parameter is not there, or not of its shape and precision.
    #[error("the {part} of `{parameter}` does not fit it")]
    Part {
        /// Path of the parameter.
        parameter: String,
        /// Which: `state`, `average`.
        part: &'static str,
    },
    /// burn reads the state of an optimizer of its own in the default precision of the device, and it was saved in another.
    #[error(
        "the state of `{parameter}` was saved as {saved:?}, and burn reads it as {read:?}, the default of the device: \
         configure the device for {saved:?} before anything is made on it, or begin without states by \
         `restore_what_fits`"
    )]
    StateDtype {
        /// Path of the parameter.
        parameter: String,
        /// In the checkpoint.
        saved: DType,
        /// As burn has read it.
        read: DType,
    },
    /// A new path cannot be that of the parameter: another one has it, it is empty, or it has a
    /// colon or a slash.
    #[error("`{parameter}` cannot be renamed to `{to}`")]
    Renamed {
        /// Path of the parameter.
        parameter: String,
        /// What it was to be called.
        to: String,
    },
    /// It was saved in the middle of a step that is of fewer micro-batches now.
    #[error(
        "it holds {held} micro-batches of a step that is not taken yet, and a step is of {now} now:          accumulate more of them, or save after a step"
    )]
    Accumulated {
        /// In the checkpoint.
        held: u32,
        /// In the walk.
        now: u32,
    },
    /// An option has another value.
    #[error("{option} was {saved}, it is {now}")]
    Option {
        /// Which option of the walk.
        option: String,
        /// In the checkpoint.
        saved: String,
        /// In the walk.
        now: String,
    },
}

/// How many are listed before the rest is only counted.
const LISTED: usize = 8;

/// All that does not fit, in one line.
pub(super) fn listed(mismatches: &[impl fmt::Display]) -> String {
    let listed = mismatches.iter().take(LISTED).map(ToString::to_string);
    let mut text = listed.collect::<Vec<_>>().join("; ");
    if mismatches.len() > LISTED {
        text += &format!("; and {} more", mismatches.len() - LISTED);
    }
    text
}

/// What to do, where nothing but options has changed.
fn remedy(mismatches: &[Mismatch]) -> &'static str {
    match mismatches.iter().all(|mismatch| matches!(mismatch, Mismatch::Option { .. })) {
        true => "; if that is meant, take it up with `restore_changed`",
        false => "",
    }
}
