//! Rules meet tensors.
//!
//! [`Fused`] is a checked [`Rule`](burn_descent_rules::Rule) as burn's
//! [`Optimizer`](burn::optim::Optimizer). A step runs on the engine of the tensor's backend: one
//! in-place pass on `flex` and `ndarray` (for f64 with the feature `f64`), one in-place kernel on every
//! CubeCL backend, and burn's own tensor operations on all others.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod code;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod deferred;
mod dispatch;
mod error;
mod evaluate;
mod fused;
#[cfg(any(feature = "flex", feature = "ndarray", feature = "cube"))]
mod grid;
#[cfg(any(feature = "flex", feature = "ndarray", feature = "cube"))]
mod inside;
mod joint;
mod leaf;
mod matrices;
mod portable;
mod program;
mod reading;
mod record;
mod reduce;
mod scalars;
mod state;
mod store;
mod trial;

pub use code::MAX_STATES;
pub use deferred::Deferred;
pub use error::StepError;
pub use fused::{Build, Fused, Look, Place};
pub use reading::Reading;
pub use state::FusedState;
pub use store::{Rounding, Store, UnknownStore, UnknownWeights, Weights};

// What the walk of a whole model needs beside.
#[doc(hidden)]
pub use code::MAX_LANES;
#[doc(hidden)]
pub use leaf::LeafContext;
#[doc(hidden)]
pub use reduce::{Norm, dot, is_finite, wide};
#[doc(hidden)]
pub use state::compute_dtype;

/// What users import, for the examples here: the crate `burn-descent` has all of this.
#[doc(hidden)]
pub mod burn_descent {
    pub use crate::{Build, Fused, FusedState, Reading, Rounding, StepError, Store, Weights};
    pub use burn_descent_rules::*;
}
