//! `optimi`.

use super::Condition::{Off, On};
use super::Meaning::{Average, Both, Decides, Free, Lr, Number};
use super::{DECOUPLED_SGD, Meaning, Row, row};

const DECOUPLED_LR: &str = "optimi: weight decay independent of the size of the learning rate";

const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Free),       // as they were given: `beta1` and `beta2`
    ("decouple_wd", Free), // a condition reads it where it is
    ("decouple_lr", Meaning::Off(DECOUPLED_LR)),
    ("max_lr", Free), // only with `decouple_lr`
    ("kahan_sum", Free),
    ("foreach", Free),
    ("triton", Free),
    ("gradient_release", Free),
    ("setup", Free),
    ("step", Free),
    ("weight_decay", Number("weight_decay")),
];

/// With `dampening` the velocity is an average, which PyTorch begins with the first gradient and
/// optimi with 0.
const SGD: &[(&str, Meaning)] = &[("dampening", Decides), ("torch_init", Decides)];

const ADAM: &[(&str, Meaning)] =
    &[("beta1", Number("beta1")), ("beta2", Number("beta2")), ("eps", Number("eps"))];

const RADAM: &[(&str, Meaning)] =
    &[("beta1", Number("beta1")), ("beta2", Number("beta2")), ("eps", Number("eps_debiased"))];

pub(super) const ROWS: &[Row] = &[
    row("sgd").when(&[On("decouple_wd"), On("weight_decay")]).differs(DECOUPLED_SGD),
    row("sgd")
        .when(&[On("dampening"), On("torch_init")])
        .is("sgd", &[COMMON, SGD, &[("momentum", Both(["momentum", "dampening"]))]]),
    row("sgd")
        .when(&[On("dampening"), Off("torch_init")])
        .is("sgd", &[COMMON, SGD, &[("momentum", Average("momentum"))]]),
    row("sgd").is("sgd", &[COMMON, SGD, &[("momentum", Number("momentum"))]]),
    row("adam").when(&[On("decouple_wd")]).is("adamw", &[COMMON, ADAM]),
    row("adam").is("adam", &[COMMON, ADAM]),
    row("adamw").when(&[Off("decouple_wd"), Off("decouple_lr")]).is("adam", &[COMMON, ADAM]),
    row("adamw").is("adamw", &[COMMON, ADAM]),
    row("lion").is("lion", &[COMMON, &[("beta1", Number("beta1")), ("beta2", Number("beta2"))]]),
    // With `adam_wd` optimi 0.3.3 takes the proximal step all the same.
    row("adan").is("adan", &[COMMON, ADAM, &[("beta3", Number("beta3")), ("adam_wd", Free)]]),
    row("radam")
        .when(&[On("decouple_wd")])
        .is("radam", &[COMMON, RADAM])
        .fixed(&[("eps", "0"), ("decoupled_weight_decay", "true")]),
    row("radam").is("radam", &[COMMON, RADAM]).fixed(&[("eps", "0")]),
    row("stableadamw").is("adamw", &[COMMON, ADAM]).fixed(&[("stable", "true")]),
];
