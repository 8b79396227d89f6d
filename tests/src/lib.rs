//! The conformance suite of burn-descent: every optimizer × every device × every law.
//!
//! A [`law`](laws) is a function of a [`Subject`]: one row of the registry on one device in one
//! precision. A new row, device or law is a new line in its table, and all its tests follow.

pub mod allocation;
pub mod devices;
pub mod laws;
pub mod replayer;
pub mod speed;
mod subject;
pub mod tables;

pub use subject::{Subject, bits, numbers, values};
