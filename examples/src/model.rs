//! The network: linear layers with ReLU between them.

use crate::random::{Stream, rng};
use anyhow::{Result, ensure};
use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use rand::Rng;

/// More weights than this are refused: 1 GiB of them, and the optimizer's state beside it.
const MOST_WEIGHTS: usize = 1 << 28;

/// A multi-layer perceptron. The default has no layers: its outputs are its inputs.
#[derive(Module, Debug, Default)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// A network whose layers have these widths, from inputs to outputs.
    ///
    /// Weights and biases are uniform within 1/sqrt(inputs of the layer), as PyTorch draws them.
    /// They are drawn on the host and carry fixed ids, so that a seed gives the same network on
    /// every backend, and the same file.
    ///
    /// # Errors
    /// If it would be larger than a program that explains itself should allow.
    pub fn new(widths: &[usize], seed: u64, device: &Device) -> Result<Self> {
        ensure!(!widths.contains(&0), "a layer needs an input and an output, or more");
        let shapes = || widths.iter().zip(widths.iter().skip(1));
        let weights = shapes().try_fold(0_usize, |sum, (inputs, outputs)| {
            inputs.checked_add(1)?.checked_mul(*outputs)?.checked_add(sum)
        });
        ensure!(
            weights.is_some_and(|weights| weights <= MOST_WEIGHTS),
            "--hidden asks for more than {MOST_WEIGHTS} weights"
        );
        let mut rng = rng(seed, Stream::Weights);
        let layers = shapes().enumerate().map(|(layer, (&inputs, &outputs))| {
            let bound = 1.0 / (inputs as f32).sqrt();
            let mut draw =
                |n| (0..n).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
            let weight = TensorData::new(draw(inputs * outputs), [inputs, outputs]);
            let bias = TensorData::new(draw(outputs), [outputs]);
            let id = 2 * layer as u64;
            Linear {
                weight: parameter(id, Tensor::from_data(weight, device)),
                bias: Some(parameter(id + 1, Tensor::from_data(bias, device))),
            }
        });
        Ok(Self { layers: layers.collect() })
    }

    /// The outputs for rows of inputs.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut layers = self.layers.iter();
        let first = layers.next().map(|layer| layer.forward(inputs.clone()));
        layers.fold(first.unwrap_or(inputs), |hidden, layer| layer.forward(relu(hidden)))
    }
}

fn parameter<const D: usize>(id: u64, value: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::from(id), value.require_grad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;

    fn device() -> Device {
        Backend::first().unwrap().open().unwrap().autodiff()
    }

    #[test]
    fn the_seed_gives_the_same_network_again() {
        let bytes = |seed| {
            let model = Mlp::new(&[3, 4, 2], seed, &device()).unwrap();
            model.into_record().into_bytes().unwrap().to_vec()
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn shapes() {
        let device = device();
        let model = Mlp::new(&[3, 4, 2], 0, &device).unwrap();
        assert_eq!(model.forward(Tensor::zeros([5, 3], &device)).dims(), [5, 2]);
        assert_eq!(model.num_params(), 3 * 4 + 4 + 4 * 2 + 2);
        let huge = Mlp::new(&[3, usize::MAX, 2], 0, &device).unwrap_err();
        assert!(huge.to_string().contains("--hidden"));
    }
}
