//! `optimi`.

use super::Condition::{Off, On};
use super::Meaning::{Average, Both, Decides, Free, Lr, Number, Over, Switch};
use super::reasons::RANGER;
use super::{Meaning, Row, row};

const DECOUPLED_LR: &str = "optimi: weight decay independent of the size of the learning rate";

const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Free),  // as they were given: `beta1` and `beta2`
    ("max_lr", Free), // only with `decouple_lr`
    ("kahan_sum", Free),
    ("foreach", Free),
    ("triton", Free),
    ("gradient_release", Free),
    ("setup", Free),
    ("step", Free),
];

/// Weight decay where a condition has read what kind it is.
const DECAY: &[(&str, Meaning)] = &[
    ("weight_decay", Number("weight_decay")),
    ("decouple_wd", Free),
    ("decouple_lr", Meaning::Off(DECOUPLED_LR)),
];

/// With `dampening` the velocity is an average, which PyTorch begins with the first gradient and
/// optimi with 0.
const SGD: &[(&str, Meaning)] = &[
    ("dampening", Decides),
    ("torch_init", Decides),
    ("weight_decay", Number("weight_decay")),
    ("decouple_wd", Switch("decoupled_weight_decay")),
    ("decouple_lr", Meaning::Off(DECOUPLED_LR)),
];

const ADAM: &[(&str, Meaning)] =
    &[("beta1", Number("beta1")), ("beta2", Number("beta2")), ("eps", Number("eps"))];

const RADAM: &[(&str, Meaning)] =
    &[("beta1", Number("beta1")), ("beta2", Number("beta2")), ("eps", Number("eps_debiased"))];

pub(super) const ROWS: &[Row] = &[
    row("sgd")
        .when(&[On("dampening"), On("torch_init")])
        .is("sgd", &[COMMON, SGD, &[("momentum", Both(["momentum", "dampening"]))]]),
    row("sgd")
        .when(&[On("dampening"), Off("torch_init")])
        .is("sgd", &[COMMON, SGD, &[("momentum", Average("momentum"))]]),
    row("sgd").is("sgd", &[COMMON, SGD, &[("momentum", Number("momentum"))]]),
    row("adam").when(&[On("decouple_wd")]).is("adamw", &[COMMON, DECAY, ADAM]),
    row("adam").is("adam", &[COMMON, DECAY, ADAM]),
    row("adamw").when(&[Off("decouple_wd"), Off("decouple_lr")]).is("adam", &[COMMON, DECAY, ADAM]),
    // `weight_decay` is that of the greatest rate, whatever that is.
    row("adamw").when(&[On("decouple_lr")]).is(
        "adamw",
        &[
            COMMON,
            ADAM,
            &[
                ("weight_decay", Over("weight_decay", "max_lr")),
                ("decouple_wd", Free),
                ("decouple_lr", Decides),
            ],
        ],
    ),
    row("adamw").is("adamw", &[COMMON, DECAY, ADAM]),
    row("lion")
        .is("lion", &[COMMON, DECAY, &[("beta1", Number("beta1")), ("beta2", Number("beta2"))]]),
    // With `adam_wd` optimi 0.3.3 takes the proximal step all the same.
    row("adan")
        .is("adan", &[COMMON, DECAY, ADAM, &[("beta3", Number("beta3")), ("adam_wd", Free)]]),
    row("radam")
        .when(&[On("decouple_wd")])
        .is("radam", &[COMMON, DECAY, RADAM])
        .fixed(&[("eps", "0"), ("decoupled_weight_decay", "true")]),
    row("radam").is("radam", &[COMMON, DECAY, RADAM]).fixed(&[("eps", "0")]),
    row("stableadamw").is("adamw", &[COMMON, DECAY, ADAM]).fixed(&[("stable", "true")]),
    row("ranger").differs(RANGER),
];
