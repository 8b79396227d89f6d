//! The model under a search: its weights and gradients as vectors, and back.

use super::Vector;
use super::ground::Terrain;
use crate::descent::apply::States;
use crate::descent::gradients::IntoGradients;
use crate::descent::group::{AnyOptimizer, Member};
use crate::descent::group_step::GroupStep;
use crate::descent::param::{Change, change, is_frozen};
use crate::descent::visit::{Each, Tensors, compute_dtype, each_parameter, inner};
use crate::descent::{Descent, DescentError, Setup};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;

impl Descent {
    /// The loss that is evaluated at a model, with its gradients.
    pub(super) fn evaluate_loss<M: Module>(
        &self,
        model: &M,
        loss: &mut impl FnMut(&M) -> Tensor<1>,
    ) -> Result<(Tensor<1>, Tensors), DescentError> {
        let loss = loss(model);
        if loss.shape().num_elements() != 1 {
            return Err(DescentError::LossShape { found: Box::new(loss.shape()) });
        }
        // burn would panic. Whether a step may have no gradient is asked where it is taken.
        if !loss.is_tracked() {
            return Ok((inner(loss), Tensors::new()));
        }
        let gradients = self.scale_loss(loss.clone()).backward().by_parameter(model);
        Ok((loss.inner(), gradients))
    }
}

impl Setup {
    /// Is a parameter moved by the search? Where that only finds gradients, all are.
    fn is_searched(&self, member: &Member) -> bool {
        !self.moves || matches!(self.optimizer(member), AnyOptimizer::Search { .. })
    }
}

/// A loss whose labels the model draws.
pub(super) struct Sampled<'a, M> {
    pub(super) loss: &'a mut dyn FnMut(&M) -> Tensor<1>,
    /// Of the mean of so many rows.
    pub(super) batch: u64,
}

/// A model with its walk and its loss.
pub(super) struct Over<'a, 's, M, L> {
    descent: &'a Descent,
    model: &'a M,
    loss: L,
    sampled: Option<Sampled<'s, M>>,
    /// The loss where it was evaluated first.
    first: Option<Tensor<1>>,
    /// The gradients there, of the parameters that the search does not move.
    others: Tensors,
}

impl<'a, 's, M, L> Over<'a, 's, M, L> {
    pub(super) fn new(
        descent: &'a Descent,
        model: &'a M,
        loss: L,
        sampled: Option<Sampled<'s, M>>,
    ) -> Self {
        Self { descent, model, loss, sampled, first: None, others: Tensors::new() }
    }

    /// The loss where it was evaluated first, and the gradients there of what the search does not move.
    pub(super) fn seen(self) -> (Option<Tensor<1>>, Tensors) {
        (self.first, self.others)
    }
}

impl<M: Module, L: FnMut(&M) -> Tensor<1>> Terrain for Over<'_, '_, M, L> {
    fn weights(&self) -> Vector {
        weights(self.model, &self.descent.setup)
    }

    fn look(&mut self, at: Option<&Vector>) -> Result<(Tensor<1>, Vector), DescentError> {
        let Self { descent, model, loss, .. } = self;
        let setup = &*descent.setup;
        let moved = at.map(|weights| {
            // A clone shares the running statistics, which are to see the batch once.
            let first = self.first.is_none();
            let copy = if first { (*model).clone() } else { model.valid().train() };
            put(copy, setup, weights)
        });
        let (loss, gradients) = descent.evaluate_loss(moved.as_ref().unwrap_or(model), loss)?;
        let split = Split::of(*model, gradients, setup)?;
        let is_empty = split.searched.parameters() == 0;
        if is_empty && setup.moves && !setup.settings.empty_steps {
            return Err(DescentError::NoGradient);
        }
        if self.first.is_none() {
            (self.first, self.others) = (Some(loss.clone()), split.gradients);
        }
        Ok((loss, split.searched))
    }

    fn sampled(&mut self) -> Result<(Vector, u64), DescentError> {
        let Self { descent, model, sampled, .. } = self;
        let Some(Sampled { loss, batch }) = sampled else {
            let search = descent.setup.settings.search.as_ref();
            let search = search.map_or("the search", |search| search.name());
            return Err(DescentError::NeedsSampledLoss { search });
        };
        // A copy, for the running statistics are to see the batch once.
        let copy = model.valid().train();
        let (_, gradients) = descent.evaluate_loss(&copy, loss)?;
        Ok((Split::of(*model, gradients, &descent.setup)?.searched, *batch))
    }

    fn ahead(&self) -> Result<Vector, DescentError> {
        let Descent { setup, at } = self.descent;
        let groups = self.descent.group_steps()?;
        let mut drift = Drift { groups: &groups, states: &at.states };
        let there = change(self.model.clone(), &setup.members, &mut drift);
        Ok(weights(&there, setup))
    }

    fn path(&self, number: u32) -> String {
        // A parameter's number is its place in the plan.
        let line = self.descent.setup.plan.lines.get(number as usize);
        line.map_or_else(String::new, |line| line.path.clone())
    }

    fn step(&self) -> u64 {
        self.descent.at.steps + 1
    }
}

/// A tensor as a part of a vector.
fn part<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let tensor = inner(tensor);
    let dtype = compute_dtype(tensor.dtype());
    tensor.cast(dtype).reshape([-1])
}

/// The weights that a search may move.
fn weights<M: Module>(model: &M, setup: &Setup) -> Vector {
    struct Collect<'a> {
        setup: &'a Setup,
        weights: Vector,
    }
    impl Each for Collect<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(member) = self.setup.members.get(&param.id) else { return };
            if param.is_require_grad() && self.setup.is_searched(member) {
                self.weights.insert(member.place.stream, part(param.val()));
            }
        }
    }
    let mut collect = Collect { setup, weights: Vector::default() };
    each_parameter(model, &mut collect);
    collect.weights
}

/// The model with these weights.
pub(in crate::descent) fn put<M: Module>(model: M, setup: &Setup, weights: &Vector) -> M {
    struct Put<'a>(&'a Setup, &'a Vector);
    impl Change for Put<'_> {
        fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
            let member = self.0.members.get(&param.id)?;
            let part = self.1.part(member.place.stream)?.clone();
            Some(part.reshape(param.shape()))
        }

        fn change<const D: usize>(
            &mut self,
            _id: ParamId,
            _member: Member,
            weights: Tensor<D>,
            found: Tensor<D>,
        ) -> Tensor<D> {
            found.cast(weights.dtype())
        }
    }
    change(model, &setup.members, &mut Put(setup, weights))
}

/// Takes the gradients of what is searched out, as a vector.
struct Split<'a> {
    gradients: Tensors,
    setup: &'a Setup,
    searched: Vector,
    /// The path of the first parameter that the walk was not built for.
    unknown: Option<String>,
}

impl<'a> Split<'a> {
    fn of<M: Module>(
        model: &M,
        gradients: Tensors,
        setup: &'a Setup,
    ) -> Result<Self, DescentError> {
        let mut split = Self { gradients, setup, searched: Vector::default(), unknown: None };
        each_parameter(model, &mut split);
        match split.unknown.take() {
            Some(parameter) => Err(DescentError::UnknownParameter { parameter }),
            None => Ok(split),
        }
    }
}

impl Each for Split<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        if is_frozen(param) || self.gradients.get::<D>(param.id).is_none() {
            return;
        }
        match self.setup.members.get(&param.id) {
            None => self.unknown = self.unknown.take().or_else(|| Some(path.to_owned())),
            Some(member) if self.setup.is_searched(member) => {
                let gradient = self.gradients.remove::<D>(param.id).map(part);
                gradient.into_iter().for_each(|g| self.searched.insert(member.place.stream, g));
            }
            Some(_) => {}
        }
    }
}

/// The gradients of a vector by parameter.
pub(super) fn by_parameter<M: Module>(model: &M, setup: &Setup, gradient: &Vector) -> Tensors {
    struct Spread<'a> {
        setup: &'a Setup,
        gradient: &'a Vector,
        gradients: Tensors,
    }
    impl Each for Spread<'_> {
        fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
            let Some(member) = self.setup.members.get(&param.id) else { return };
            let Some(part) = self.gradient.part(member.place.stream) else { return };
            let gradient: Tensor<D> = part.clone().reshape(param.shape()).cast(param.dtype());
            self.gradients.register(param.id, gradient);
        }
    }
    let mut spread = Spread { setup, gradient, gradients: Tensors::new() };
    each_parameter(model, &mut spread);
    spread.gradients
}

/// A step without a gradient, of which nothing is remembered.
struct Drift<'a> {
    groups: &'a [GroupStep],
    states: &'a States,
}

impl Change for Drift<'_> {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.states.contains_key(&param.id).then(|| inner(param.val()).zeros_like())
    }

    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        member: Member,
        weights: Tensor<D>,
        nothing: Tensor<D>,
    ) -> Tensor<D> {
        let state = self.states.get(&id).cloned();
        self.groups[member.group].step(member, weights, nothing, state).0
    }
}
