//! How far a step went.

use super::arithmetic::difference;
use super::report::Update;
use super::visit::{Each, Tensors, compute_dtype, each_parameter, inner};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn_descent_engine::Norm;

/// The weights that are about to change, or `all` that are trained: the tensors themselves, so the step copies them.
pub(super) fn remember<M: Module>(model: &M, gradients: &Tensors, all: bool) -> Tensors {
    struct Remember<'a> {
        gradients: &'a Tensors,
        all: bool,
        weights: Tensors,
    }
    impl Each for Remember<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let moves = self.all && param.is_require_grad();
            if moves || self.gradients.get::<D>(param.id).is_some() {
                self.weights.register(param.id, inner(param.val()));
            }
        }
    }
    let mut remember = Remember { gradients, all, weights: Tensors::new() };
    each_parameter(model, &mut remember);
    remember.weights
}

/// How far the model is from the weights before.
pub(super) fn measure<M: Module>(model: &M, before: Tensors) -> Update {
    struct Measure {
        before: Tensors,
        moved: Norm,
        weights: Norm,
    }
    impl Each for Measure {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(before) = self.before.remove::<D>(param.id) else { return };
            let dtype = compute_dtype(before.dtype());
            let (before, after) = (before.cast(dtype), inner(param.val()));
            self.weights.add(&before);
            self.moved.add(&difference(before, after));
        }
    }
    let mut measure = Measure { before, moved: Norm::new(), weights: Norm::new() };
    each_parameter(model, &mut measure);
    Update { norm: measure.moved.total(), weight_norm: measure.weights.total() }
}
