//! Looking at all gradients together.

use super::visit::{Each, Tensors, each_parameter};
use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};
use burn_descent_engine::{Reading, SquareSum, sum_squares};

/// What [`Descent::step`](super::Descent::step) takes: the gradients of `loss.backward()`, or
/// burn's `GradientsParams`.
pub trait IntoGradients {
    /// The gradients by parameter.
    fn by_parameter<M: Module>(self, model: &M) -> GradientsParams;
}

impl IntoGradients for Gradients {
    fn by_parameter<M: Module>(self, model: &M) -> GradientsParams {
        GradientsParams::from_grads(self, model)
    }
}

impl IntoGradients for GradientsParams {
    fn by_parameter<M: Module>(self, _model: &M) -> GradientsParams {
        self
    }
}

/// The sum of squares of all gradients together, in one read of them.
pub(super) fn squares<M: Module>(model: &M, gradients: &mut Tensors) -> Reading {
    struct Squares<'a> {
        sum: SquareSum,
        from: Tensors,
        /// Where they are put back: one that the model holds twice counts once.
        gradients: &'a mut Tensors,
    }
    impl Each for Squares<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.from.remove::<D>(param.id) else { return };
            self.sum.add(&gradient);
            self.gradients.register(param.id, gradient);
        }
    }
    let from = core::mem::take(gradients);
    let mut squares = Squares { sum: SquareSum::new(), from, gradients };
    each_parameter(model, &mut squares);
    squares.sum.total()
}

/// The path of the first parameter whose gradient is not finite. Waits for each of them.
pub(super) fn first_not_finite<M: Module>(model: &M, gradients: &Tensors) -> Option<String> {
    struct First<'a> {
        gradients: &'a Tensors,
        path: Option<String>,
    }
    impl Each for First<'_> {
        fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
            if self.path.is_none()
                && let Some(gradient) = self.gradients.get::<D>(param.id)
                && !sum_squares(&gradient).is_finite()
            {
                self.path = Some(path.to_owned());
            }
        }
    }
    let mut first = First { gradients, path: None };
    each_parameter(model, &mut first);
    first.path
}

/// Puts 0 for every element that is not finite.
pub(super) fn zero_not_finite<M: Module>(model: &M, gradients: &mut Tensors) {
    struct Zero<'a>(&'a mut Tensors);
    impl Each for Zero<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.0.remove::<D>(param.id) else { return };
            let broken = gradient.clone().is_finite().bool_not();
            self.0.register(param.id, gradient.mask_fill(broken, 0.0));
        }
    }
    each_parameter(model, &mut Zero(gradients));
}

/// The path of the first parameter with a gradient that is not known.
pub(super) fn first_unknown<M: Module>(
    model: &M,
    gradients: &Tensors,
    known: impl Fn(&ParamId) -> bool,
) -> Option<String> {
    struct Unknown<'a, K> {
        gradients: &'a Tensors,
        known: K,
        path: Option<String>,
    }
    impl<K: Fn(&ParamId) -> bool> Each for Unknown<'_, K> {
        fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
            if self.path.is_none()
                && !(self.known)(&param.id)
                && self.gradients.get::<D>(param.id).is_some()
            {
                self.path = Some(path.to_owned());
            }
        }
    }
    let mut unknown = Unknown { gradients, known, path: None };
    each_parameter(model, &mut unknown);
    unknown.path
}
