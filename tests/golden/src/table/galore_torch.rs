//! `galore-torch`, the authors' code.

use super::Condition::On;
use super::Meaning::{Both, Lr, Number, Pair, Switch, Word};
use super::{LATE_DECAY, Meaning, PROJECTIONS, Row, row};

const GALORE: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("correct_bias", Switch("correct_bias")),
    ("rank", Number("rank")),
    ("update_proj_gap", Number("update_proj_gap")),
    ("scale", Number("scale")),
    ("proj_type", Word("proj_type", PROJECTIONS)),
];

pub(super) const ROWS: &[Row] = &[
    row("galore_adamw").when(&[On("auxiliary.weight_decay")]).differs(LATE_DECAY),
    row("galore_adamw")
        .when(&[On("auxiliary.lr")])
        .is("galore", &[GALORE, super::EPS_OF_GALORE, super::AUXILIARY_OF_GALORE])
        .fixed(&[("auxiliary.eps", "0")]),
    row("galore_adamw")
        .is("galore", &[GALORE, &[("eps", Both(["eps", "auxiliary.eps_hat"]))]])
        .fixed(&[("auxiliary.eps", "0")]),
];
