//! New weights for the parameters of a model.

use super::group::Member;
use super::visit::{ByParameter, Tensors, inner};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use burn_descent_engine::LeafContext;

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

/// The model with its parameters changed, each once: those that it holds more than once stay tied,
/// in one leaf. What autodiff knows of them stays, and what is frozen stays as it is.
pub(super) fn change<M: Module, C: Change>(
    model: M,
    members: &ByParameter<Member>,
    change: &mut C,
) -> M {
    model.map(&mut Changing { members, change, changed: Tensors::new() })
}

struct Changing<'a, C> {
    members: &'a ByParameter<Member>,
    change: &'a mut C,
    /// What has been changed, for the other places that hold it.
    changed: Tensors,
}

impl<C: Change> ModuleMapper for Changing<'_, C> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let Some(member) = self.members.get(&id).copied() else { return param };
        if is_frozen(&param) {
            return param;
        }
        if let Some(changed) = self.changed.get::<D>(id) {
            return put(param, changed);
        }
        let Some(found) = self.change.find(&param) else { return param };
        let param = replace(param, |weights| self.change.change(id, member, weights, found));
        self.changed.register(id, param.val());
        param
    }
}

/// Is it kept from being trained? A tensor without autodiff is not: its gradients come from
/// elsewhere.
pub(super) fn is_frozen<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.is_autodiff() && !param.is_require_grad()
}

/// The parameter with this tensor, its leaf included.
pub(super) fn put<const D: usize>(param: Param<Tensor<D>>, tensor: Tensor<D>) -> Param<Tensor<D>> {
    let (id, _, mapper) = param.consume();
    Param::from_mapped_value(id, tensor, mapper)
}

/// The parameter with other weights, in a new leaf that autodiff knows as it knew the old one.
pub(super) fn replace<const D: usize>(
    param: Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let (id, tensor, mapper) = param.consume();
    let context = LeafContext::of(&tensor);
    let tensor = context.restore(change(inner(tensor)));
    let tensor = if context.is_distributed() { tensor.set_distributed(id) } else { tensor };
    Param::from_mapped_value(id, tensor, mapper)
}
