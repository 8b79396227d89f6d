//! `came-pytorch`, the authors' code.

use super::Meaning::{Lr, Number, Pair, Triple};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[row("came").is(
    "came",
    &[&[
        ("lr", Lr),
        ("betas", Triple(["beta1", "beta2", "beta3"])),
        ("eps", Pair(["eps1", "eps2"])),
        ("clip_threshold", Number("clip_threshold")),
        ("weight_decay", Number("weight_decay")),
    ]],
)];
