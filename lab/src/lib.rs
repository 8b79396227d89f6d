//! See optimizers walk, compare them fairly, find the right one.
//!
//! Every command of the program `lab` is a module that another project can call.

pub mod report;
