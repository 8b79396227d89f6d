//! `optax`.

use super::Condition::{LrChanges, Off, On};
use super::Meaning::{Decides, Free, Lr, Number, NumberOrZero, Switch};
use super::{LR_IN_VELOCITY, Meaning, Row, row};

const LOW_PRECISION: &str = "optax: moments in another type than the parameters";
const NESTEROV: &str = "optax: Adam with Nesterov's step is NAdam";
const MASK: &str = "optax: weight decay of some parameters only";

const ADAM: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("b1", Number("beta1")),
    ("b2", Number("beta2")),
    ("eps", Number("eps")),
    ("eps_root", Number("eps_root")),
    ("mu_dtype", Meaning::Off(LOW_PRECISION)),
    ("nesterov", Meaning::Off(NESTEROV)),
];

const RMSPROP: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("decay", Number("rho")),
    ("initial_scale", Number("initial_accumulator_value")),
    ("eps_in_sqrt", Decides),
    ("centered", Switch("centered")),
    ("momentum", NumberOrZero("momentum")),
    ("nesterov", Meaning::Off("optax: RMSProp with Nesterov's step")),
    ("bias_correction", Meaning::Off("optax: RMSProp whose averages are corrected for bias")),
];

pub(super) const ROWS: &[Row] = &[
    row("sgd").when(&[Off("momentum")]).is(
        "sgd",
        &[&[
            ("learning_rate", Lr),
            ("momentum", Free),
            ("nesterov", Free),
            ("accumulator_dtype", Free),
        ]],
    ),
    row("sgd").is(
        "sgd",
        &[&[
            ("learning_rate", Lr),
            ("momentum", Number("momentum")),
            ("nesterov", Switch("nesterov")),
            ("accumulator_dtype", Meaning::Off(LOW_PRECISION)),
        ]],
    ),
    row("adagrad")
        .is(
            "adagrad",
            &[&[
                ("learning_rate", Lr),
                ("initial_accumulator_value", Number("initial_accumulator_value")),
                ("eps", Number("eps_root")),
            ]],
        )
        .fixed(&[("eps", "0")]),
    row("rmsprop").when(&[On("momentum"), LrChanges]).differs(LR_IN_VELOCITY),
    row("rmsprop")
        .when(&[On("eps_in_sqrt")])
        .is("rmsprop", &[RMSPROP, &[("eps", Number("eps_root"))]])
        .fixed(&[("eps", "0")]),
    row("rmsprop").is("rmsprop", &[RMSPROP, &[("eps", Number("eps"))]]),
    row("adam").is("adam", &[ADAM]),
    row("adamw").is(
        "adamw",
        &[ADAM, &[("weight_decay", Number("weight_decay")), ("mask", Meaning::Off(MASK))]],
    ),
    row("amsgrad").differs(
        "optax: AMSGrad takes the maximum over the bias-corrected v; ours, like PyTorch's and \
         Keras', over the raw one",
    ),
];
