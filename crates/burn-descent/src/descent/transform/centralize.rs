use super::axes_of_an_output;
use burn::tensor::Tensor;

/// Gradient centralisation.
pub(super) fn apply<const D: usize>(gradient: Tensor<D>) -> Tensor<D> {
    if D < 2 {
        return gradient;
    }
    let means = axes_of_an_output(D).fold(gradient.clone(), |mean, axis| mean.mean_dim(axis));
    gradient - means
}
