//! One pass over slices.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pass;
mod split;

pub(crate) use pass::{Pass, pass};
