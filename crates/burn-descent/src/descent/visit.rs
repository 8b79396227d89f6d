//! Walking over the parameters of a model, with their paths.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Bool, Int, Tensor};
pub(crate) use burn_descent_engine::compute_dtype;
use rustc_hash::FxHashMap;

/// Tensors of any rank by parameter: burn's one container for them, whatever they are.
pub(crate) type Tensors = GradientsParams;

/// Something for each of some parameters. Their ids are random numbers already, so that a quick hash
/// does: a step looks several up for each tensor.
pub(crate) type ByParameter<T> = FxHashMap<ParamId, T>;

/// Where in the model the walk is: `encoder.0.weight`.
#[derive(Default)]
pub(super) struct Path {
    text: String,
    lengths: Vec<usize>,
}

impl Path {
    pub(super) fn enter(&mut self, name: &str) {
        self.lengths.push(self.text.len());
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(name);
    }

    pub(super) fn exit(&mut self) {
        self.text.truncate(self.lengths.pop().unwrap_or(0));
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// What is done with each parameter.
pub(super) trait Each {
    /// With one of floats. Buffers, such as running statistics, are among them.
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>);

    /// With one of integers: nothing, where only what can be stepped counts.
    fn each_int<const D: usize>(&mut self, _path: &str, _param: &Param<Tensor<D, Int>>) {}

    /// With one of booleans.
    fn each_bool<const D: usize>(&mut self, _path: &str, _param: &Param<Tensor<D, Bool>>) {}
}

/// Shows every parameter in the order of the model, as often as the model holds it.
pub(super) fn each_parameter<M: Module>(model: &M, each: &mut impl Each) {
    struct Visit<'a, E> {
        path: Path,
        each: &'a mut E,
    }
    impl<E: Each> ModuleVisitor for Visit<'_, E> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.enter(name);
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.each.each(self.path.as_str(), param);
        }
        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            self.each.each_int(self.path.as_str(), param);
        }
        fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
            self.each.each_bool(self.path.as_str(), param);
        }
    }
    model.visit(&mut Visit { path: Path::default(), each });
}

/// The tensor without its autodiff graph.
pub(super) fn inner<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.is_autodiff() { tensor.inner() } else { tensor }
}

/// A tensor in the precision in which sums and averages of it are taken.
pub(super) fn wide<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let dtype = compute_dtype(tensor.dtype());
    tensor.cast(dtype)
}
