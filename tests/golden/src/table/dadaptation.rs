//! `dadaptation`, the authors' code.

use super::reasons::FINDS_LR;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("dadapt_adagrad").differs(FINDS_LR),
    row("dadapt_adam").differs(FINDS_LR),
    row("dadapt_lion").differs(FINDS_LR),
    row("dadapt_sgd").differs(FINDS_LR),
];
