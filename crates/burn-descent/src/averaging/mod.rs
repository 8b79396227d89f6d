//! Weights to judge with: averages along the walk.
//!
//! Every average here is one line, `avg ← avg + share (w − avg)`, with a share that depends on how
//! many weights it has seen: the first share is 1.

mod ema;
mod lookahead;
mod swa;

pub use ema::Ema;
pub use lookahead::Lookahead;
pub use swa::Swa;

use crate::descent::{Tensors, compute_dtype};
use burn::module::ParamId;
use burn::tensor::Tensor;
use burn_descent_rules::InvalidOption;

/// An average of weights.
#[derive(Clone, Debug, PartialEq)]
pub enum Average {
    /// [`Ema`].
    Ema(Ema),
    /// [`Swa`].
    Swa(Swa),
}

impl Average {
    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        match self {
            Average::Ema(ema) => ema.check(),
            Average::Swa(swa) => swa.check(),
        }
    }

    /// The share of the weights after step `step` (from 1), the `seen`-th to be averaged; `None`
    /// if they are not.
    fn share(&self, step: u64, seen: u64) -> Option<f64> {
        match self {
            Average::Ema(ema) => Some(ema.share(seen)),
            Average::Swa(swa) => swa.takes(step).then(|| 1.0 / seen as f64),
        }
    }
}

impl From<Ema> for Average {
    fn from(ema: Ema) -> Self {
        Average::Ema(ema)
    }
}

impl From<Swa> for Average {
    fn from(swa: Swa) -> Self {
        Average::Swa(swa)
    }
}

/// An average of all parameters of a model, kept in f32 at least.
#[derive(Default)]
pub(crate) struct Averages {
    /// How many weights it has seen.
    pub(crate) seen: u64,
    pub(crate) weights: Tensors,
}

impl Averages {
    /// The share of the weights after this step, if they are averaged.
    pub(crate) fn begin(&mut self, average: &Average, step: u64) -> Option<f64> {
        let share = average.share(step, self.seen + 1)?;
        self.seen += 1;
        Some(share)
    }

    /// Takes in the weights of one parameter.
    pub(crate) fn take_in<const D: usize>(&mut self, id: ParamId, weights: Tensor<D>, share: f64) {
        let average = self.weights.remove::<D>(id);
        self.weights.register(id, toward(average, weights, share));
    }
}

/// The average after a share of the weights: `avg + share (w − avg)`; the weights if there was
/// none.
pub(crate) fn toward<const D: usize>(
    average: Option<Tensor<D>>,
    weights: Tensor<D>,
    share: f64,
) -> Tensor<D> {
    let dtype = compute_dtype(weights.dtype());
    let weights = weights.cast(dtype);
    match average {
        Some(average) if share < 1.0 => {
            let average = average.to_device(&weights.device());
            average.clone() + (weights - average).mul_scalar(share)
        }
        _ => weights,
    }
}
