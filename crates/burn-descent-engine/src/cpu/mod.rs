//! One pass over slices.

#[cfg(feature = "flex")]
pub(crate) mod flex;
#[cfg(feature = "ndarray")]
pub(crate) mod ndarray;
mod pass;
mod reduce;
mod split;

pub(crate) use pass::{Passes, pass, sum};
pub(crate) use reduce::sum_squares;
