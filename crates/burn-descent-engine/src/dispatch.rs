use crate::portable;
use crate::program::Program;
use burn::tensor::Tensor;
pub(crate) fn step<const D: usize>(
    program: &Program,
    scalars: &[f64],
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    portable::step(program, scalars, parameter, gradient, states)
}
