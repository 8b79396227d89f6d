//! Weights to evaluate with: averages along the walk.
//!
//! Every average here is one line, `avg ← avg + share (w − avg)`, with a share that depends on how
//! many weights it has seen: the first share is 1.

mod ema;
mod lookahead;
mod mechanic;
mod swa;

pub use ema::Ema;
pub use lookahead::Lookahead;
pub use mechanic::Mechanic;
pub(crate) use mechanic::{Factors, NAME as MECHANIC};
pub use swa::Swa;

use crate::descent::{ByParameter, Tensors, arithmetic, compute_dtype};
use burn::module::ParamId;
use burn::tensor::{DType, Tensor};
use burn_descent_engine::{Rounding, Store};
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

    /// Are the weights after step `step` (from 1) averaged?
    pub(crate) fn takes(&self, step: u64) -> bool {
        match self {
            Average::Ema(_) => true,
            Average::Swa(swa) => swa.takes(step),
        }
    }

    /// The share of the `seen`-th weights that are averaged.
    fn share(&self, seen: u64) -> f64 {
        match self {
            Average::Ema(ema) => ema.share(seen),
            Average::Swa(_) => 1.0 / seen as f64,
        }
    }

    /// Does an average that was kept for another go on as this one, after so many steps? The other is
    /// told by its text, as a checkpoint has it. It is not an average of this kind otherwise, or it is
    /// of weights before the start.
    pub(crate) fn goes_on(&self, other: &str, steps: u64) -> bool {
        match self {
            Average::Ema(_) => other.starts_with("Some(Ema("),
            Average::Swa(swa) => other.starts_with("Some(Swa(") && swa.has_begun(steps),
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

/// An average of all parameters of a model.
#[derive(Default)]
pub(crate) struct Averages {
    /// How many weights of each parameter are averaged: one that came to the model later has seen
    /// fewer.
    pub(crate) seen: ByParameter<u64>,
    /// The averages. A parameter that was frozen whenever it was seen has none: it is its own.
    pub(crate) weights: Tensors,
}

impl Averages {
    /// One that has been its own average is about to move: its average is where it is.
    pub(crate) fn set_out<const D: usize>(
        &mut self,
        store: Store,
        id: ParamId,
        weights: impl Fn() -> Tensor<D>,
    ) {
        if self.seen.contains_key(&id) && self.weights.get::<D>(id).is_none() {
            let weights = weights();
            let dtype = averaged_in(store, weights.dtype());
            self.weights.register(id, weights.cast(dtype));
        }
    }

    /// Takes in the weights of one parameter; those of one that cannot move are only counted while it
    /// is its own average.
    pub(crate) fn take_in<const D: usize>(
        &mut self,
        (average, store): (&Average, Store),
        id: ParamId,
        frozen: bool,
        weights: impl Fn() -> Tensor<D>,
    ) {
        let seen = self.seen.entry(id).or_insert(0);
        *seen += 1;
        let before = self.weights.remove::<D>(id);
        if before.is_some() || !frozen {
            let (weights, share) = (weights(), average.share(*seen));
            let dtype = averaged_in(store, weights.dtype());
            let after = match before {
                Some(before) if share < 1.0 => {
                    let before = before.to_device(&weights.device()).cast(dtype);
                    // Each step rounds by numbers of its own.
                    let by_chance = store == Store::Bf16(Rounding::Stochastic);
                    let rounds = by_chance.then_some(*seen as u32);
                    arithmetic::toward(before, weights, share, rounds)
                }
                _ => weights.cast(dtype),
            };
            self.weights.register(id, after);
        }
    }
}

/// The type in which the average of weights of a type is kept.
pub(crate) fn averaged_in(store: Store, weights: DType) -> DType {
    match (store, compute_dtype(weights)) {
        (Store::Bf16(_), DType::F32) => DType::BF16,
        (_, dtype) => dtype,
    }
}
