//! Micro-batches that make one step.

use super::arithmetic;
use super::param::is_frozen;
use super::visit::{Each, Tensors, compute_dtype, each_parameter, inner};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use core::ops::RangeInclusive;

/// The weights that a micro-batch may have. Their sums with gradients stay within f32.
pub(super) const WEIGHTS: RangeInclusive<f64> = 1e-12..=1e12;

/// The weighted sum of the gradients so far. Their mean is the sum times one factor, which the
/// optimizers' pass takes up.
#[derive(Default)]
pub(super) struct Accumulator {
    /// How many micro-batches it has seen.
    pub(super) seen: u32,
    /// The sum of their weights.
    pub(super) weight: f64,
    pub(super) sums: Tensors,
}

impl Accumulator {
    /// Is the next micro-batch the last of `count`?
    pub(super) fn completes(&self, count: u32) -> bool {
        self.seen + 1 >= count
    }

    /// Takes in the gradients of a micro-batch; after the last of `count` gives their sum and the
    /// factor that makes it the mean.
    pub(super) fn take_in<M: Module>(
        &mut self,
        count: u32,
        model: &M,
        gradients: Tensors,
        weight: f64,
    ) -> Option<(Tensors, f64)> {
        if count == 1 {
            return Some((gradients, 1.0));
        }
        let completes = self.completes(count);
        each_parameter(model, &mut Add { gradients, sums: &mut self.sums, weight });
        self.seen += 1;
        self.weight += weight;
        completes.then(|| self.whole(model)).flatten()
    }

    /// The sum of what there is, where the model is now, and the factor that makes it the mean; `None`
    /// if there is nothing. What has been frozen since is left out.
    pub(super) fn whole<M: Module>(&mut self, model: &M) -> Option<(Tensors, f64)> {
        let Self { seen, weight, sums } = core::mem::take(self);
        if seen == 0 {
            return None;
        }
        let mut beside = Beside { sums, found: Tensors::new() };
        each_parameter(model, &mut beside);
        Some((beside.found, 1.0 / weight))
    }
}

struct Add<'a> {
    gradients: Tensors,
    sums: &'a mut Tensors,
    weight: f64,
}

impl Each for Add<'_> {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return };
        let dtype = compute_dtype(gradient.dtype());
        let sum = match self.sums.remove::<D>(param.id) {
            Some(sum) => {
                let sum = sum.to_device(&gradient.device()).cast(dtype);
                arithmetic::add(sum, gradient, self.weight)
            }
            None if self.weight == 1.0 => gradient.cast(dtype),
            None => gradient.cast(dtype).mul_scalar(self.weight),
        };
        self.sums.register(param.id, sum);
    }
}

/// Sums on the device of their parameters and in the precision of these, which may have changed.
struct Beside {
    sums: Tensors,
    found: Tensors,
}

impl Each for Beside {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        if is_frozen(param) {
            return;
        }
        let Some(sum) = self.sums.remove::<D>(param.id) else { return };
        let weights = inner(param.val());
        let sum = sum.to_device(&weights.device()).cast(compute_dtype(weights.dtype()));
        self.found.register(param.id, sum);
    }
}
