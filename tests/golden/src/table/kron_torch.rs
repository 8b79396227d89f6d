//! `kron-torch`.

use super::reasons::MATRIX;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("kron").differs(MATRIX)];
