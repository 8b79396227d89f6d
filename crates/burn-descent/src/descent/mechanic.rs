//! The factor that Mechanic tunes.

use super::Descent;
use super::frozen::Frozen;
use super::group::Member;
use super::param::{Change, change, is_frozen};
use super::visit::{Each, Tensors, compute_dtype, each_parameter, inner, wide};
use crate::averaging::{Factors, Mechanic};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use burn_descent_engine::{Norm, Reading, dot};
use std::collections::HashSet;

/// What is known of a step before it is taken.
pub(super) struct Tuning {
    /// The weights that are trained.
    before: Tensors,
    /// The factor so far.
    sum: f64,
}

impl Descent {
    /// The product `h` of the gradients, times a factor, and the way so far; `None` without Mechanic.
    pub(super) fn along<M: Module>(
        &self,
        model: &M,
        gradients: &Tensors,
        factor: &Reading,
    ) -> Option<f64> {
        let (options, factors) = self.mechanic()?;
        let mut sums = Sums {
            starts: &self.at.starts,
            gradients,
            frozen: Frozen::of(model),
            seen: HashSet::new(),
            of_g: 0.0,
            of_w: 0.0,
            g: Norm::new(),
            w: Norm::new(),
        };
        each_parameter(model, &mut sums);
        let Sums { of_g, of_w, g, w, .. } = sums;
        let (factor, sum) = (factor.get(), factors.sum());
        let (g, w) = (factor * g.total().get(), w.total().get());
        let decay = options.weight_decay * sum * g.abs() / (w + options.eps);
        Some((factor * of_g + decay * of_w) / (sum + options.eps))
    }

    fn mechanic(&self) -> Option<(&Mechanic, &Factors)> {
        self.setup.settings.mechanic.as_ref().zip(self.at.mechanic.as_ref())
    }

    /// Before a step down these gradients: where parameters begin that are stepped for the first time, and the weights that
    /// it starts from.
    pub(super) fn before_tuning<M: Module>(
        &mut self,
        model: &M,
        gradients: &Tensors,
    ) -> Option<Tuning> {
        struct Begin<'a> {
            starts: &'a mut Tensors,
            gradients: &'a Tensors,
            before: Tensors,
            frozen: Frozen,
        }
        impl Each for Begin<'_> {
            fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
                if self.frozen.parameters.contains(&param.id) {
                    self.starts.remove::<D>(param.id);
                    return;
                }
                let has_begun = self.starts.get::<D>(param.id).is_some();
                let begins = self.gradients.get::<D>(param.id).is_some();
                if is_frozen(param) || !has_begun && !begins {
                    return;
                }
                let weights = inner(param.val());
                if !has_begun {
                    self.starts.register(param.id, wide(weights.clone()));
                }
                self.before.register(param.id, weights);
            }
        }
        let sum = self.mechanic()?.1.sum();
        let frozen = Frozen::of(model);
        let mut begin =
            Begin { starts: &mut self.at.starts, gradients, before: Tensors::new(), frozen };
        each_parameter(model, &mut begin);
        Some(Tuning { before: begin.before, sum })
    }

    /// After the optimizers' step: as far as the factor says.
    pub(super) fn tune<M: Module>(&mut self, model: M, tuning: Tuning, h: f64) -> M {
        let Tuning { before, sum } = tuning;
        let (Some(options), Some(factors)) = (&self.setup.settings.mechanic, &mut self.at.mechanic)
        else {
            return model;
        };
        factors.follow(h, options);
        let mut tune = Tune {
            starts: &self.at.starts,
            before,
            reciprocal: 1.0 / (sum + options.eps),
            sum: factors.sum(),
        };
        change(model, &self.setup.members, &mut tune)
    }
}

/// Sums over all parameters.
struct Sums<'a> {
    starts: &'a Tensors,
    gradients: &'a Tensors,
    frozen: Frozen,
    /// One that the model holds twice counts once.
    seen: HashSet<ParamId>,
    /// `⟨g, w₀ − w⟩` and `⟨w, w₀ − w⟩`.
    of_g: f64,
    of_w: f64,
    g: Norm,
    w: Norm,
}

impl Each for Sums<'_> {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        let id = param.id;
        if is_frozen(param) || self.frozen.parameters.contains(&id) || !self.seen.insert(id) {
            return;
        }
        let (gradient, start) = (self.gradients.get::<D>(id), self.starts.get::<D>(id));
        if gradient.is_none() && start.is_none() {
            return;
        }
        let weights = inner(param.val());
        let dtype = compute_dtype(weights.dtype());
        let weights = weights.cast(dtype);
        let gradient = gradient.map(|g| inner(g).to_device(&weights.device()).cast(dtype));
        self.w.add(&weights);
        if let Some(gradient) = &gradient {
            self.g.add(gradient);
        }
        let Some(start) = start else { return };
        let way = start - weights.clone();
        self.of_w += dot(&weights, &way).get();
        self.of_g += gradient.map_or(0.0, |gradient| dot(&gradient, &way).get());
    }
}

struct Tune<'a> {
    starts: &'a Tensors,
    before: Tensors,
    /// One over the factor before.
    reciprocal: f64,
    /// The factor now.
    sum: f64,
}

impl Change for Tune<'_> {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.before.remove(param.id)
    }

    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        _member: Member,
        weights: Tensor<D>,
        before: Tensor<D>,
    ) -> Tensor<D> {
        let Some(start) = self.starts.get::<D>(id) else { return weights };
        let (stored, dtype) = (weights.dtype(), start.dtype());
        let (weights, before) = (weights.cast(dtype), before.cast(dtype));
        let way = (start.clone() - before.clone()).mul_scalar(self.reciprocal);
        let way = way - (weights - before);
        (start - way.mul_scalar(self.sum)).cast(stored)
    }
}
