//! Looking at all gradients together.

use super::visit::{Each, Tensors, each_parameter};
use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};
use burn_descent_engine::sum_squares;

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

/// What one read of all gradients tells.
#[derive(Default)]
pub(super) struct Look {
    squares: f64,
    /// Path of the first parameter whose gradient is not finite.
    pub(super) broken: Option<String>,
}

impl Look {
    pub(super) fn at<M: Module>(model: &M, gradients: &mut Tensors) -> Self {
        let mut looking =
            Looking { look: Self::default(), from: core::mem::take(gradients), gradients };
        each_parameter(model, &mut looking);
        looking.look
    }

    /// The norm of all of them together.
    pub(super) fn norm(&self) -> f64 {
        self.squares.sqrt()
    }
}

struct Looking<'a> {
    look: Look,
    from: Tensors,
    /// Where they are put back: a parameter that the model holds twice is not there any more.
    gradients: &'a mut Tensors,
}

impl Each for Looking<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.from.remove::<D>(param.id) else { return };
        let squares = sum_squares(&gradient);
        if !squares.is_finite() && self.look.broken.is_none() {
            self.look.broken = Some(path.to_owned());
        }
        self.look.squares += squares;
        self.gradients.register(param.id, gradient);
    }
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
