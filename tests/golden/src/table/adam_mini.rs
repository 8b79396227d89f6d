//! `adam-mini`, the authors' code.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("adam_mini").differs(
    "adam-mini: the names of the parameters choose between rows, heads, whole tensors and Adam; here they are \
     groups of a walk, of which a rule knows nothing: tests/tests/descent/heads.rs walks so",
)];
