//! Trains a small network to tell classes apart, with any optimizer of the registry.

use burn_descent_examples::{program, task::Task};
use std::process::ExitCode;

fn main() -> ExitCode {
    program::main(Task::Classification)
}
