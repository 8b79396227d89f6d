//! `adam-atan2-pytorch`.

use super::Meaning::{Free, Lr, Number, Pair};
use super::{CAUTION, Meaning, Row, row};

pub(super) const ROWS: &[Row] = &[row("adam_atan2").is(
    "adam_atan2",
    &[&[
        ("lr", Lr),
        ("betas", Pair(["beta1", "beta2"])),
        ("a", Number("a")),
        ("b", Number("b")),
        ("weight_decay", Number("weight_decay")),
        (
            "regen_reg_rate",
            Meaning::Off("adam_atan2_pytorch: weights are drawn to where they began"),
        ),
        ("cautious_wd", Meaning::Off("adam_atan2_pytorch: a weight decay that is masked")),
        ("cautious_factor", Meaning::Only(1.0, CAUTION)),
        ("decoupled_wd", Free), // the decay has been divided already
    ]],
)];
