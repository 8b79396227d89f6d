//! `came-pytorch`, the authors' code.

use super::reasons::FACTORED;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("came").differs(FACTORED)];
