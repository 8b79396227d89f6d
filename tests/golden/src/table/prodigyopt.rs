//! `prodigyopt`.

use super::reasons::FINDS_LR;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("prodigy").differs(FINDS_LR)];
