//! `schedulefree`, the authors' code.

use super::Meaning::{Free, Lr, Number, Pair, Switch};
use super::reasons::ANY_SCHEDULE_FREE;
use super::{Meaning, Row, row};

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("r", Number("r")),
    ("weight_lr_power", Number("weight_lr_power")),
    ("k", Free),
    ("train_mode", Free),
    ("weight_sum", Free),
    ("lr_max", Free),
    ("scheduled_lr", Free),
    ("foreach", Free),
];

pub(super) const ROWS: &[Row] = &[
    row("sgd_schedulefree").is(
        "schedule_free_sgd",
        &[COMMON, &[("momentum", Number("momentum")), ("warmup_steps", Number("warmup_steps"))]],
    ),
    row("adamw_schedulefree").is(
        "schedule_free_adamw",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("warmup_steps", Number("warmup_steps")),
            ],
        ],
    ),
    row("radam_schedulefree").is(
        "schedule_free_radam",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("silent_sgd_phase", Switch("silent_sgd_phase")),
            ],
        ],
    ),
    row("wrapper").differs(ANY_SCHEDULE_FREE),
];
