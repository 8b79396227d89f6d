//! See optimizers walk, compare them fairly, find the right one.
//!
//! Every command of the program `lab` is a module that another project can call: it takes its
//! `Args`, and gives the [`Findings`](findings::Findings) that [`out`] shows and writes.

pub mod backends;
pub mod choice;
pub mod claims;
pub mod cli;
pub mod compare;
pub mod draw;
pub mod findings;
pub mod gallery;
pub mod lr;
pub mod made;
pub mod numbers;
pub mod out;
pub mod page;
pub mod progress;
pub mod recipes;
pub mod report;
pub mod schedules;
pub mod speed;
pub mod statistics;
pub mod stopwatch;
pub mod surface;
pub mod surfaces;
pub mod terminal;
pub mod training;
pub mod walks;
