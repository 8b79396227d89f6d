//! Looking at all gradients together.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
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

/// What is done with each gradient.
pub(super) trait EachGradient {
    fn each<const D: usize>(&mut self, id: ParamId, path: &str, gradient: Tensor<D>);
}

/// Hands every gradient over once, in the order of the model.
pub(super) fn walk_gradients<M: Module>(
    model: &M,
    gradients: GradientsParams,
    each: &mut impl EachGradient,
) {
    struct Visit<'a, E> {
        gradients: GradientsParams,
        each: &'a mut E,
        path: Vec<String>,
    }
    impl<E: EachGradient> ModuleVisitor for Visit<'_, E> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.each.each(param.id, &self.path.join("."), gradient);
            }
        }
    }
    model.visit(&mut Visit { gradients, each, path: Vec::new() });
}

/// What the norm of the gradients tells.
#[derive(Default)]
pub(super) struct Norm {
    squares: f64,
    /// The gradients again, for the look takes them.
    pub(super) gradients: GradientsParams,
    /// Path of the first parameter whose gradient is not finite.
    pub(super) broken: Option<String>,
}

impl Norm {
    /// The square root of the sum of all squares.
    pub(super) fn norm(&self) -> f64 {
        self.squares.sqrt()
    }
}

impl EachGradient for Norm {
    fn each<const D: usize>(&mut self, id: ParamId, path: &str, gradient: Tensor<D>) {
        let squares = sum_squares(&gradient);
        if !squares.is_finite() && self.broken.is_none() {
            self.broken = Some(path.to_owned());
        }
        self.squares += squares;
        self.gradients.register(id, gradient);
    }
}

/// The gradients with every element clamped.
pub(super) struct Clamp {
    pub(super) limit: f64,
    pub(super) gradients: GradientsParams,
}

impl EachGradient for Clamp {
    fn each<const D: usize>(&mut self, id: ParamId, _path: &str, gradient: Tensor<D>) {
        self.gradients.register(id, gradient.clamp(-self.limit, self.limit));
    }
}

/// The path of the first parameter with a gradient that is not known.
pub(super) fn first_unknown<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    known: impl Fn(&ParamId) -> bool,
) -> Option<String> {
    struct Visit<'a, K> {
        gradients: &'a GradientsParams,
        known: K,
        path: Vec<String>,
        unknown: Option<String>,
    }
    impl<K: Fn(&ParamId) -> bool> ModuleVisitor for Visit<'_, K> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.unknown.is_none()
                && !(self.known)(&param.id)
                && self.gradients.get::<D>(param.id).is_some()
            {
                self.unknown = Some(self.path.join("."));
            }
        }
    }
    let mut visit = Visit { gradients, known, path: Vec::new(), unknown: None };
    model.visit(&mut visit);
    visit.unknown
}
