//! `keras` 3.

use super::Condition::{LrChanges, Off, On};
use super::Meaning::{Free, Lr, Number, NumberOrZero, Switch};
use super::{DECOUPLED_SGD, LR_IN_VELOCITY, Meaning, Row, row};

const DECOUPLED: &str =
    "keras: weight decay acts on the weights in every optimizer; here only in AdamW";
const CLIPPED: &str = "keras: gradients are clipped, which is no part of the update rule here";
const EMA: &str = "keras: an average of the weights, which is no part of the update rule here";

/// What every optimizer of Keras has.
const COMMON: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("lr", Free), // the learning rate as it was given
    ("name", Free),
    ("clipnorm", Meaning::Off(CLIPPED)),
    ("clipvalue", Meaning::Off(CLIPPED)),
    ("global_clipnorm", Meaning::Off(CLIPPED)),
    ("use_ema", Meaning::Off(EMA)),
    ("ema_momentum", Free),
    ("ema_overwrite_frequency", Free),
    ("gradient_accumulation_steps", Meaning::Off("keras: gradients are accumulated")),
];

const ADAM: &[(&str, Meaning)] = &[
    ("beta_1", Number("beta1")),
    ("beta_2", Number("beta2")),
    ("epsilon", Number("eps_hat")),
    ("amsgrad", Switch("amsgrad")),
];

const BETAS: &[(&str, Meaning)] = &[("beta_1", Number("beta1")), ("beta_2", Number("beta2"))];

const DECAY: &[(&str, Meaning)] = &[("weight_decay", NumberOrZero("weight_decay"))];

pub(super) const ROWS: &[Row] = &[
    row("sgd").when(&[On("weight_decay")]).differs(DECOUPLED_SGD),
    row("sgd")
        .when(&[Off("momentum")])
        .is("sgd", &[COMMON, &[("momentum", Free), ("nesterov", Free), ("weight_decay", Free)]]),
    row("sgd")
        .is(
            "sgd",
            &[
                COMMON,
                &[
                    ("momentum", Number("momentum")),
                    ("nesterov", Switch("nesterov")),
                    ("weight_decay", Free),
                ],
            ],
        )
        .fixed(&[("classic", "true")]),
    row("adagrad")
        .is(
            "adagrad",
            &[
                COMMON,
                &[
                    ("initial_accumulator_value", Number("initial_accumulator_value")),
                    ("epsilon", Number("eps_root")),
                    ("weight_decay", Meaning::Off(DECOUPLED)),
                ],
            ],
        )
        .fixed(&[("eps", "0")]),
    row("rmsprop").when(&[On("momentum"), LrChanges]).differs(LR_IN_VELOCITY),
    row("rmsprop")
        .is(
            "rmsprop",
            &[
                COMMON,
                &[
                    ("rho", Number("rho")),
                    ("momentum", NumberOrZero("momentum")),
                    ("epsilon", Number("eps_root")),
                    ("centered", Switch("centered")),
                    ("weight_decay", Meaning::Off(DECOUPLED)),
                ],
            ],
        )
        .fixed(&[("eps", "0")]),
    row("adam")
        .when(&[On("weight_decay")])
        .is("adamw", &[COMMON, ADAM, &[("weight_decay", Number("weight_decay"))]])
        .fixed(&[("eps", "0")]),
    row("adam").is("adam", &[COMMON, ADAM, &[("weight_decay", Free)]]).fixed(&[("eps", "0")]),
    row("adamw")
        .is("adamw", &[COMMON, ADAM, &[("weight_decay", NumberOrZero("weight_decay"))]])
        .fixed(&[("eps", "0")]),
    row("lion").is(
        "lion",
        &[
            COMMON,
            &[
                ("beta_1", Number("beta1")),
                ("beta_2", Number("beta2")),
                ("weight_decay", NumberOrZero("weight_decay")),
            ],
        ],
    ),
    row("adadelta")
        .is("adadelta", &[COMMON, DECAY, &[("rho", Number("rho")), ("epsilon", Number("eps"))]])
        .fixed(&[("decoupled_weight_decay", "true")]),
    row("adamax")
        .is("adamax", &[COMMON, DECAY, BETAS, &[("epsilon", Number("eps_outside"))]])
        .fixed(&[("decoupled_weight_decay", "true"), ("eps", "0")]),
    row("nadam")
        .is("nadam", &[COMMON, DECAY, BETAS, &[("epsilon", Number("eps"))]])
        .fixed(&[("decoupled_weight_decay", "true"), ("momentum_decay", "1")]),
];
