//! `pytorch_optimizer`.

use super::Condition::On;
use super::Meaning::{Decides, Free, Lr, Number, Switch};
use super::{DECOUPLED_SGD, Meaning, Row, row};

pub(super) const ROWS: &[Row] = &[
    row("sgdw").when(&[On("weight_decouple"), On("weight_decay")]).differs(DECOUPLED_SGD),
    row("sgdw").is(
        "sgd",
        &[&[
            ("lr", Lr),
            ("momentum", Number("momentum")),
            ("nesterov", Switch("nesterov")),
            ("maximize", Switch("maximize")),
            (
                "dampening",
                Meaning::Off("dampening, of which no trajectory has shown the first step"),
            ),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Decides),
            ("step", Free),
        ]],
    ),
];
