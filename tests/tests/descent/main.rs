//! The walk of a whole model, where the optimizer does not matter.

mod clones;
mod decay;
mod evaluating;
mod extremes;
mod failed;
mod follow;
mod frozen;
mod golden;
mod heads;
mod later;
mod leaf;
mod life;
mod line;
mod lives;
mod matrices;
mod mechanic;
mod odd;
mod panics;
mod policies;
mod precision;
mod probes;
mod qk_clip;
mod refusals;
mod searches;
mod selection;
mod statistics;
mod trainer;
mod transforms;
mod walk;
mod window;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn_descent::{Build, Fused, Sgd};
use burn_descent_tests::{numbers, values};

/// Fifty vectors and matrices in turns.
#[derive(Module, Debug)]
struct Model {
    vectors: Vec<Param<Tensor<1>>>,
    matrices: Vec<Param<Tensor<2>>>,
}

fn floats(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len).into_iter().map(|x| x as f32).collect()
}

fn vector(seed: u64, len: usize) -> Tensor<1> {
    Tensor::from_floats(&*floats(seed, len), &Device::default())
}

fn matrix(seed: u64) -> Tensor<2> {
    vector(seed, 12).reshape([3, 4])
}

fn model() -> Model {
    let grad = |tensor: Tensor<1>| Param::from_tensor(tensor.autodiff().require_grad());
    let vectors = (0..25).map(|i| grad(vector(i, 5 + i as usize))).collect();
    let matrices =
        (25..50).map(|i| Param::from_tensor(matrix(i).autodiff().require_grad())).collect();
    Model { vectors, matrices }
}

fn gradients(model: &Model, seed: u64) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    for (i, param) in model.vectors.iter().enumerate() {
        gradients.register(param.id, vector(seed + i as u64, 5 + i));
    }
    for (i, param) in model.matrices.iter().enumerate() {
        gradients.register(param.id, matrix(seed + 100 + i as u64));
    }
    gradients
}

fn all(model: &Model) -> Vec<f64> {
    let vectors = model.vectors.iter().flat_map(|param| values(&param.val()));
    vectors.chain(model.matrices.iter().flat_map(|param| values(&param.val()))).collect()
}

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}
