//! The model to judge and ship.

use super::Descent;
use super::apply::State;
use super::group::AnyOptimizer;
use super::visit::{Each, each_parameter, inner};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

impl Descent {
    /// The model to judge and to ship, in burn's [`valid`](Module::valid) form: the averaged
    /// weights if an average is kept, else the slow ones of Lookahead, else those that the
    /// optimizers say ([`Nesterov`] is judged elsewhere than it trains). The model that trains is
    /// left as it is.
    ///
    /// Running statistics, such as those of batch normalisation, are those of the model that
    /// trains. They belong to its weights: where others are judged,
    /// [`evaluate_with`](Self::evaluate_with) takes them anew.
    ///
    /// [`Nesterov`]: crate::Nesterov
    pub fn evaluate<M: Module>(&self, model: &M) -> M {
        model.valid().map(&mut Evaluate(self))
    }

    /// The weights of one parameter to judge with, before averaging.
    fn judged<const D: usize>(&self, id: ParamId, weights: Tensor<D>) -> Tensor<D> {
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
        let Some(average) = &self.setup.wishes.average else { return };
        let mut averages = core::mem::take(&mut self.at.averages);
        if let Some(share) = averages.begin(average, self.at.steps) {
            each_parameter(model, &mut Follow { descent: self, averages: &mut averages, share });
        }
        self.at.averages = averages;
    }
}

struct Evaluate<'a>(&'a Descent);

impl ModuleMapper for Evaluate<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Evaluate(descent) = self;
        let (id, weights, mapper) = param.consume();
        let average = descent.at.averages.weights.get::<D>(id).or_else(|| descent.at.slow.get(id));
        let weights = match average {
            Some(average) => average.to_device(&weights.device()).cast(weights.dtype()),
            None => descent.judged(id, weights),
        };
        Param::from_mapped_value(id, weights, mapper)
    }
}

struct Follow<'a> {
    descent: &'a Descent,
    averages: &'a mut crate::averaging::Averages,
    share: f64,
}

impl Each for Follow<'_> {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        // A parameter that never steps is its own average.
        if self.descent.at.states.contains_key(&param.id) {
            let weights = self.descent.judged(param.id, inner(param.val()));
            self.averages.take_in(param.id, weights, self.share);
        }
    }
}
