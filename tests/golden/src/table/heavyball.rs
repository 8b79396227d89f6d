//! `heavyball`.

use super::Condition::{Deep, MoreThan, On};
use super::Meaning::{Decides, First, Free, Lr, Number, NumberOr, Off, Pair, Second, Switch};
use super::{CAUTION, Meaning, Row, row};

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("cautious_weight_decay", Off("heavyball: weights decay where sign bits are the same")),
    ("caution", Off(CAUTION)),
    ("warmup_steps", Off("heavyball: a warm-up of the learning rate")),
    ("mars", Off("heavyball: MARS around another rule")),
    ("mars_gamma", Free), // only with `mars`
    ("palm", Off("heavyball: PaLM's decay of the second moment")),
    ("beta2_scale", Free), // only with `palm`
    ("gradient_clipping", Off("heavyball: gradients are clipped")),
    ("update_clipping", Off("heavyball: steps are clipped")),
    ("ecc", Off("heavyball: states in few bits")),
    ("param_ecc", Off("heavyball: weights in few bits")),
    // how it computes, and where it is
    ("multi_tensor", Free),
    ("storage_dtype", Free),
    ("compile_step", Free),
    ("promote", Free),
    ("orig_shapes", Free),
    ("_orig_shapes", Free),
    ("__class__", Free),
    ("param_count", Free),
    ("is_preconditioning", Free),
    ("base_lr", Free),
    ("prev_lr", Free),
    ("step_count", Free),
    ("step", Free),
];

const MUON: &[(&str, Meaning)] = &[
    ("betas", First("momentum")),
    ("eps", Free), // only of Adam
    ("nesterov", Switch("nesterov")),
    ("heavyball_momentum", Decides),
];

pub(super) const ROWS: &[Row] = &[
    // Its direction is the gradient over the root of the second moment.
    row("hyperball_adamw")
        .is("adamh", &[COMMON, &[("betas", Second("beta2")), ("eps", Number("clamp_eps"))]])
        .fixed(&[("beta1", "0"), ("eps", "0")]),
    row("muon")
        .when(&[On("heavyball_momentum")])
        .is("muon", &[MUON, COMMON])
        .fixed(&[("form", "heavy_ball"), ("newton_schulz.coefficients", "quintic")]),
    row("muon")
        .is("muon", &[MUON, COMMON])
        .fixed(&[("form", "added"), ("newton_schulz.coefficients", "quintic")]),
    row("soap").when(&[MoreThan("precondition_frequency", 2.0)]).differs(
        "heavyball: a basis is made when a sum of reciprocals of its frequency passes a whole number, which rounding \
         shifts: for 3 in the calls 3, 7, 9, 12, 16 and 19",
    ),
    row("soap")
        .when(&[Deep, On("merge_dims")])
        .differs("heavyball: a tensor of more dimensions is merged into two"),
    row("soap")
        .is(
            "soap",
            &[
                COMMON,
                &[
                    ("betas", Pair(["beta1", "beta2"])),
                    ("shampoo_beta", Number("shampoo_beta")),
                    ("eps", Number("clamp_eps")),
                    ("precondition_frequency", NumberOr("precondition_frequency", 2.0)),
                    ("use_precond_schedule", Off("heavyball: bases are made more and more seldom")),
                    ("max_precond_dim", Number("max_precondition_dim")),
                    ("precondition_1d", Switch("precondition_1d")),
                    ("merge_dims", Free), // of more than two dimensions
                    ("split", Off("heavyball: a tensor is split")),
                    ("precond_grad_accum", Off("heavyball: factors are of several gradients")),
                ],
            ],
        )
        .fixed(&[
            ("eps", "0"),
            ("lift", "1e-8"),
            ("count_first", "true"),
            ("decay_first", "true"),
        ]),
];
