//! `apollo-torch`, the authors' code.

use super::Condition::{Is, On};
use super::Meaning::{Both, Decides, Lr, Number, Pair, Switch, Word};
use super::{
    AUXILIARY_OF_GALORE, CHANNELS, EPS_OF_GALORE, LATE_DECAY, Meaning, OTHER_SIDE, Row, row,
};

const APOLLO: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("correct_bias", Switch("correct_bias")),
    ("rank", Number("rank")),
    ("update_proj_gap", Number("update_proj_gap")),
    ("scale", Number("scale")),
    ("proj_type", Decides),
    ("proj", Word("proj", &[("random", "random"), ("svd", "svd")])),
    ("scale_type", Word("scale_type", CHANNELS)),
    ("scale_front", Switch("scale_front")),
    ("disable_nl", Switch("disable_nl")),
];

pub(super) const ROWS: &[Row] = &[
    row("apollo").when(&[On("auxiliary.weight_decay")]).differs(LATE_DECAY),
    row("apollo")
        .when(&[Is("proj_type", "std"), On("auxiliary.lr")])
        .is("apollo", &[APOLLO, EPS_OF_GALORE, AUXILIARY_OF_GALORE])
        .fixed(&[("auxiliary.eps", "0")]),
    row("apollo")
        .when(&[Is("proj_type", "std")])
        .is("apollo", &[APOLLO, &[("eps", Both(["eps", "auxiliary.eps_hat"]))]])
        .fixed(&[("auxiliary.eps", "0")]),
    row("apollo").differs(OTHER_SIDE),
];
