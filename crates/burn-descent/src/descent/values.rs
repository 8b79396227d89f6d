//! New values for the parameters of a model, of any kind.

use super::param::replace;
use super::visit::ByParameter;
use burn::module::{Module, ModuleMapper, Param, ParamId, Parameter};
use burn::tensor::{Bool, Int, Tensor};
use std::any::Any;

/// Something for each of some parameters, of whatever type theirs asks for.
#[derive(Default)]
pub(super) struct Values(ByParameter<Box<dyn Any + Send>>);

impl Values {
    pub(super) fn insert<T: Send + 'static>(&mut self, id: ParamId, value: T) {
        self.0.insert(id, Box::new(value));
    }

    pub(super) fn get<T: Clone + 'static>(&self, id: ParamId) -> Option<T> {
        self.0.get(&id)?.downcast_ref().cloned()
    }

    /// The model with these values in the places of its own. What autodiff knows of a parameter
    /// stays, and one that the model holds more than once is the same in all its places.
    pub(super) fn put_into<M: Module>(&self, model: M) -> M {
        model.map(&mut Put { values: self, put: Self::default() })
    }
}

struct Put<'a> {
    values: &'a Values,
    /// The parameters that have been seen, with their new values.
    put: Values,
}

impl Put<'_> {
    fn put<T: Parameter + Send + Sync + 'static>(
        &mut self,
        param: Param<T>,
        with: impl FnOnce(Param<T>, T) -> Param<T>,
    ) -> Param<T> {
        let id = param.id;
        let tied = |put: &Param<T>| put.is_require_grad() == param.is_require_grad();
        if let Some(put) = self.put.get::<Param<T>>(id).filter(tied) {
            return put;
        }
        let Some(value) = self.values.get::<T>(id) else { return param };
        let param = with(param, value);
        self.put.insert(id, param.clone());
        param
    }
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.put(param, |param, value| replace(param, |_| value))
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.put(param, |param, value| param.map(|_| value))
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        self.put(param, |param, value| param.map(|_| value))
    }
}
