//! `keras` 3.

use super::Aside::{Deep, Listed, Named};
use super::Condition::{Off, On};
use super::Meaning::{Free, Lr, Number, NumberOrZero, OverOrZero, Switch, Turns};
use super::{Meaning, Row, row};

const DECOUPLED: &str =
    "keras: weight decay of AdaGrad that acts on the weights; ours is a penalty in the gradient";
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
    ("loss_scale_factor", Meaning::Off("keras: the loss is scaled")),
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
    row("sgd")
        .when(&[Off("momentum")])
        .is("sgd", &[COMMON, DECAY, &[("momentum", Free), ("nesterov", Free)]])
        .fixed(&[("decoupled_weight_decay", "true")]),
    row("sgd")
        .is(
            "sgd",
            &[COMMON, DECAY, &[("momentum", Number("momentum")), ("nesterov", Switch("nesterov"))]],
        )
        .fixed(&[("classic", "true"), ("decoupled_weight_decay", "true")]),
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
    row("rmsprop")
        .is(
            "rmsprop",
            &[
                COMMON,
                DECAY,
                &[
                    ("rho", Number("rho")),
                    ("momentum", NumberOrZero("momentum")),
                    ("epsilon", Number("eps_root")),
                    ("centered", Switch("centered")),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("classic", "true"), ("decoupled_weight_decay", "true")]),
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
    row("adafactor").is(
        "adafactor",
        &[
            COMMON,
            DECAY,
            &[
                ("beta_2_decay", Meaning::Negative("decay_rate")),
                ("epsilon_1", Number("eps1")),
                ("epsilon_2", Number("eps2")),
                ("clip_threshold", Number("clip_threshold")),
                ("relative_step", Switch("relative_step")),
            ],
        ],
    ),
    row("ftrl")
        .is(
            "ftrl",
            &[
                COMMON,
                &[
                    ("learning_rate_power", Meaning::Negative("power")),
                    ("initial_accumulator_value", Number("initial_accumulator_value")),
                    ("l1_regularization_strength", Number("l1")),
                    ("l2_regularization_strength", Meaning::Twice("l2")),
                    ("l2_shrinkage_regularization_strength", Meaning::Twice("weight_decay")),
                    ("beta", Number("beta")),
                ],
            ],
        )
        .fixed(&[("lazy", "false")]),
    row("lamb")
        .is("lamb", &[COMMON, BETAS, DECAY, &[("epsilon", Number("eps"))]])
        .fixed(&[("decoupled_weight_decay", "true")]),
    // How long a step is, is the same either way.
    row("muon")
        .is(
            "muon",
            &[
                COMMON,
                &[
                    ("weight_decay", NumberOrZero("weight_decay")),
                    ("momentum", Number("momentum")),
                    ("nesterov", Switch("nesterov")),
                    ("muon_a", Number("newton_schulz.a")),
                    ("muon_b", Number("newton_schulz.b")),
                    ("muon_c", Number("newton_schulz.c")),
                    ("ns_steps", Number("newton_schulz.steps")),
                    ("rms_rate", Turns("rms", ("scale", "match_rms"))),
                    ("adam_beta_1", Number("auxiliary.beta1")),
                    ("adam_beta_2", Number("auxiliary.beta2")),
                    ("epsilon", Number("auxiliary.eps_hat")),
                    ("adam_lr_ratio", Number("auxiliary.lr_ratio")),
                    // The weights of Adam decay at the whole rate.
                    ("adam_weight_decay", OverOrZero("auxiliary.weight_decay", "adam_lr_ratio")),
                    ("exclude_embeddings", Free), // what is left aside follows from it
                    ("exclude_layers", Free),
                ],
            ],
        )
        .fixed(&[
            ("form", "heavy_ball"),
            ("scale", "none"),
            ("newton_schulz.coefficients", "own"),
            ("newton_schulz.eps_added", "true"),
            ("auxiliary.eps", "0"),
        ])
        .aside(&[Deep, Named("embedding", "exclude_embeddings"), Listed("exclude_layers")]),
];
