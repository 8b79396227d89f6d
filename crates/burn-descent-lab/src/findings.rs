//! What a command gives back.

use crate::report::Report;
use serde_json::Value;

/// What a command found: to read, and to compute with.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// What is shown of it: tables, charts, pictures. The program fills in how it was made.
    pub report: Report,
    /// All of it, with all digits, as an object: `results.json`. The program adds what made it.
    pub results: Value,
}
