use crate::descent::CheckpointError;
use crate::descent::checkpoint::error::listed;
use burn::tensor::{DType, Shape};

/// Why a run of PyTorch cannot be taken up. The model and its [`Descent`](crate::Descent) are as they were.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PyTorchError {
    /// The file cannot be read.
    #[error("run of PyTorch {path}: {reason}")]
    File {
        /// Path of the file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// It is another file, or was cut off.
    #[error("this is not a safetensors file, or was cut off: {0}")]
    Format(String),
    /// A tensor has another name than `save_run` gives it.
    #[error(
        "`{name}` should be named by what it is and by its parameter, as `exp_avg/fc.weight`: write the file with \
         `save_run`, which the documentation of `PyTorchRun` has"
    )]
    Name {
        /// Name of the tensor.
        name: String,
    },
    /// There is no number of steps.
    #[error(
        "the file does not say how many steps were taken: it needs a tensor `steps` of one whole number"
    )]
    Steps,
    /// Two parameters would have one name.
    #[error("`{parameter}` cannot be renamed to `{to}`: another parameter has that name")]
    Renamed {
        /// Name of the parameter.
        parameter: String,
        /// What it was to be called.
        to: String,
    },
    /// The `Descent` is of another model.
    #[error(transparent)]
    Model(CheckpointError),
    /// It is of another model, or of other optimizers.
    #[error("the run of PyTorch does not fit: {}", listed(.0))]
    Misfit(Vec<PyTorchMismatch>),
}

/// One thing in which a run of PyTorch is not of this model and this [`Descent`](crate::Descent). Tensors are named as in
/// the file, after [`rename`](crate::PyTorchRun::rename).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PyTorchMismatch {
    /// The model has a parameter that the file does not have.
    #[error("it has no `weights/{parameter}`")]
    Weights {
        /// Path of the parameter in the model.
        parameter: String,
    },
    /// A state is missing of a parameter that was trained.
    #[error(
        "it has no `{tensor}`, which {optimizer} needs: were all optimizers given to `save_run`?"
    )]
    State {
        /// Name of the tensor.
        tensor: String,
        /// What steps the parameter here.
        optimizer: String,
    },
    /// No parameter has this name, or its optimizer does not have this state.
    #[error("nothing takes `{tensor}`: {reason}")]
    Unused {
        /// Name of the tensor.
        tensor: String,
        /// Why.
        reason: String,
    },
    /// A tensor has another shape than its parameter.
    #[error("`{tensor}` has shape {found} in burn's layout, its parameter {expected}")]
    Shape {
        /// Name of the tensor.
        tensor: String,
        /// In the file, in burn's layout: a `Linear` is inputs × outputs.
        found: Shape,
        /// In the model.
        expected: Shape,
    },
    /// A tensor has numbers of another kind: integers in place of floats, say.
    #[error("`{tensor}` is of {found:?}, its parameter of {expected:?}")]
    Dtype {
        /// Name of the tensor.
        tensor: String,
        /// In the file.
        found: DType,
        /// In the model.
        expected: DType,
    },
    /// A count of steps is no whole number, is above that of the run, or is 0 where there are states.
    #[error("`{tensor}` is not a number of steps that `{parameter}` can have taken by then")]
    Steps {
        /// Name of the tensor.
        tensor: String,
        /// Name of the parameter.
        parameter: String,
    },
    /// PyTorch does not have the states of this optimizer.
    #[error(
        "`{parameter}` is stepped by {optimizer}, whose states cannot be read from PyTorch: only those of adam, adamw, \
         sgd and muon can"
    )]
    Optimizer {
        /// Name of the parameter.
        parameter: String,
        /// What steps it here.
        optimizer: String,
    },
}
