//! The fast weights meet the slow ones.

use super::Descent;
use super::arithmetic::toward;
use super::frozen::Frozen;
use super::group::Member;
use super::param::{Change, change, is_frozen};
use super::visit::{ByParameter, Each, Tensors, compute_dtype, each_parameter, inner, wide};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;

impl Descent {
    /// Before a step: the slow weights of a parameter begin where it is when it is first trained, and
    /// end when it is frozen. One that the walk was not built for has none: others may move it.
    pub(super) fn look_ahead<M: Module>(&mut self, model: &M) {
        struct Begin<'a> {
            members: &'a ByParameter<Member>,
            slow: &'a mut Tensors,
            frozen: Frozen,
        }
        impl Each for Begin<'_> {
            fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
                if !self.members.contains_key(&param.id) {
                    return;
                }
                if self.frozen.parameters.contains(&param.id) {
                    self.slow.remove::<D>(param.id);
                } else if !is_frozen(param) && self.slow.get::<D>(param.id).is_none() {
                    self.slow.register(param.id, wide(inner(param.val())));
                }
            }
        }
        if self.setup.settings.lookahead.is_some() {
            let (frozen, members) = (Frozen::of(model), &self.setup.members);
            each_parameter(model, &mut Begin { members, slow: &mut self.at.slow, frozen });
        }
    }

    /// After a step of Lookahead's, the model with the weights at which fast and slow have met.
    pub(super) fn meet<M: Module>(&mut self, model: M) -> M {
        match &self.setup.settings.lookahead {
            Some(lookahead) if self.at.steps.is_multiple_of(lookahead.k) => {
                let mut meet = Meet { slow: &mut self.at.slow, alpha: lookahead.alpha };
                change(model, &self.setup.members, &mut meet)
            }
            _ => model,
        }
    }
}

struct Meet<'a> {
    slow: &'a mut Tensors,
    alpha: f64,
}

impl Change for Meet<'_> {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.slow.remove(param.id)
    }

    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        _member: Member,
        weights: Tensor<D>,
        slow: Tensor<D>,
    ) -> Tensor<D> {
        let dtype = weights.dtype();
        let slow = slow.to_device(&weights.device()).cast(compute_dtype(dtype));
        let slow = toward(slow, weights, self.alpha, None);
        self.slow.register(id, slow.clone());
        slow.cast(dtype)
    }
}
