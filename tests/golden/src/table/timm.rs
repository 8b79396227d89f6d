//! `timm`.

use super::Condition::{Is, LrChanges, Off, On};
use super::Meaning::{Both, Decides, Free, Lr, Number, NumberOrZero, Pair, Switch, Triple};
use super::reasons::{FACTORED, MATRIX, PROJECTED, TRUST_RATIO, WRAPPER};
use super::{ADAM, CAUTION, LR_IN_VELOCITY, Meaning, Row, SGD, row};

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("caution", Meaning::Off(CAUTION)),
    ("corrected_weight_decay", Free),
    ("max_lr_snapshot", Free),
    ("foreach", Free),
    ("capturable", Free),
    ("differentiable", Free),
];

/// For those that are cautious here too: before [`COMMON`].
const CAUTIOUS: &[(&str, Meaning)] = &[("caution", Switch("cautious"))];

const CORRECTED: &str = "timm: weight decay by the square of the learning rate over its greatest";

/// AdamW with a corrected weight decay, which is AdamC.
const ADAMC: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps")),
    ("weight_decay", Number("weight_decay")),
    ("corrected_weight_decay", Decides),
    ("max_lr_snapshot", Number("lr_max")),
    ("amsgrad", Meaning::Off("timm: AMSGrad with a corrected weight decay, which AdamC is not")),
    ("caution", Meaning::Off(CAUTION)),
    ("clipping_threshold", Meaning::Off("timm: steps are clipped")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("capturable", Free),
    ("differentiable", Free),
];

const ADOPT: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps")),
    ("weight_decay", Number("weight_decay")),
    ("decoupled", Switch("decoupled_weight_decay")),
    ("maximize", Switch("maximize")),
];

const LAMB: &[(&str, Meaning)] = &[
    ("eps", Number("eps")),
    ("bias_correction", Switch("bias_correction")),
    ("grad_averaging", Switch("grad_averaging")),
    ("max_grad_norm", NumberOrZero("max_grad_norm")),
    ("trust_clip", Switch("trust_clip")),
    ("always_adapt", Switch("adapt_without_decay")),
    ("decoupled_decay", Switch("decoupled_weight_decay")),
    ("step", Free),
];

const FIXED_DECAY: &str = "timm: weight decay independent of the learning rate";

/// The hyper-parameters of Adam that its relatives have too.
const MOMENTS: &[(&str, Meaning)] =
    &[("lr", Lr), ("betas", Pair(["beta1", "beta2"])), ("weight_decay", Number("weight_decay"))];

const BELIEF: &[(&str, Meaning)] = &[
    ("eps", Both(["eps", "eps_root"])),
    ("decoupled_decay", Switch("decoupled_weight_decay")),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("rectify", Switch("rectify")),
    ("degenerated_to_sgd", Switch("degenerated_to_sgd")),
];

const MARS: &[&[(&str, Meaning)]] = &[
    &[("weight_decay", Both(["weight_decay", "weight_decay_1d"]))],
    CAUTIOUS,
    COMMON,
    MOMENTS,
    &[
        ("eps", Number("eps")),
        ("mars_type", Decides),
        ("gamma", Number("gamma")),
        ("optimize_1d", Switch("optimize_1d")),
        ("lr_1d_factor", Number("lr_1d_factor")),
        ("betas_1d", Pair(["beta1_1d", "beta2_1d"])),
    ],
];

pub(super) const ROWS: &[Row] = &[
    row("sgdw").when(&[On("corrected_weight_decay"), On("weight_decay")]).differs(CORRECTED),
    row("sgdw")
        .is("sgd", &[CAUTIOUS, COMMON, SGD, &[("weight_decay", Number("weight_decay"))]])
        .fixed(&[("decoupled_weight_decay", "true"), ("cautious_xi", "0")]),
    row("adamw_cautious").when(&[On("corrected_weight_decay")]).is("adamc", &[ADAMC]),
    row("adamw_cautious")
        .is(
            "adamw",
            &[
                CAUTIOUS,
                COMMON,
                ADAM,
                &[("clipping_threshold", Meaning::Off("timm: steps are clipped"))],
            ],
        )
        .fixed(&[("cautious_xi", "0")]),
    row("rmsprop_tf")
        .when(&[On("corrected_weight_decay"), On("decoupled_decay"), On("weight_decay")])
        .differs(CORRECTED),
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
                    ("decoupled_decay", Switch("decoupled_weight_decay")),
                    ("lr_in_momentum", Switch("classic")),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("initial_accumulator_value", "1")]),
    row("lion_cautious")
        .when(&[On("corrected_weight_decay"), On("weight_decay")])
        .differs(CORRECTED),
    row("lion_cautious")
        .is(
            "lion",
            &[
                CAUTIOUS,
                COMMON,
                &[
                    ("lr", Lr),
                    ("betas", Pair(["beta1", "beta2"])),
                    ("weight_decay", Number("weight_decay")),
                    ("maximize", Switch("maximize")),
                ],
            ],
        )
        .fixed(&[("cautious_xi", "0")]),
    row("adopt").when(&[On("corrected_weight_decay"), On("weight_decay")]).differs(CORRECTED),
    row("adopt")
        .when(&[Off("clip_exp")])
        .is("adopt", &[CAUTIOUS, COMMON, ADOPT, &[("clip_exp", Free)]])
        .fixed(&[("clip", "false"), ("cautious_xi", "0")]),
    row("adopt")
        .is("adopt", &[CAUTIOUS, COMMON, ADOPT, &[("clip_exp", Number("clip_exp"))]])
        .fixed(&[("cautious_xi", "0")]),
    row("adan").is(
        "adan",
        &[
            COMMON,
            &[
                ("lr", Lr),
                ("betas", Triple(["beta1", "beta2", "beta3"])),
                ("eps", Number("eps")),
                ("weight_decay", Number("weight_decay")),
                ("no_prox", Switch("no_prox")),
                ("step", Free),
            ],
        ],
    ),
    row("madgrad")
        .is(
            "madgrad",
            &[
                COMMON,
                &[
                    ("lr", Lr),
                    ("momentum", Number("momentum")),
                    ("eps", Number("eps")),
                    ("weight_decay", Number("weight_decay")),
                    ("decoupled_decay", Switch("decoupled_weight_decay")),
                ],
            ],
        )
        .fixed(&[("decay_first", "true")]),
    row("nadam_legacy").is(
        "nadam",
        &[COMMON, MOMENTS, &[("eps", Number("eps")), ("schedule_decay", Number("momentum_decay"))]],
    ),
    row("nadamw").when(&[On("corrected_weight_decay"), On("weight_decay")]).differs(CORRECTED),
    row("nadamw")
        .is(
            "nadam",
            &[
                CAUTIOUS,
                COMMON,
                MOMENTS,
                &[
                    ("eps", Number("eps")),
                    ("maximize", Switch("maximize")),
                    ("clipping_threshold", Meaning::Off("timm: steps are clipped")),
                ],
            ],
        )
        .fixed(&[
            ("constant_momentum", "true"),
            ("next_bias", "false"),
            ("decoupled_weight_decay", "true"),
            ("cautious_xi", "0"),
        ]),
    // Where it is rectified, timm's AMSGrad is computed and not used.
    row("adabelief")
        .when(&[On("rectify")])
        .is("adabelief", &[COMMON, MOMENTS, BELIEF, &[("amsgrad", Free)]]),
    row("adabelief").is("adabelief", &[COMMON, MOMENTS, BELIEF, &[("amsgrad", Switch("amsgrad"))]]),
    row("laprop").when(&[LrChanges]).differs(LR_IN_VELOCITY),
    row("laprop").when(&[On("corrected_weight_decay"), On("weight_decay")]).differs(CORRECTED),
    row("laprop")
        .is("laprop", &[CAUTIOUS, COMMON, MOMENTS, &[("eps", Number("eps"))]])
        .fixed(&[("cautious_xi", "0")]),
    row("adafactor").differs(FACTORED),
    row("adafactor_bv").differs(FACTORED),
    row("adamuon").differs(MATRIX),
    row("adamp").differs(PROJECTED),
    row("lamb").is("lamb", &[LAMB, COMMON, MOMENTS]),
    row("lars").differs(TRUST_RATIO),
    row("lookahead").differs(WRAPPER),
    row("muon").differs(MATRIX),
    row("nvnovograd").differs(TRUST_RATIO),
    row("sgdp").differs(PROJECTED),
    row("mars").when(&[Is("mars_type", "lion")]).is("mars", MARS).fixed(&[
        ("lion", "true"),
        ("compare_with_zero", "false"),
        ("cautious_xi", "0"),
    ]),
    row("mars").is("mars", MARS).fixed(&[("compare_with_zero", "false"), ("cautious_xi", "0")]),
];
