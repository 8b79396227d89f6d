//! `jaxopt`.

use super::reasons::ZOOM;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("nonlinear_cg").differs(ZOOM)];
