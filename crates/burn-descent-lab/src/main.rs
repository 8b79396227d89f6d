//! The program `lab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    burn_descent_lab::cli::main()
}
