//! What a case may record besides gradients and parameters.

use crate::{Step, Tensor, number};
use serde::Deserialize;

/// The type of the weights of a run, of which there is one in f32 beside it where it is f64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// `f64`
    #[default]
    F64,
    /// `bf16`: the parameters are exact bf16 values, and so are the states. The gradients are those
    /// of the problem, rounded to bf16, ties to even.
    Bf16,
}

/// A tensor of random numbers that the library drew; the recorded ones took their place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Draw {
    /// The step, from 0, in which it was drawn.
    pub step: usize,
    /// The function that drew, such as `randn`.
    #[serde(rename = "fn")]
    pub function: String,
    /// The shape of the tensor.
    pub shape: Vec<usize>,
    /// Its elements.
    #[serde(deserialize_with = "number::list")]
    pub values: Tensor,
}

/// The basis in which GaLore looks at a gradient.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Projector {
    /// The step, from 0, from which on it is used.
    pub step: usize,
    /// The number of the parameter, from 0.
    pub tensor: usize,
    /// The shape of each matrix: one, of the left or the right side, or both.
    pub shapes: Vec<Vec<usize>>,
    /// The elements of each.
    #[serde(deserialize_with = "number::step")]
    pub values: Step,
}

/// A state of an optimizer of bf16 weights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct State {
    /// The library's name of the type it is kept in.
    pub dtype: String,
    /// The steps, from 1, after which it was recorded.
    pub record: Vec<usize>,
    /// The state after these steps.
    #[serde(deserialize_with = "number::steps")]
    pub values: Vec<Step>,
}

/// The loss at one point, where an optimizer asked for it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Evaluation {
    /// The parameters.
    #[serde(deserialize_with = "number::step")]
    pub x: Step,
    /// The loss.
    #[serde(deserialize_with = "number::one")]
    pub loss: f64,
    /// Its gradient.
    #[serde(deserialize_with = "number::step")]
    pub grad: Step,
}
