//! Micro-batches that make one step.

use super::visit::{Each, Tensors, compute_dtype, each_parameter};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

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
        each_parameter(model, &mut Add { gradients, sums: &mut self.sums, weight });
        self.seen += 1;
        self.weight += weight;
        if self.seen < count {
            return None;
        }
        let whole = core::mem::take(self);
        Some((whole.sums, 1.0 / whole.weight))
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
        let gradient = gradient.cast(dtype);
        let gradient = if self.weight == 1.0 { gradient } else { gradient.mul_scalar(self.weight) };
        let sum = match self.sums.remove::<D>(param.id) {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        self.sums.register(param.id, sum);
    }
}
