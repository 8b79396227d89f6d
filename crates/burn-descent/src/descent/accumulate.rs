//! Micro-batches that make one step.

use super::gradients::walk_gradients;
use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

/// The weighted sum of the gradients so far. Their mean is the sum times one factor, which the
/// optimizers' pass takes up.
pub(super) struct Accumulator {
    count: u32,
    seen: u32,
    weight: f64,
    sums: GradientsParams,
}

impl Accumulator {
    pub(super) fn new(count: u32) -> Self {
        Self { count, seen: 0, weight: 0.0, sums: GradientsParams::new() }
    }

    /// Takes in the gradients of a micro-batch; after the last one of a step gives their sum and
    /// the factor that makes it the mean.
    pub(super) fn take_in<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
        weight: f64,
    ) -> Option<(GradientsParams, f64)> {
        if self.count == 1 {
            return Some((gradients, 1.0));
        }
        let mut add = Add { sums: &mut self.sums, weight };
        walk_gradients(model, gradients, &mut add);
        self.seen += 1;
        self.weight += weight;
        if self.seen < self.count {
            return None;
        }
        let sums = core::mem::take(&mut self.sums);
        let factor = 1.0 / self.weight;
        (self.seen, self.weight) = (0, 0.0);
        Some((sums, factor))
    }
}

struct Add<'a> {
    sums: &'a mut GradientsParams,
    weight: f64,
}

impl super::gradients::EachGradient for Add<'_> {
    fn each<const D: usize>(&mut self, id: ParamId, _path: &str, gradient: Tensor<D>) {
        let wide = if gradient.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let gradient = gradient.cast(wide);
        let gradient = if self.weight == 1.0 { gradient } else { gradient.mul_scalar(self.weight) };
        let sum = match self.sums.remove::<D>(id) {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        self.sums.register(id, sum);
    }
}
