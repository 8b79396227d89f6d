//! `burn-optim`: fields of its configurations, those of configurations inside of them with a dot. There are no files of
//! its runs: a test beside the table takes them (`tests/tests/burn_optim.rs`).

use super::Meaning::{Lr, Number, NumberOrZero, Off, Only, Switch, Word};
use super::{COEFFICIENTS, Meaning, Row, row};

const CLIPPED: &str = "burn-optim: each gradient is clipped for itself; `Builder::clip_value` does the same, and \
     `Builder::clip_norm` clips by the norm of all of them";

/// The learning rate is given to each step.
const LR: &[(&str, Meaning)] = &[("lr", Lr), ("grad_clipping", Off(CLIPPED))];

const BETAS: &[(&str, Meaning)] = &[("beta_1", Number("beta1")), ("beta_2", Number("beta2"))];

const EPS: &[(&str, Meaning)] = &[("epsilon", Number("eps"))];

/// A penalty in the gradient.
const PENALTY: &[(&str, Meaning)] = &[("weight_decay.penalty", NumberOrZero("weight_decay"))];

/// A decay of the weights.
const DECAY: &[(&str, Meaning)] = &[("weight_decay", Number("weight_decay"))];

pub(super) const ROWS: &[Row] = &[
    row("SgdConfig").is(
        "sgd",
        &[
            PENALTY,
            &[
                ("lr", Lr),
                ("gradient_clipping", Off(CLIPPED)),
                ("momentum.momentum", NumberOrZero("momentum")),
                ("momentum.dampening", NumberOrZero("dampening")),
                ("momentum.nesterov", Switch("nesterov")),
            ],
        ],
    ),
    row("AdaGradConfig").is("adagrad", &[LR, EPS, PENALTY, &[("lr_decay", Number("lr_decay"))]]),
    row("RmsPropConfig").is(
        "rmsprop",
        &[
            LR,
            EPS,
            PENALTY,
            &[
                ("alpha", Number("rho")),
                ("momentum", Number("momentum")),
                ("centered", Switch("centered")),
            ],
        ],
    ),
    row("AdamConfig").is("adam", &[LR, BETAS, EPS, PENALTY, &[("amsgrad", Switch("amsgrad"))]]),
    row("AdamWConfig").is(
        "adamw",
        &[
            LR,
            BETAS,
            EPS,
            DECAY,
            &[("amsgrad", Switch("amsgrad")), ("cautious_weight_decay", Switch("cautious_decay"))],
        ],
    ),
    row("AdanConfig").is(
        "adan",
        &[LR, BETAS, EPS, DECAY, &[("beta_3", Number("beta3")), ("no_prox", Switch("no_prox"))]],
    ),
    row("LionConfig").is("lion", &[LR, BETAS, DECAY]),
    row("LambConfig").is("lamb", &[LR, BETAS, EPS, DECAY, &[("use_trust_ratio", Switch("adapt"))]]),
    row("AdafactorConfig").is(
        "adafactor",
        &[
            LR,
            DECAY,
            &[
                ("epsilon_1", Number("eps1")),
                ("epsilon_2", Number("eps2")),
                ("clip_threshold", Number("clip_threshold")),
                ("decay_rate", Meaning::Negative("decay_rate")),
                ("relative_step", Switch("relative_step")),
                ("scale_parameter", Switch("scale_parameter")),
            ],
        ],
    ),
    // The scale is that of the dimensions in memory: of a burn `Linear` it is another one than here.
    row("MuonConfig")
        .is(
            "muon",
            &[
                PENALTY,
                &[
                    ("lr", Lr),
                    ("momentum.momentum", Number("momentum")),
                    ("momentum.dampening", Only(0.0, "burn-optim: a dampened momentum of Muon")),
                    ("momentum.nesterov", Switch("nesterov")),
                    ("ns_coefficients", COEFFICIENTS),
                    ("ns_steps", Number("newton_schulz.steps")),
                    ("epsilon", Number("newton_schulz.eps")),
                    (
                        "adjust_lr_fn",
                        Word("scale", &[("Original", "original"), ("MatchRmsAdamW", "match_rms")]),
                    ),
                ],
            ],
        )
        .fixed(&[("form", "heavy_ball")]),
    row("LBFGSConfig").differs(
        "here it is a search, `Descent::search(Lbfgs::new())`, with options of the same names",
    ),
];
