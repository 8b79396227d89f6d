//! New weights for the parameters of a model.

use super::group::Member;
use super::visit::{ByParameter, Tensors};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{GradientCheckpointingStrategy, Tensor};

/// What becomes of the weights of a parameter.
pub(super) trait Change {
    /// What is needed to change it, such as its gradient; `None` if it stays as it is.
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>>;

    /// The new weights. The old ones are the only handle on them, without their graph, so that
    /// they can be changed in place.
    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        member: Member,
        weights: Tensor<D>,
        found: Tensor<D>,
    ) -> Tensor<D>;
}

/// The model with its parameters changed, each once: those that it holds more than once stay tied.
/// What autodiff knows of them stays.
pub(super) fn change<M: Module, C: Change>(
    model: M,
    members: &ByParameter<Member>,
    change: &mut C,
) -> M {
    model.map(&mut Changing { members, change, tied: Tensors::new() })
}

struct Changing<'a, C> {
    members: &'a ByParameter<Member>,
    change: &'a mut C,
    /// The new weights of parameters that the model holds more than once.
    tied: Tensors,
}

impl<C: Change> ModuleMapper for Changing<'_, C> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(member) = self.members.get(&param.id).copied() else { return param };
        if is_frozen(&param) {
            return param;
        }
        if member.tied
            && let Some(changed) = self.tied.get::<D>(param.id)
        {
            return replace(param, |_| changed);
        }
        let Some(found) = self.change.find(&param) else { return param };
        let id = param.id;
        replace(param, |weights| {
            let weights = self.change.change(id, member, weights, found);
            if member.tied {
                self.tied.register(id, weights.clone());
            }
            weights
        })
    }
}

/// Is it kept from being trained? A tensor without autodiff is not: its gradients come from
/// elsewhere.
pub(super) fn is_frozen<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.is_autodiff() && !param.is_require_grad()
}

/// The parameter with other weights.
pub(super) fn replace<const D: usize>(
    param: Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let (id, tensor, mapper) = param.consume();
    let context = Context::of(&tensor);
    let weights = if context.autodiff { tensor.inner() } else { tensor };
    Param::from_mapped_value(id, context.restore(change(weights), id), mapper)
}

/// What autodiff knows of a parameter, which a step is not to lose.
struct Context {
    autodiff: bool,
    require_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl Context {
    fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Self {
            autodiff: tensor.is_autodiff(),
            require_grad: tensor.is_require_grad(),
            distributed: tensor.is_distributed(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    fn restore<const D: usize>(self, weights: Tensor<D>, id: ParamId) -> Tensor<D> {
        if !self.autodiff {
            return weights;
        }
        let mut tensor = Tensor::from_inner(weights);
        if let Some(strategy) = self.checkpointing {
            tensor = tensor.with_gradient_checkpointing_strategy(strategy);
        }
        if self.require_grad {
            tensor = tensor.require_grad();
        }
        if self.distributed {
            tensor = tensor.set_distributed(id);
        }
        tensor
    }
}
