//! `jaxopt`.

use super::reasons::SEARCHES;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("nonlinear_cg").differs(SEARCHES)];
