//! The program in `oracle/`, which calls options as they are called here, but for a few.

use super::Meaning::{Both, Free, Lr, Number, NumberOr, Switch, Word};
use super::{Meaning, Row, row};

/// How a matrix is made orthogonal.
const NEWTON_SCHULZ: &[(&str, Meaning)] = &[
    (
        "coefficients",
        Word(
            "newton_schulz.coefficients",
            &[
                ("jordan", "jordan"),
                ("quintic", "quintic"),
                ("polar_express", "polar_express"),
                ("polar_express_deployed", "deployed"),
                ("deepseek", "deepseek"),
            ],
        ),
    ),
    ("ns_steps", Number("newton_schulz.steps")),
    ("norm", Word("newton_schulz.norm", &[("frobenius", "frobenius"), ("spectral", "spectral")])),
    ("safety", Number("newton_schulz.safety")),
    ("ns_eps", Number("newton_schulz.eps")),
    ("eps_added", Switch("newton_schulz.eps_added")),
    ("gram", Switch("newton_schulz.gram")),
];

/// The learning rate and the momentum of the family of Muon.
const MOMENTUM: &[(&str, Meaning)] = &[("lr", Lr), ("momentum", Number("momentum"))];

const SCALE: &[(&str, Meaning)] = &[(
    "scale",
    Word(
        "scale",
        &[("original", "original"), ("match_rms", "match_rms"), ("spectral", "spectral")],
    ),
)];

const NESTEROV: &[(&str, Meaning)] = &[("nesterov", Switch("nesterov"))];
const WEIGHT_DECAY: &[(&str, Meaning)] = &[("weight_decay", Number("weight_decay"))];

/// NorMuon and AdaMuon have one form of the momentum.
const AVERAGE: &[(&str, Meaning)] = &[("form", Free)];

/// What divides their steps.
const SECOND_MOMENT: &[(&str, Meaning)] = &[("beta2", Number("beta2")), ("eps", Number("eps"))];

const BETAS: &[(&str, Meaning)] = &[("beta1", Number("beta1")), ("beta2", Number("beta2"))];

const DION2: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("fraction", Number("fraction")),
    ("ef_decay", Number("ef_decay")),
    ("weight_decay", Number("weight_decay")),
    ("eps", Number("newton_schulz.eps")),
];

const PSGD_PRO: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("momentum", Number("momentum")),
    ("beta_lip", Number("beta_lip")),
    ("precond_lr", Number("precond_lr")),
    ("min_precond_lr", Number("min_precond_lr")),
    ("warmup_steps", Number("warmup_steps")),
    ("damping", Number("damping_noise_scale")),
    ("precond_init_scale", Number("precond_init_scale")),
    ("max_update_rms", Number("max_update_rms")),
    ("max_size", NumberOr("max_size", 8192.0)),
];

pub(super) const ROWS: &[Row] = &[
    row("muon").is(
        "muon",
        &[
            MOMENTUM,
            NESTEROV,
            NEWTON_SCHULZ,
            SCALE,
            WEIGHT_DECAY,
            &[
                (
                    "form",
                    Word(
                        "form",
                        &[
                            ("average", "average"),
                            ("heavy_ball", "heavy_ball"),
                            ("corrected", "corrected"),
                        ],
                    ),
                ),
                ("cautious_decay", Switch("cautious_decay")),
            ],
        ],
    ),
    row("normuon").is(
        "normuon",
        &[
            MOMENTUM,
            NESTEROV,
            NEWTON_SCHULZ,
            SCALE,
            WEIGHT_DECAY,
            AVERAGE,
            SECOND_MOMENT,
            &[
                ("keep_norm", Switch("keep_norm")),
                (
                    "axis",
                    Word("axis", &[("rows", "rows"), ("columns", "columns"), ("longer", "longer")]),
                ),
            ],
        ],
    ),
    row("adamuon").is(
        "adamuon",
        &[
            MOMENTUM,
            NESTEROV,
            NEWTON_SCHULZ,
            WEIGHT_DECAY,
            AVERAGE,
            SECOND_MOMENT,
            &[("sign", Switch("sign")), ("debias", Switch("debias"))],
        ],
    ),
    row("scion_spectral")
        .is(
            "scion",
            &[
                MOMENTUM,
                NEWTON_SCHULZ,
                &[
                    ("max_scale", Switch("max_scale")),
                    ("radius", Number("radius")),
                    ("constraint", Switch("constraint")),
                ],
            ],
        )
        .fixed(&[("norm", "spectral")]),
    row("soap").is(
        "soap",
        &[
            BETAS,
            WEIGHT_DECAY,
            &[
                ("lr", Lr),
                ("shampoo_beta", Number("shampoo_beta")),
                ("eps", Number("eps")),
                ("precondition_frequency", Number("precondition_frequency")),
                ("max_precondition_dim", Number("max_precondition_dim")),
                ("merge_dims", Switch("merge_dims")),
                ("correct_bias", Switch("correct_bias")),
                ("normalize_gradient", Switch("normalize_gradient")),
                ("kl", Switch("kl")),
                ("kl_eps", Number("kl_eps")),
            ],
        ],
    ),
    row("shampoo")
        .is(
            "shampoo",
            &[
                BETAS,
                WEIGHT_DECAY,
                &[
                    ("lr", Lr),
                    ("correct_bias", Switch("correct_bias")),
                    ("root_eps", Number("root_eps")),
                    ("exponent", Number("exponent_override")),
                    ("precondition_frequency", Number("precondition_frequency")),
                    ("graft", Word("graft", &[("none", "none"), ("adam", "adam")])),
                    ("graft_beta2", Number("graft_beta2")),
                    ("graft_eps", Number("graft_eps")),
                ],
            ],
        )
        .fixed(&[("matrix_eps", "0"), ("decoupled_weight_decay", "true")]),
    row("dash")
        .is(
            "dash",
            &[
                BETAS,
                WEIGHT_DECAY,
                &[
                    ("lr", Lr),
                    (
                        "roots",
                        Word(
                            "inverse_root_method",
                            &[("newton_db", "newton_db"), ("eigh", "eigh")],
                        ),
                    ),
                    ("newton_steps", Number("newton_steps")),
                    ("eps", Number("eps")),
                    ("matrix_eps", Number("matrix_eps")),
                ],
            ],
        )
        .fixed(&[("precondition_frequency", "1"), ("matrix_scaling", "frobenius")]),
    row("kron").is(
        "kron",
        &[
            WEIGHT_DECAY,
            &[
                ("lr", Lr),
                ("b1", Number("b1")),
                ("probability", Both(["max_prob", "min_prob"])),
                ("max_size_triangular", Number("max_size_triangular")),
                (
                    "merge",
                    Word("merge", &[("closest", "closest"), ("last", "last"), ("none", "none")]),
                ),
                ("precond_lr", Number("precond_lr")),
                ("precond_init_scale", Number("precond_init_scale")),
            ],
        ],
    ),
    row("dion2").is("dion2", &[DION2, SCALE]),
    row("psgd_pro").is("psgd_pro", &[PSGD_PRO]),
];
