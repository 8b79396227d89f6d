//! What of a model is kept from being trained.

use super::param::is_frozen;
use super::visit::{Each, each_parameter};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::{BTreeSet, HashSet};

/// What of a model is frozen.
pub(super) struct Frozen {
    /// The parameters that are, wherever the model holds them.
    pub(super) parameters: HashSet<ParamId>,
    /// The paths of frozen copies of parameters that are trained elsewhere in the model. A clone has the
    /// same id, as that of a student in the place of its teacher, but weights of its own.
    pub(super) copies: BTreeSet<String>,
}

impl Frozen {
    pub(super) fn of<M: Module>(model: &M) -> Self {
        #[derive(Default)]
        struct Find {
            trained: HashSet<ParamId>,
            frozen: Vec<(ParamId, String)>,
        }
        impl Each for Find {
            fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
                if is_frozen(param) {
                    self.frozen.push((param.id, path.to_owned()));
                } else {
                    self.trained.insert(param.id);
                }
            }
        }
        let mut find = Find::default();
        each_parameter(model, &mut find);
        let is_copy = |(id, _): &(ParamId, String)| find.trained.contains(id);
        let (copies, frozen): (Vec<_>, Vec<_>) = find.frozen.into_iter().partition(is_copy);
        Self {
            parameters: frozen.into_iter().map(|(id, _)| id).collect(),
            copies: copies.into_iter().map(|(_, path)| path).collect(),
        }
    }
}
