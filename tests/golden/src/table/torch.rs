//! `torch.optim`.

use super::Condition::On;
use super::Meaning::{Free, Lr, Number, Switch};
use super::{ADAM, Meaning, Row, SGD, row};

/// Ways to compute the same.
const COMMON: &[(&str, Meaning)] = &[
    ("foreach", Free),
    ("fused", Free),
    ("capturable", Free),
    ("differentiable", Free),
    ("decoupled_weight_decay", Free),
];

pub(super) const ROWS: &[Row] = &[
    row("sgd").is("sgd", &[COMMON, SGD, &[("weight_decay", Number("weight_decay"))]]),
    row("adagrad").is(
        "adagrad",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("lr_decay", Number("lr_decay")),
                ("eps", Number("eps")),
                ("weight_decay", Number("weight_decay")),
                ("initial_accumulator_value", Number("initial_accumulator_value")),
                ("maximize", Switch("maximize")),
            ],
        ],
    ),
    row("rmsprop").is(
        "rmsprop",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("alpha", Number("rho")),
                ("eps", Number("eps")),
                ("momentum", Number("momentum")),
                ("centered", Switch("centered")),
                ("weight_decay", Number("weight_decay")),
                ("maximize", Switch("maximize")),
            ],
        ],
    ),
    row("adam").when(&[On("decoupled_weight_decay")]).is("adamw", &[COMMON, ADAM]),
    row("adam").is("adam", &[COMMON, ADAM]),
    row("adamw").is("adamw", &[COMMON, ADAM]),
];
