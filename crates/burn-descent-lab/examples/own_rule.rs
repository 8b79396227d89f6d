//! The lab with one more optimizer: the rule of the tutorial, in `examples/own-rule`.
//!
//! ```sh
//! cargo run --release -p burn-descent-lab --example own_rule -- surface --optimizers softsign,lion --out walks
//! ```

use burn_descent::registry::{self, Row};
use burn_descent_lab::cli;
use burn_descent_own_rule::SoftSign;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = registry::add(Row::of::<SoftSign>(0.003)) {
        eprintln!("error: {error}");
        return ExitCode::from(2);
    }
    cli::main()
}
