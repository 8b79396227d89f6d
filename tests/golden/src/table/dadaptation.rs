//! `dadaptation`, the authors' code.

use super::Meaning::{Finite, Free, Given, Lr, Number, Pair, Switch, Triple};
use super::{Meaning, Row, row};

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("d0", Given("d0")),
    ("log_every", Free),
    ("fsdp_in_use", Free),
    // What it remembers.
    ("d", Free),
    ("k", Free),
    ("numerator_weighted", Free),
    ("gsq_weighted", Free),
    ("sksq_weighted", Free),
    ("skl1", Free),
    ("g0_norm", Free),
];

const GROWTH: &[(&str, Meaning)] = &[("growth_rate", Finite("growth_rate"))];

pub(super) const ROWS: &[Row] = &[
    row("dadapt_adagrad").is(
        "dadapt_adagrad",
        &[COMMON, GROWTH, &[("momentum", Number("momentum")), ("eps", Number("eps"))]],
    ),
    row("dadapt_adam").is(
        "dadapt_adam",
        &[
            COMMON,
            GROWTH,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("layer_scale", Number("layer_scale")),
                ("use_bias_correction", Switch("bias_correction")),
                ("decouple", Switch("decoupled_weight_decay")),
            ],
        ],
    ),
    row("dadapt_adan").is(
        "dadapt_adan",
        &[
            COMMON,
            GROWTH,
            &[
                ("betas", Triple(["beta1", "beta2", "beta3"])),
                ("eps", Number("eps")),
                ("no_prox", Switch("no_prox")),
            ],
        ],
    ),
    row("dadapt_lion").is("dadapt_lion", &[COMMON, &[("betas", Pair(["beta1", "beta2"]))]]),
    row("dadapt_sgd").is("dadapt_sgd", &[COMMON, GROWTH, &[("momentum", Number("momentum"))]]),
];
