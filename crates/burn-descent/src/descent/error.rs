//! What can be wrong with a walk.

use burn::tensor::Shape;
use burn_descent_engine::StepError;
use burn_descent_rules::{InvalidOption, OptionError};

/// Why a walk cannot be built for a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An option is out of its range.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// An optimizer does not take an option.
    #[error("group `{group}`: {error}")]
    Optimizer {
        /// Name of the group.
        group: String,
        /// What is wrong.
        error: OptionError,
    },
    /// A group has no learning rate.
    #[error("group `{0}` has no learning rate: give it an `.lr(..)` or a `.schedule(..)`")]
    NoLearningRate(String),
    /// A group matches no parameter.
    #[error("group `{group}` matches no parameter of the model; its parameters are {parameters}")]
    EmptyGroup {
        /// Name of the group.
        group: String,
        /// The paths of the model's parameters.
        parameters: String,
    },
    /// There is no weight decay to switch off.
    #[error(
        "decay_matrices_only: no optimizer of this walk has a weight decay, so there is none to \
         switch off; leave it out"
    )]
    NoDecay,
    /// The weight decay of an optimizer that is not ours cannot be switched off.
    #[error(
        "group `{0}`: decay_matrices_only cannot switch off the weight decay of an optimizer that \
         is not burn-descent's; give vectors a group of their own"
    )]
    ForeignDecay(String),
    /// The options of an optimizer that is not ours cannot be scheduled.
    #[error("group `{0}`: only the options of burn-descent's optimizers can be scheduled")]
    ForeignOption(String),
    /// An optimizer that is not ours cannot step a parameter of this shape.
    #[error(
        "group `{group}`: its optimizer cannot step `{parameter}` ({reason}); give such parameters \
         a group of their own"
    )]
    Shape {
        /// Name of the group.
        group: String,
        /// Path of the parameter.
        parameter: String,
        /// What the optimizer says.
        reason: String,
    },
    /// A matrix of a group with [heads](crate::Group::heads) cannot be seen as so many.
    #[error(
        "group `{group}`: `{parameter}` cannot be seen as {heads} heads ({reason}); give such parameters a group \
         without heads"
    )]
    Heads {
        /// Name of the group.
        group: String,
        /// Path of the parameter.
        parameter: String,
        /// How many heads the group has.
        heads: u32,
        /// Why not.
        reason: String,
    },
    /// A walk that looks ahead has an optimizer that looks at the whole model or at the loss.
    #[error(
        "group `{group}`: the search looks where {optimizer} would go without a gradient, and it cannot say: it \
         looks at all parameters of the model at once, or at the loss; leave the search out"
    )]
    Ahead {
        /// Name of the group.
        group: String,
        /// Name of the optimizer.
        optimizer: &'static str,
    },
    /// The model has no parameter.
    #[error("the model has no float parameter to train")]
    NoParameter,
}

/// Why a step was not taken. Weights, states and counters are as they were.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DescentError {
    /// A gradient holds a NaN or an infinity.
    #[error("the gradient of `{parameter}` is not finite at step {step}")]
    NotFinite {
        /// Path of the first such parameter.
        parameter: String,
        /// The step, from 1.
        step: u64,
    },
    /// A gradient belongs to a parameter that the walk was not built for.
    #[error(
        "this `Descent` was not built for the parameter `{parameter}`: build one for this model"
    )]
    UnknownParameter {
        /// Path of the parameter.
        parameter: String,
    },
    /// A gradient does not have the shape of its parameter.
    #[error(
        "the gradient of `{parameter}` has {}, but the parameter has shape {expected}",
        .found.as_ref().map_or("another number of dimensions".into(), |found| format!("shape {found}"))
    )]
    GradientShape {
        /// Path of the parameter.
        parameter: String,
        /// Shape of the parameter.
        expected: Box<Shape>,
        /// Shape of the gradient; `None` if it has another number of dimensions.
        found: Option<Box<Shape>>,
    },
    /// What the optimizer remembers of a parameter does not fit it any more.
    #[error(
        "`{parameter}` cannot take step {step} ({error}); the model has changed: build the `Descent` anew, and \
         take up what fits with `Checkpoint::restore_what_fits`"
    )]
    State {
        /// Path of the parameter.
        parameter: String,
        /// The step, from 1.
        step: u64,
        /// What does not fit.
        error: Box<StepError>,
    },
    /// What else is kept of a parameter does not fit it any more.
    #[error(
        "the {part} of `{parameter}` is of another shape or precision than it is: the model has changed; \
         build the `Descent` anew, and take up what fits with `Checkpoint::restore_what_fits`"
    )]
    Kept {
        /// Path of the parameter.
        parameter: String,
        /// What: `average`.
        part: &'static str,
    },
    /// No parameter of the model has a gradient.
    #[error(
        "no parameter of the model has a gradient: they are frozen, or the gradients are of another \
         model; if that is meant, build the walk with `allow_empty_steps`"
    )]
    NoGradient,
    /// An optimizer has panicked in the middle of a step.
    #[error(
        "step {step} broke off in the middle, by a panic: take up a checkpoint, or build the `Descent` anew"
    )]
    BrokenOff {
        /// The step, from 1.
        step: u64,
    },
    /// A schedule gave a value that is not allowed.
    #[error("group `{group}` at step {step}: {error}")]
    Scheduled {
        /// Name of the group.
        group: String,
        /// The step, from 1.
        step: u64,
        /// What is wrong.
        error: Box<OptionError>,
    },
    /// The walk takes gradients elsewhere than at the weights, or an optimizer needs the value of the loss.
    #[error(
        "the walk has to see the loss, for a search or for an optimizer whose step follows from it: call \
         `step_with`; without a search, `step_weighted` takes gradients and `Batch::new().loss(value)`"
    )]
    NeedsLoss,
    /// A search that estimates curvature was given no loss with drawn labels.
    #[error(
        "`{search}` estimates the curvature in this step, from a loss whose labels the model draws: take it with \
         `step_with_sampled`"
    )]
    NeedsSampledLoss {
        /// Name of the search.
        search: &'static str,
    },
    /// The loss that an optimizer or a search needs is no number.
    #[error("the loss is {loss} at step {step}, and an optimizer or a search needs its value")]
    BadLoss {
        /// The loss.
        loss: f64,
        /// The step, from 1.
        step: u64,
    },
    /// The loss is not one number.
    #[error(
        "the loss has shape {found}, it must be one number, of shape [1]: take its mean or its sum"
    )]
    LossShape {
        /// Its shape.
        found: Box<Shape>,
    },
    /// A search gave a step of another kind than the walk was begun for.
    #[error("a `Descent` by `{search}` has to begin with `{begin}`, by the step that it gives")]
    WrongWalk {
        /// Name of the search.
        search: &'static str,
        /// How its walk begins.
        begin: &'static str,
    },
    /// The weight of a micro-batch is not a positive number, or one whose sums f32 does not hold.
    #[error("the weight of a micro-batch is {0}, it must be a number > 0, from 1e-12 to 1e12")]
    BadWeight(f64),
}

/// A step that was not taken: why, and the model as it was.
///
/// `?` turns it into the error alone.
pub struct Refused<M> {
    /// The model, unchanged.
    pub model: M,
    /// Why.
    pub error: DescentError,
}

impl<M> core::fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<M> core::fmt::Display for Refused<M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> core::error::Error for Refused<M> {
    /// Its text is that of the error, so its cause is that of the error too.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}

impl<M> From<Refused<M>> for DescentError {
    fn from(refused: Refused<M>) -> Self {
        refused.error
    }
}
