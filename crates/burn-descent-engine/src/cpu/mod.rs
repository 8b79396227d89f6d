//! One pass over slices.

mod pass;
pub(crate) use pass::{Pass, pass};
