//! `galore-torch`, the authors' code.

use super::reasons::MATRIX;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("galore_adamw").differs(MATRIX)];
