//! Buffers: what a model shows to a walk but does not hold as a parameter, such as the running
//! statistics of batch normalisation.
//!
//! burn keeps the latest update of a running statistic apart until something asks for it, and all
//! clones of a model share both. Only [`Module::valid`] settles the update, and only a model that
//! went through it has statistics of its own.

use super::param::replace;
use super::visit::inner;
use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId, ParameterValue};
use burn::tensor::{Bool, Int, Tensor};
use std::any::Any;
use std::collections::{HashSet, VecDeque};

/// The buffers of a model.
pub(super) fn buffers<M: Module>(model: &M) -> HashSet<ParamId> {
    Parts::of(model).buffers
}

/// A clone of the model with buffers of its own, which are settled. Its parameters are those of the
/// model.
pub(super) fn unshared<M: Module>(model: &M) -> M {
    let mut parts = Parts::of(model);
    if parts.buffers.is_empty() {
        return model.clone();
    }
    let settled = model.valid();
    let own = if parts.autodiff { settled.train() } else { settled };
    own.map(&mut parts)
}

/// All that a model shows, in its order.
#[derive(Default)]
struct Parts {
    shown: VecDeque<Box<dyn Any>>,
    /// Where the values of its parameters of floats are stored.
    places: Vec<(ParamId, *const ())>,
    buffers: HashSet<ParamId>,
    autodiff: bool,
}

impl Parts {
    /// A parameter is the same one whenever the model shows it; for a buffer a new one is made each
    /// time. The first one is kept meanwhile, so that the second cannot be stored in its place.
    fn of<M: Module>(model: &M) -> Self {
        let (mut parts, mut again) = (Self::default(), Self::default());
        model.visit(&mut parts);
        model.visit(&mut again);
        let shown = parts.places.iter().zip(&again.places);
        parts.buffers =
            shown.filter(|(before, now)| before != now).map(|((id, _), _)| *id).collect();
        parts
    }

    fn show<T: ParameterValue + 'static>(&mut self, param: &Param<T>) {
        self.shown.push_back(Box::new(param.clone()));
    }

    /// The original of a copy.
    fn original<T: ParameterValue + 'static>(&mut self, copy: Param<T>) -> Param<T> {
        let shown = self.shown.pop_front().and_then(|shown| shown.downcast::<Param<T>>().ok());
        shown.filter(|shown| shown.id == copy.id).map_or(copy, |shown| *shown)
    }
}

impl ModuleVisitor for Parts {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.autodiff |= param.is_autodiff();
        self.places.push((param.id, core::ptr::from_ref::<Tensor<D>>(param).cast()));
        self.show(param);
    }
    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.show(param);
    }
    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.show(param);
    }
    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.show(flag);
    }
}

/// Puts the originals of all parameters in the places of their copies.
impl ModuleMapper for Parts {
    fn map_float<const D: usize>(&mut self, copy: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (buffer, value) = (self.buffers.contains(&copy.id), inner(copy.base()));
        let original = self.original(copy);
        if buffer { replace(original, |_| value) } else { original }
    }
    fn map_int<const D: usize>(&mut self, copy: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.original(copy)
    }
    fn map_bool<const D: usize>(&mut self, copy: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        self.original(copy)
    }
    fn map_flag(&mut self, copy: Param<Flag>) -> Param<Flag> {
        self.original(copy)
    }
}
