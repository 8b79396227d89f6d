//! `adam-mini`, the authors' code.

use super::reasons::TOTALS;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("adam_mini").differs(TOTALS)];
