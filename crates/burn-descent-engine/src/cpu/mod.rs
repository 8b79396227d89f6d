//! One pass over slices.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pass;
mod reduce;
mod split;

pub(crate) use pass::{Pass, pass};
pub(crate) use reduce::sum_squares;
