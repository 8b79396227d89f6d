//! The program `lab`.

fn main() {}
