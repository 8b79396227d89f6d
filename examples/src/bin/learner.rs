//! Trains what `classifier` trains in burn's `Learner`, with its dashboard and its checkpoints.

use std::process::ExitCode;

fn main() -> ExitCode {
    burn_descent_examples::learner::main()
}
