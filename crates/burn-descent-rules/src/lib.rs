//! The mathematics of burn-descent: update rules of optimizers, each written once.
//!
//! A [`Rule`] says how one element of a parameter moves, in the words of its paper and generic
//! over [`Real`]. It knows no tensor, no device and no thread. The same text is read as
//!
//! - numbers, `f32` and `f64`: a loop over slices (here [`slices`], with SIMD and threads in
//!   `burn-descent-engine`);
//! - symbols: a [`Graph`], from which a GPU kernel or a list of tensor operations is made.
//!
//! A [`Schedule`] says how a number, such as the learning rate, depends on the step.
//!
//! ```
//! # use burn_descent_rules::burn_descent;
//! use burn_descent::{AdamW, rules::slices::Walk};
//!
//! // Three steps down f(x) = x² / 2, whose gradient is x.
//! let mut x = [1.0_f64];
//! let mut walk = Walk::new(AdamW::new().weight_decay(0.0), x.len())?;
//! for _ in 0..3 {
//!     let g = x;
//!     walk.step(0.1, &mut x, &g)?;
//! }
//! assert!((x[0] - 0.70).abs() < 0.01);
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```

pub mod chain;
mod domain;
mod error;
mod explain;
mod fields;
#[doc(hidden)]
pub mod forms;
mod formula;
mod graph;
mod matrix;
#[doc(hidden)]
pub mod noise;
mod options;
mod over;
#[doc(hidden)]
pub mod power;
mod real;
mod rule;
mod rules;
pub mod schedules;
pub mod slices;
mod transforms;

/// The optimizers, one struct of options each. All of them are in the root of the crate, too.
///
/// Each says its formula in the letters of its paper, its defaults and whose they are, its memory and
/// traffic for each weight, and where other libraries differ.
pub mod optimizers {
    pub use crate::rules::*;
}

pub use domain::{Domain, View};
pub use error::{InvalidOption, OptionError};
pub use explain::Explanation;
pub use fields::{Empty, Fields};
#[doc(hidden)]
pub use matrix::Random;
#[cfg(feature = "matrix")]
pub use matrix::{Coefficients, Eigen, Merging, Singular};
pub use matrix::{Keep, Matrix, Start, Whole, outputs_first};
pub use optimizers::*;
pub use options::{
    Bound, Choice, OptionMut, Options, Range, Role, Slot, Value, from_pairs, nearest, to_pairs,
    unknown, with_pairs,
};
pub use over::{Fold, Over};
pub use real::Real;
pub use rule::{Paper, Rule, check_loss, check_lr};
pub use schedules::Schedule;

// What engines read of a rule, and what `fields!` writes: no part of what a rule is written with.
#[doc(hidden)]
pub use fields::{
    ALWAYS, Field, Fixed, Forms, Nothing, Optional, Presence, Visitor, With, Without, names,
    presence, values,
};
#[doc(hidden)]
pub use graph::{
    Graph, Id, MAX_STAGES, MAX_SUMS, Node, Stage, Stages, Sum, Symbol, Traced, trace_evaluate,
    trace_update,
};
#[doc(hidden)]
pub use options::{ShowOption, check as check_options, maximizes, set_numbers, set_pairs};
#[doc(hidden)]
pub use options::{deserialize as deserialize_options, serialize as serialize_options};
#[doc(hidden)]
pub use real::ROUGH_CBRT;
#[doc(hidden)]
pub use serde;
#[doc(hidden)]
pub use transforms::adaptive_clip;

/// What users import, for the examples here: the crate `burn-descent` has all of this.
#[doc(hidden)]
pub mod burn_descent {
    pub use crate as rules;
    pub use crate::*;
}
