//! A model of vectors, as many and as long as a test wants.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};

/// Parameters of any number. Rules see elements, so every tensor is a vector.
#[derive(Module, Debug)]
pub struct Model {
    /// The vectors.
    pub tensors: Vec<Param<Tensor<1>>>,
}

impl Model {
    /// Ones in f32, of these lengths, that autodiff trains.
    pub fn ones(lengths: &[usize], device: &Device) -> Self {
        let param = |len: &usize| {
            let ones = Tensor::ones([*len], (device, DType::F32));
            Param::from_tensor(ones.autodiff().require_grad())
        };
        Self { tensors: lengths.iter().map(param).collect() }
    }
}
