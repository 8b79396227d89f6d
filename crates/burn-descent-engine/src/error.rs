//! Why a step cannot be taken.

use burn::tensor::Shape;
use burn_descent_rules::InvalidOption;

/// Why a step cannot be taken. Nothing has been changed then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The learning rate is negative, NaN or infinite.
    #[error(transparent)]
    LearningRate(#[from] InvalidOption),
    /// An option with which the update does not stay finite in the precision of the parameter.
    #[error(transparent)]
    Option(InvalidOption),
    /// The rule looks at all parameters of the model, and was given one.
    #[error(
        "{optimizer} looks at all parameters of the model at once, and burn's ModuleOptimizer shows it one \
         at a time: use Descent"
    )]
    NeedsModel {
        /// Name of the optimizer.
        optimizer: &'static str,
    },
    /// The rule needs the value of the loss, and was not told.
    #[error(
        "{optimizer} needs the value of the loss at each step, which burn's ModuleOptimizer does not show: use \
         Descent, with `step_with` or `step_weighted`"
    )]
    NeedsLoss {
        /// Name of the optimizer.
        optimizer: &'static str,
    },
    /// The gradient does not have the parameter's shape.
    #[error("{optimizer}: the gradient has shape {found}, but the parameter has shape {expected}")]
    GradientShape {
        /// Name of the optimizer.
        optimizer: &'static str,
        /// Shape of the parameter.
        expected: Shape,
        /// Shape of the gradient.
        found: Shape,
    },
    /// The state does not have the parameter's shape.
    #[error(
        "{optimizer}: the state has shape {found}, but the parameter has shape {expected}; \
         resume with the model that it was saved with, or start without a state"
    )]
    StateShape {
        /// Name of the optimizer.
        optimizer: &'static str,
        /// Shape of the parameter.
        expected: Shape,
        /// Shape of the state.
        found: Shape,
    },
    /// The state was made by another optimizer, or with options that need other states.
    #[error(
        "{optimizer}: the state belongs to another optimizer or to other options; \
         resume with the optimizer that saved it, or start without a state"
    )]
    ForeignState {
        /// Name of the optimizer.
        optimizer: &'static str,
    },
}
