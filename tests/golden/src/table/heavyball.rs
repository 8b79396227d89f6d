//! `heavyball`.

use super::reasons::{MATRIX, TRUST_RATIO};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("hyperball_adamw").differs(TRUST_RATIO),
    row("muon").differs(MATRIX),
    row("soap").differs(MATRIX),
];
