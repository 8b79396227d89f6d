use super::{Met, axes_of_an_output};
use crate::descent::visit::compute_dtype;
use burn::tensor::Tensor;

/// Adaptive gradient clipping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Adaptive {
    pub(super) clipping: f64,
}

/// The least norm that weights count with, so that those that begin at zero can grow.
const EPS: f64 = 1e-3;

/// The least norm that a gradient is divided by.
const LEAST: f64 = 1e-6;

impl Adaptive {
    pub(super) fn apply<const D: usize>(&self, met: Met<D>) -> Tensor<D> {
        let Met { gradient, weights, factor, .. } = met;
        let dtype = compute_dtype(gradient.dtype());
        let weights = weights.to_device(&gradient.device()).cast(dtype);
        let most = norms(weights).clamp_min(EPS).mul_scalar(self.clipping);
        let norms = norms(gradient.clone()).mul_scalar(factor).clamp_min(LEAST);
        gradient * (most / norms).clamp_max(1.0)
    }
}

/// The norm of each output.
fn norms<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let squares = tensor.clone() * tensor;
    axes_of_an_output(D).fold(squares, |sum, axis| sum.sum_dim(axis)).sqrt()
}
