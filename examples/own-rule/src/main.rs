//! The classifier of the examples, with one more optimizer.

use burn_descent::registry::{self, Row};
use burn_descent_examples::{program, task::Task};
use burn_descent_own_rule::SoftSign;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = registry::add(Row::of::<SoftSign>(0.003)) {
        eprintln!("error: {error}");
        return ExitCode::from(2);
    }
    program::main(Task::Classification)
}
