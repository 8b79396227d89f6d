//! What the programs `regression` and `classifier` are made of: data from a file or from a seed, a
//! small network, any optimizer of the registry, and a run that can be stopped and resumed.
//!
//! Read [`program`] first: it is a run from flags to report in one page. `learner` is the same
//! training in burn's `Learner`, with the feature `train`; `distributed`, with the feature of its name,
//! on several devices.

pub mod args;
pub mod around;
pub mod backend;
pub mod confusion;
pub mod data;
pub mod detail;
#[cfg(feature = "distributed")]
pub mod distributed;
pub mod explain;
pub mod find_lr;
pub mod help;
#[cfg(feature = "train")]
pub mod learner;
#[cfg(test)]
mod least_squares;
pub mod log;
pub mod model;
pub mod next;
pub mod output;
pub mod plot;
pub mod position;
pub mod precision;
pub mod predict;
pub mod program;
mod quietly;
pub mod random;
pub mod recipe;
pub mod report;
pub mod save;
pub mod schedule;
pub mod task;
pub mod terminal;
pub mod train;
