//! The model to evaluate and ship.

use super::Descent;
use super::apply::State;
use super::frozen::Frozen;
use super::group::AnyOptimizer;
use super::param::is_frozen;
use super::visit::{Each, Path, each_parameter, inner};
use crate::averaging::{Average, Averages};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use burn_descent_engine::Store;
use std::collections::HashSet;

impl Descent {
    /// The model to evaluate and to ship, in burn's [`valid`](Module::valid) form: the averaged
    /// weights if an average is kept, else the slow ones of Lookahead, else those that the
    /// optimizers say ([`Nesterov`] trains at other weights), with the options of the last
    /// step. The model that trains is left as it is.
    ///
    /// Each parameter has an average of its own: one that is frozen for a while counts as it is, and one
    /// that came to the model later is averaged from there on. A frozen parameter has no slow weights.
    ///
    /// Running statistics, such as those of batch normalisation, are those of the model that
    /// trains. They belong to its weights: where others are evaluated,
    /// [`evaluate_with`](Self::evaluate_with) takes them anew.
    ///
    /// [`Nesterov`]: crate::Nesterov
    pub fn evaluate<M: Module>(&self, model: &M) -> M {
        let (path, frozen) = (Path::default(), Frozen::of(model));
        model.valid().map(&mut Evaluate { descent: self, frozen, path })
    }

    /// Before a step.
    pub(super) fn before_step<M: Module>(&mut self, model: &M) {
        struct BeginAverages<'a>(&'a mut Averages, Store);
        impl Each for BeginAverages<'_> {
            fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
                if !is_frozen(param) {
                    self.0.set_out(self.1, param.id, || inner(param.val()));
                }
            }
        }
        if self.setup.settings.average.is_some() {
            let store = self.setup.settings.keep_average;
            each_parameter(model, &mut BeginAverages(&mut self.at.averages, store));
        }
        self.look_ahead(model);
    }

    /// The weights of one parameter to evaluate, before averaging.
    fn evaluated<const D: usize>(&self, id: ParamId, weights: Tensor<D>) -> Tensor<D> {
        let (Some(member), Some(state)) = (self.setup.members.get(&id), self.at.states.get(&id))
        else {
            return weights;
        };
        match (&self.setup.groups[member.group].optimizers[member.optimizer], state) {
            (AnyOptimizer::Ours(fused), State::Ours(state)) => {
                fused.evaluate_tensor(weights, state)
            }
            _ => weights,
        }
    }

    /// Takes the weights after a step into the average.
    pub(super) fn follow<M: Module>(&mut self, model: &M) {
        let Some(average) = &self.setup.settings.average else { return };
        if average.takes(self.at.steps) {
            let mut averages = core::mem::take(&mut self.at.averages);
            let (seen, frozen) = (HashSet::new(), Frozen::of(model));
            let average = (average, self.setup.settings.keep_average);
            let mut follow =
                Follow { descent: self, average, averages: &mut averages, seen, frozen };
            each_parameter(model, &mut follow);
            self.at.averages = averages;
        }
    }
}

struct Evaluate<'a> {
    descent: &'a Descent,
    frozen: Frozen,
    path: Path,
}

impl ModuleMapper for Evaluate<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Evaluate { descent, frozen, path } = self;
        if frozen.copies.contains(path.as_str()) {
            return param;
        }
        let (id, weights, mapper) = param.consume();
        let slow = || descent.at.slow.get::<D>(id).filter(|_| !frozen.parameters.contains(&id));
        let average = descent.at.averages.weights.get::<D>(id).or_else(slow);
        let weights = match average {
            Some(average) => average.to_device(&weights.device()).cast(weights.dtype()),
            None => descent.evaluated(id, weights),
        };
        Param::from_mapped_value(id, weights, mapper)
    }
}

struct Follow<'a> {
    descent: &'a Descent,
    average: (&'a Average, Store),
    averages: &'a mut Averages,
    /// The model may hold one more than once.
    seen: HashSet<ParamId>,
    frozen: Frozen,
}

impl Each for Follow<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let Self { descent, average, .. } = *self;
        let id = param.id;
        let walks = descent.setup.members.contains_key(&id) && !self.frozen.copies.contains(path);
        if walks && self.seen.insert(id) {
            let weights = || descent.evaluated(id, inner(param.val()));
            self.averages.take_in(average, id, is_frozen(param), weights);
        }
    }
}
