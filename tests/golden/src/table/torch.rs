//! `torch.optim`.

use super::Condition::{LrChanges, On};
use super::Meaning::{Free, Lr, Number, Off, Pair, Switch, Word};
use super::{ADAM, COEFFICIENTS, Meaning, Row, SGD, row};

/// Ways to compute the same.
const COMMON: &[(&str, Meaning)] = &[
    ("foreach", Free),
    ("fused", Free),
    ("capturable", Free),
    ("differentiable", Free),
    ("decoupled_weight_decay", Free),
];

/// The hyper-parameters of Adam that its relatives have too.
const MOMENTS: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps")),
    ("weight_decay", Number("weight_decay")),
    ("maximize", Switch("maximize")),
];

const NADAM: &[(&str, Meaning)] = &[("momentum_decay", Number("momentum_decay"))];

/// What Muon's step is multiplied by.
const SCALES: &[(&str, &str)] = &[
    ("original", "original"),
    ("match_rms_adamw", "match_rms"),
    ("spectral_unclamped", "spectral"),
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
    row("rprop").is(
        "rprop",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("etas", Pair(["eta_minus", "eta_plus"])),
                ("step_sizes", Pair(["min_step_size", "max_step_size"])),
                ("maximize", Switch("maximize")),
            ],
        ],
    ),
    row("asgd").when(&[LrChanges]).differs(
        "torch: the learning rate of ASGD follows its changes one step late; ours at once",
    ),
    row("asgd").is(
        "asgd",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("lambd", Number("lambd")),
                ("alpha", Number("alpha")),
                ("t0", Number("t0")),
                ("weight_decay", Number("weight_decay")),
                ("maximize", Switch("maximize")),
            ],
        ],
    ),
    row("adadelta").is(
        "adadelta",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("rho", Number("rho")),
                ("eps", Number("eps")),
                ("weight_decay", Number("weight_decay")),
                ("maximize", Switch("maximize")),
            ],
        ],
    ),
    row("adamax").is("adamax", &[COMMON, MOMENTS]),
    row("nadam")
        .when(&[On("decoupled_weight_decay")])
        .is("nadam", &[COMMON, MOMENTS, NADAM])
        .fixed(&[("decoupled_weight_decay", "true")]),
    row("nadam").is("nadam", &[COMMON, MOMENTS, NADAM]),
    row("radam")
        .when(&[On("decoupled_weight_decay")])
        .is("radam", &[COMMON, MOMENTS])
        .fixed(&[("decoupled_weight_decay", "true")]),
    row("radam").is("radam", &[COMMON, MOMENTS]),
    row("adafactor")
        .is(
            "adafactor",
            &[
                COMMON,
                &[
                    ("lr", Lr),
                    ("beta2_decay", Meaning::Negative("decay_rate")),
                    ("eps", Meaning::PairOr(["clamp_eps", "eps2"], f64::EPSILON)),
                    ("d", Number("clip_threshold")),
                    ("weight_decay", Number("weight_decay")),
                    ("maximize", Switch("maximize")),
                ],
            ],
        )
        .fixed(&[("eps1", "0")]),
    row("lbfgs")
        .is(
            "lbfgs",
            &[&[
                ("lr", Lr),
                ("max_iter", Number("max_iter")),
                ("max_eval", Number("max_eval")),
                ("tolerance_grad", Number("tolerance_grad")),
                ("tolerance_change", Number("tolerance_change")),
                ("history_size", Number("history_size")),
                ("line_search_fn", Word("line_search", &[("strong_wolfe", "strong_wolfe")])),
                ("maximize", Off("a search goes down the loss")),
            ]],
        )
        .fixed(&[("line_search", "fixed")]),
    row("muon").is(
        "muon",
        &[&[
            ("lr", Lr),
            ("weight_decay", Number("weight_decay")),
            ("momentum", Number("momentum")),
            ("nesterov", Switch("nesterov")),
            ("ns_coefficients", COEFFICIENTS),
            ("eps", Number("newton_schulz.eps")),
            ("ns_steps", Number("newton_schulz.steps")),
            ("adjust_lr_fn", Word("scale", SCALES)),
        ]],
    ),
];
