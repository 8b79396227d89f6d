//! `timm`.

use super::Condition::{LrChanges, On};
use super::Meaning::{Decides, Free, Lr, Number, Switch};
use super::{ADAM, CAUTION, DECOUPLED_SGD, LR_IN_VELOCITY, Meaning, Row, SGD, row};

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("caution", Meaning::Off(CAUTION)),
    ("corrected_weight_decay", Free),
    ("max_lr_snapshot", Free),
    ("foreach", Free),
    ("capturable", Free),
    ("differentiable", Free),
];

const CORRECTED: &str = "timm: weight decay by the square of the learning rate over its greatest";

pub(super) const ROWS: &[Row] = &[
    row("sgdw").when(&[On("weight_decay")]).differs(DECOUPLED_SGD),
    row("sgdw").is("sgd", &[COMMON, SGD, &[("weight_decay", Free)]]),
    row("adamw_cautious")
        .when(&[On("corrected_weight_decay"), On("weight_decay")])
        .differs(CORRECTED),
    row("adamw_cautious").is(
        "adamw",
        &[COMMON, ADAM, &[("clipping_threshold", Meaning::Off("timm: steps are clipped"))]],
    ),
    row("rmsprop_tf")
        .when(&[On("lr_in_momentum"), On("momentum"), LrChanges])
        .differs(LR_IN_VELOCITY),
    row("rmsprop_tf").when(&[On("decoupled_decay"), On("weight_decay")]).differs(
        "timm: weight decay of RMSProp that acts on the weights; ours is a penalty in the gradient",
    ),
    row("rmsprop_tf")
        .is(
            "rmsprop",
            &[
                COMMON,
                &[
                    ("lr", Lr),
                    ("alpha", Number("rho")),
                    ("eps", Number("eps_root")),
                    ("momentum", Number("momentum")),
                    ("centered", Switch("centered")),
                    ("weight_decay", Number("weight_decay")),
                    ("decoupled_decay", Decides),
                    ("lr_in_momentum", Decides),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("initial_accumulator_value", "1")]),
];
