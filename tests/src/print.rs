//! Lines on the standard output of a program.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};
use std::process::exit;

/// Prints a line. Where nobody reads on, the program ends; where it cannot be written, too, with a word
/// and status 2.
pub fn say(text: impl Display) {
    match writeln!(stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            eprintln!("error: the standard output cannot be written: {error}");
            exit(2)
        }
    }
}
