//! The training of `classifier` on several devices at once.

use std::process::ExitCode;

fn main() -> ExitCode {
    burn_descent_examples::distributed::main()
}
