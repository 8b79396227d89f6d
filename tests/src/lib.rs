//! The conformance suite of burn-descent: optimizers × devices × laws.
//!
//! [What can differ](selection) is held, or everything.
//!
//! The laws are those of `burn-descent-conformance`, which users have for rules of their own, and
//! [one](golden) of recorded trajectories. A new row, device or law is a new line in its table, and
//! all its tests follow.

pub mod allocation;
mod book;
pub mod burns;
pub mod checked;
pub mod features;
pub mod golden;
pub mod gpus;
pub mod model;
pub mod moving;
pub mod norm;
pub mod print;
pub mod progress;
pub mod replayer;
pub mod searches;
pub mod selection;
pub mod speed;
pub mod tables;

pub use burn_descent_conformance::{bits, devices, numbers, values};
