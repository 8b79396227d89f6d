//! The network: linear layers with ReLU between them, and convolutions before them.

use crate::random::{Stream, rng};
use anyhow::{Result, ensure};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::{DType, Device, Tensor, TensorData, activation::relu};
use core::fmt;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// More weights than this are refused: 1 GiB of them, and the optimizer's state beside it.
const MOST_WEIGHTS: usize = 1 << 28;

/// What a network is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Linear layers with ReLU between them.
    #[default]
    Mlp,
    /// Two convolutions before them, for images of a square.
    Cnn,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mlp => "mlp",
            Self::Cnn => "cnn",
        })
    }
}

/// The channels of the convolutions.
const CHANNELS: [usize; 2] = [8, 16];

/// A network: convolutions, if there are some, and linear layers, with ReLU between them. The default has no layers: its
/// outputs are its inputs.
#[derive(Module, Debug, Default)]
pub struct Network {
    convolutions: Vec<Conv2d>,
    layers: Vec<Linear>,
}

impl Network {
    /// A network whose layers have these widths, from inputs to outputs. Convolutions are 3 × 3, each second pixel,
    /// and come before all of them.
    ///
    /// Weights and biases are uniform within 1/sqrt(inputs of the layer), as PyTorch draws them.
    /// They are drawn on the host and carry fixed ids, so that a seed gives the same network on
    /// every backend, and the same file.
    ///
    /// # Errors
    /// If it would be larger than a program that explains itself should allow, or if convolutions are asked for and an
    /// example is no square of pixels.
    pub fn new(kind: Kind, widths: &[usize], seed: u64, device: &Device) -> Result<Self> {
        ensure!(!widths.contains(&0), "a layer needs an input and an output, or more");
        let mut widths = widths.to_vec();
        let mut channels = vec![1];
        if kind == Kind::Cnn {
            let mut side = side(widths[0])?;
            for count in CHANNELS {
                channels.push(count);
                side = side.div_ceil(2);
            }
            widths[0] = CHANNELS[CHANNELS.len() - 1] * side * side;
        }
        let shapes = || widths.iter().zip(widths.iter().skip(1));
        let weights = shapes().try_fold(0_usize, |sum, (inputs, outputs)| {
            inputs.checked_add(1)?.checked_mul(*outputs)?.checked_add(sum)
        });
        ensure!(
            weights.is_some_and(|weights| weights <= MOST_WEIGHTS),
            "--hidden asks for more than {MOST_WEIGHTS} weights"
        );
        let mut rng = rng(seed, Stream::Weights);
        let mut id = 0;
        let mut draw = |inputs: usize, count: usize| {
            let bound = 1.0 / (inputs as f32).sqrt();
            (0..count).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>()
        };
        let mut next = || {
            id += 1;
            id - 1
        };
        let convolutions = channels.windows(2).map(|pair| {
            let (from, to) = (pair[0], pair[1]);
            let weight = TensorData::new(draw(9 * from, 9 * from * to), [to, from, 3, 3]);
            let bias = TensorData::new(draw(9 * from, to), [to]);
            let config = Conv2dConfig::new([from, to], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
            let mut convolution = config.init(device);
            convolution.weight = parameter(next(), Tensor::from_data(weight, device));
            convolution.bias = Some(parameter(next(), Tensor::from_data(bias, device)));
            convolution
        });
        let convolutions = convolutions.collect();
        let layers = shapes().map(|(&inputs, &outputs)| {
            let weight = TensorData::new(draw(inputs, inputs * outputs), [inputs, outputs]);
            let bias = TensorData::new(draw(inputs, outputs), [outputs]);
            Linear {
                weight: parameter(next(), Tensor::from_data(weight, device)),
                bias: Some(parameter(next(), Tensor::from_data(bias, device))),
            }
        });
        Ok(Self { convolutions, layers: layers.collect() })
    }

    /// The same network with weights of this type.
    pub fn in_dtype(self, dtype: DType) -> Self {
        struct Cast(DType);
        impl ModuleMapper for Cast {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let (id, tensor, mapper) = param.consume();
                let tensor = tensor.inner().cast(self.0).autodiff().require_grad();
                Param::from_mapped_value(id, tensor, mapper)
            }
        }
        if dtype == DType::F32 { self } else { self.map(&mut Cast(dtype)) }
    }

    /// The outputs for rows of inputs, computed in the type of the weights; in that of the inputs, but
    /// for weights of f64.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let outer = inputs.dtype();
        let inner = self.layers.first().map_or(outer, |layer| layer.weight.dtype());
        let inputs = self.convolve(inputs.cast(inner));
        let mut layers = self.layers.iter();
        let first = layers.next().map(|layer| layer.forward(inputs.clone()));
        let outputs = layers.fold(first.unwrap_or(inputs), |x, layer| layer.forward(relu(x)));
        if inner == DType::F64 { outputs } else { outputs.cast(outer) }
    }

    /// What the convolutions make of images, a row each.
    fn convolve(&self, inputs: Tensor<2>) -> Tensor<2> {
        if self.convolutions.is_empty() {
            return inputs;
        }
        let [rows, pixels] = inputs.dims();
        let side = pixels.isqrt();
        let image = inputs.reshape([rows, 1, side, side]);
        let layers = self.convolutions.iter();
        layers.fold(image, |image, layer| relu(layer.forward(image))).flatten(1, 3)
    }
}

/// The side of a square of so many pixels.
fn side(pixels: usize) -> Result<usize> {
    let side = pixels.isqrt();
    ensure!(
        side * side == pixels && side > 1,
        "--model cnn needs images that are squares, and an example has {pixels} numbers"
    );
    Ok(side)
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
            let model = Network::new(Kind::Mlp, &[3, 4, 2], seed, &device()).unwrap();
            model.into_record().into_bytes().unwrap().to_vec()
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn convolutions_see_squares() {
        let device = device();
        let model = Network::new(Kind::Cnn, &[25, 4, 2], 0, &device).unwrap();
        assert_eq!(model.forward(Tensor::zeros([7, 25], &device)).dims(), [7, 2]);
        // 5 × 5, 3 × 3, 2 × 2.
        let convolutions = 9 * 8 + 8 + 9 * 8 * 16 + 16;
        assert_eq!(model.num_params(), convolutions + 16 * 4 * 4 + 4 + 4 * 2 + 2);
        let error = Network::new(Kind::Cnn, &[24, 2], 0, &device).unwrap_err();
        assert!(error.to_string().contains("24 numbers"));
    }

    #[test]
    fn shapes() {
        let device = device();
        let model = Network::new(Kind::Mlp, &[3, 4, 2], 0, &device).unwrap();
        assert_eq!(model.forward(Tensor::zeros([5, 3], &device)).dims(), [5, 2]);
        assert_eq!(model.num_params(), 3 * 4 + 4 + 4 * 2 + 2);
        let huge = Network::new(Kind::Mlp, &[3, usize::MAX, 2], 0, &device).unwrap_err();
        assert!(huge.to_string().contains("--hidden"));
    }
}
