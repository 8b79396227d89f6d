//! Two parameters of one weight each, whose gradients are given.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent_tests::values;

#[derive(Module, Debug)]
pub(crate) struct Line {
    pub(crate) a: Param<Tensor<1>>,
    pub(crate) b: Param<Tensor<1>>,
}

pub(crate) fn line([a, b]: [f64; 2], dtype: DType) -> Line {
    let device = Device::default().autodiff();
    let param = |value: f64| {
        let data = TensorData::new(vec![value], [1]);
        Param::from_tensor(Tensor::from_data(data, (&device, dtype)))
    };
    Line { a: param(a), b: param(b) }
}

impl Line {
    pub(crate) fn values(&self) -> [f64; 2] {
        [values(&self.a.val())[0], values(&self.b.val())[0]]
    }

    fn grad(mut self, number: usize, require: bool) -> Self {
        match number {
            0 => self.a = self.a.set_require_grad(require),
            _ => self.b = self.b.set_require_grad(require),
        }
        self
    }

    pub(crate) fn frozen(self, number: usize) -> Self {
        self.grad(number, false)
    }

    pub(crate) fn thawed(self, number: usize) -> Self {
        self.grad(number, true)
    }
}

/// The gradients, by real autodiff, of a loss that rises by so much for each weight.
pub(crate) fn gradients_at(model: &Line, [a, b]: [f64; 2]) -> GradientsParams {
    let loss = model.a.val().mul_scalar(a).sum() + model.b.val().mul_scalar(b).sum();
    GradientsParams::from_grads(loss.backward(), model)
}
