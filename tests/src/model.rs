//! A model of matrices, as many and as large as a test wants.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};

/// Parameters of any number; a vector is a matrix of one row.
#[derive(Module, Debug)]
pub struct Model {
    /// The matrices.
    pub tensors: Vec<Param<Tensor<2>>>,
}

impl Model {
    /// Ones in f32, of these shapes, that autodiff trains.
    pub fn ones(shapes: &[[usize; 2]], device: &Device) -> Self {
        Self::ones_in(DType::F32, shapes, device)
    }

    /// Ones of a type.
    pub fn ones_in(dtype: DType, shapes: &[[usize; 2]], device: &Device) -> Self {
        let param = |shape: &[usize; 2]| {
            let ones = Tensor::ones(*shape, (device, dtype));
            Param::from_tensor(ones.autodiff().require_grad())
        };
        Self { tensors: shapes.iter().map(param).collect() }
    }
}
