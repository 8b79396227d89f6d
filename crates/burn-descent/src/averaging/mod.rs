//! Weights to judge with: averages along the walk.
//!
//! Every average here is one line, `avg ← avg + share (w − avg)`, with a share that depends on how
//! many weights it has seen: the first share is 1.

mod ema;
mod swa;

pub use ema::Ema;
pub use swa::Swa;

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
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
pub(crate) struct Averages {
    average: Average,
    seen: u64,
    /// burn's one container for tensors of any rank, by parameter.
    weights: GradientsParams,
}

impl Averages {
    pub(crate) fn new(average: Average) -> Self {
        Self { average, seen: 0, weights: GradientsParams::new() }
    }

    /// The share of the weights after this step, if they are averaged.
    pub(crate) fn begin(&mut self, step: u64) -> Option<f64> {
        let share = self.average.share(step, self.seen + 1)?;
        self.seen += 1;
        Some(share)
    }

    /// Takes in the weights of one parameter.
    pub(crate) fn take_in<const D: usize>(&mut self, id: ParamId, weights: Tensor<D>, share: f64) {
        let wide = if weights.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let weights = weights.cast(wide);
        let average = match self.weights.remove::<D>(id) {
            Some(average) if share < 1.0 => {
                let average = average.to_device(&weights.device());
                average.clone() + (weights - average).mul_scalar(share)
            }
            _ => weights,
        };
        self.weights.register(id, average);
    }

    /// The average of one parameter, if it has one.
    pub(crate) fn get<const D: usize>(&self, id: ParamId) -> Option<Tensor<D>> {
        self.weights.get(id)
    }
}
