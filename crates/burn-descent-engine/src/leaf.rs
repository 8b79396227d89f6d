//! The leaf of autodiff that a parameter is.

use burn::backend::{DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, GradientCheckpointingStrategy, Tensor};

/// What autodiff knows of a parameter, for other weights to take its place.
#[derive(Clone, Copy, Debug)]
pub struct LeafContext {
    autodiff: bool,
    require_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl LeafContext {
    /// Of this tensor, whatever it is: bare, quantised, or in autodiff.
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        let autodiff = tensor.is_autodiff();
        Self {
            autodiff,
            require_grad: tensor.is_require_grad(),
            distributed: autodiff && is_float(tensor) && tensor.is_distributed(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    /// Is it known to burn as shared among devices? Such a leaf has to be registered when it is made.
    pub fn is_distributed(&self) -> bool {
        self.distributed
    }

    /// These weights, which are bare, as a new leaf that requires gradients if this one did. It is not
    /// distributed.
    pub fn restore<const D: usize>(self, weights: Tensor<D>) -> Tensor<D> {
        if !self.autodiff {
            return weights;
        }
        let mut tensor = Tensor::from_inner(weights);
        if let Some(strategy) = self.checkpointing {
            tensor = tensor.with_gradient_checkpointing_strategy(strategy);
        }
        if self.require_grad { tensor.require_grad() } else { tensor }
    }
}

/// burn has no answer to some questions about quantised tensors.
fn is_float<const D: usize>(tensor: &Tensor<D>) -> bool {
    !matches!(tensor.dtype(), DType::QFloat(_))
}

/// Can a step leave the tensor in its leaf, if it has one? What is distributed gets a new leaf, which
/// is registered with burn, and what was computed from other tensors is none.
pub(crate) fn stays<const D: usize>(tensor: &Tensor<D>) -> bool {
    let context = LeafContext::of(tensor);
    (context.require_grad || !context.autodiff) && !context.distributed
}

/// The parameter in a leaf that nobody else holds.
///
/// A leaf that somebody else holds too is left to them: a clone of a model is another model, and a
/// graph that has saved the weights is a graph of those weights. burn keeps what graphs have saved
/// by the node of the leaf, so a node must not stand for two values while a graph of it can be run.
pub(crate) fn own<const D: usize>(parameter: DispatchTensor) -> DispatchTensor {
    let in_autodiff = matches!(parameter.kind, DispatchTensorKind::Autodiff(_));
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    let in_autodiff = in_autodiff && !crate::cpu::is_alone(&parameter);
    #[cfg(feature = "cube")]
    let in_autodiff = in_autodiff && !crate::cube::is_alone(&parameter);
    if !in_autodiff {
        return parameter;
    }
    let parameter = Tensor::<D>::from_dispatch(parameter);
    LeafContext::of(&parameter).restore(parameter.inner()).into_dispatch()
}
