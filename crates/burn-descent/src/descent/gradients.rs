//! Looking at all gradients together.

use super::apply::State;
use super::group::AnyOptimizer;
use super::param::is_frozen;
use super::position::Position;
use super::quiet::quietly;
use super::visit::{ByParameter, Each, Tensors, each_parameter, inner};
use super::{DescentError, Setup};
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, StateSink};
use burn::tensor::{Gradients, Tensor};
use burn_descent_engine::{Norm, Reading, is_finite};

/// What [`Descent::step`](super::Descent::step) takes: the gradients of `loss.backward()`, or
/// burn's `GradientsParams`.
pub trait IntoGradients {
    /// The gradients by parameter.
    fn by_parameter<M: Module>(self, model: &M) -> GradientsParams;
}

impl IntoGradients for Gradients {
    /// Where places of the model have one parameter but leaves of their own, as after a file was
    /// loaded into tied weights, its gradient is the sum of theirs.
    fn by_parameter<M: Module>(mut self, model: &M) -> GradientsParams {
        struct Collect<'a> {
            from: &'a mut Gradients,
            gradients: GradientsParams,
        }
        impl Each for Collect<'_> {
            fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    return;
                }
                let Some(gradient) = param.val().grad_remove(self.from) else { return };
                let sum = match self.gradients.remove::<D>(param.id) {
                    Some(others) => others + gradient,
                    None => gradient,
                };
                self.gradients.register(param.id, sum);
            }
        }
        let mut collect = Collect { from: &mut self, gradients: GradientsParams::new() };
        each_parameter(model, &mut collect);
        collect.gradients
    }
}

impl IntoGradients for GradientsParams {
    fn by_parameter<M: Module>(self, _model: &M) -> GradientsParams {
        self
    }
}

/// The norm of all gradients together, in one read of them.
pub(super) fn norm<M: Module>(model: &M, gradients: &mut Tensors) -> Reading {
    struct Look<'a> {
        norm: Norm,
        from: Tensors,
        /// Where they are put back: one that the model holds twice counts once.
        gradients: &'a mut Tensors,
    }
    impl Each for Look<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.from.remove::<D>(param.id) else { return };
            self.norm.add(&gradient);
            self.gradients.register(param.id, gradient);
        }
    }
    let from = core::mem::take(gradients);
    let mut look = Look { norm: Norm::new(), from, gradients };
    each_parameter(model, &mut look);
    look.norm.total()
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
                && !is_finite(&gradient)
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

/// The gradients that a step may go down: of parameters that the walk was built for and that are not
/// frozen, each as large as its parameter.
#[derive(Default)]
pub(super) struct Descending {
    pub(super) gradients: Tensors,
    /// In how many places the model holds those that it holds more than once.
    pub(super) places: ByParameter<u32>,
}

impl Descending {
    /// Looks all gradients over that the model has parameters for, and leaves out those of frozen ones.
    ///
    /// # Errors
    /// The first parameter that cannot take its step: that the walk was not built for, whose gradient
    /// has another shape, or that what is remembered of it does not fit.
    pub(super) fn new<M: Module>(
        model: &M,
        gradients: Tensors,
        setup: &Setup,
        at: &Position,
    ) -> Result<Self, DescentError> {
        let mut look = Look { from: gradients, setup, at, found: Self::default(), error: None };
        each_parameter(model, &mut look);
        look.error.map_or(Ok(look.found), Err)
    }

    /// How many parameters have a gradient.
    pub(super) fn len(&self) -> usize {
        self.gradients.len()
    }
}

struct Look<'a> {
    from: Tensors,
    setup: &'a Setup,
    at: &'a Position,
    found: Descending,
    error: Option<DescentError>,
}

impl Each for Look<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        if self.error.is_some() || is_frozen(param) {
            return;
        }
        if let Err(error) = self.look(path, param) {
            self.error = Some(error);
        }
    }
}

/// What burn keeps of a parameter; `None` if it is of another rank. burn panics when it is asked for a
/// tensor by the wrong one.
fn of_rank<T>(ask: impl FnOnce() -> T) -> Option<T> {
    quietly(ask).ok()
}

impl Look<'_> {
    fn look<const D: usize>(
        &mut self,
        path: &str,
        param: &Param<Tensor<D>>,
    ) -> Result<(), DescentError> {
        let (id, shape) = (param.id, param.shape());
        let parameter = || path.to_owned();
        let other_shape = |found: Option<_>| DescentError::GradientShape {
            parameter: path.to_owned(),
            expected: Box::new(shape.clone()),
            found: found.map(Box::new),
        };
        let gradient = of_rank(|| self.from.remove::<D>(id)).ok_or_else(|| other_shape(None))?;
        let gradient = gradient.map(inner);
        let at = self.at;
        let kept = [
            ("accumulated gradient", &at.accumulator.sums),
            ("average", &at.averages.weights),
            ("slow weights", &at.slow),
            ("start", &at.starts),
        ];
        for (part, kept) in kept.into_iter().filter(|(_, kept)| !kept.is_empty()) {
            let fits = |kept: Option<Tensor<D>>| kept.is_none_or(|kept| kept.shape() == shape);
            if !of_rank(|| kept.get::<D>(id)).is_some_and(fits) {
                return Err(DescentError::Kept { parameter: parameter(), part });
            }
        }
        let moves = gradient.is_some() || at.accumulator.sums.get::<D>(id).is_some();
        if moves && let Some(member) = self.setup.members.get(&id) {
            let optimizer = &self.setup.groups[member.group].optimizers[member.optimizer];
            match (optimizer, at.states.get(&id)) {
                (AnyOptimizer::Ours(fused), Some(State::Ours(state))) => {
                    fused.check_state(state, &shape).map_err(|error| DescentError::State {
                        parameter: parameter(),
                        step: at.steps + 1,
                        error: Box::new(error),
                    })?;
                }
                (AnyOptimizer::Foreign(foreign, _), Some(State::Foreign(state, of, dtype))) => {
                    let same = *of == shape && *dtype == param.dtype();
                    let mut kept = StateSink::default();
                    if !same {
                        foreign.state_flatten("", state, &mut kept);
                    }
                    if !kept.tensors.is_empty() {
                        return Err(DescentError::Kept { parameter: parameter(), part: "state" });
                    }
                }
                _ => {}
            }
        } else if moves {
            return Err(DescentError::UnknownParameter { parameter: parameter() });
        }
        let Some(gradient) = gradient else {
            if self.found.gradients.get::<D>(id).is_some() {
                *self.found.places.entry(id).or_insert(1) += 1;
            }
            return Ok(());
        };
        if gradient.shape() != shape {
            return Err(other_shape(Some(gradient.shape())));
        }
        self.found.gradients.register(id, gradient);
        Ok(())
    }
}
