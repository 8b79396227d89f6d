//! `optax`.

use super::Condition::{Deep, Is, LargestElsewhere, Off, On};
use super::Meaning::{
    Axes, Both, Decides, Free, Lr, Number, NumberOrZero, Pair, Ratio, Switch, Switches, Turns, Word,
};
use super::reasons::{ANY_SCHEDULE_FREE, COVERS, CURVATURE, WRAPPER};
use super::{COEFFICIENTS, Meaning, Row, row};

const LOW_PRECISION: &str = "optax: moments in another type than the parameters";
const LARGEST: &str = "optax: factored are the two largest dimensions; a stack of matrices here is one of the last two";
const BIASED: &str = "optax: a moment of AMSGrad keeps its bias";
const MASK_OF_RATIO: &str = "optax: the ratio of norms for some parameters only";
const MASK: &str = "optax: weight decay of some parameters only";

const BETAS: &[(&str, Meaning)] =
    &[("learning_rate", Lr), ("b1", Number("beta1")), ("b2", Number("beta2"))];

const ADAM: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("b1", Number("beta1")),
    ("b2", Number("beta2")),
    ("eps", Number("eps")),
    ("eps_root", Number("eps_root")),
    ("mu_dtype", Meaning::Off(LOW_PRECISION)),
];

const ADAMW: &[(&str, Meaning)] =
    &[("weight_decay", Number("weight_decay")), ("mask", Meaning::Off(MASK))];

/// Adam with Nesterov's step, which is NAdam.
const NADAM: &[(&str, &str)] = &[("constant_momentum", "true")];
const NADAMW: &[(&str, &str)] =
    &[("constant_momentum", "true"), ("decoupled_weight_decay", "true")];

const RMSPROP: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("decay", Number("rho")),
    ("initial_scale", Number("initial_accumulator_value")),
    ("eps_in_sqrt", Decides),
    ("centered", Switch("centered")),
    ("momentum", NumberOrZero("momentum")),
    ("nesterov", Switch("nesterov")),
    ("bias_correction", Switch("bias_correction")),
];

const MECHANIC: &str = "it is around another optimizer, and `Descent` has it (`Builder::mechanic`): \
     tests/tests/descent/golden.rs replays these runs";

const MUON: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("ns_coeffs", COEFFICIENTS),
    ("ns_steps", Number("newton_schulz.steps")),
    ("beta", Number("momentum")),
    ("eps", Both(["newton_schulz.eps", "auxiliary.eps"])),
    ("weight_decay", Number("weight_decay")),
    ("weight_decay_mask", Meaning::Off(MASK)),
    ("mu_dtype", Meaning::Off(LOW_PRECISION)),
    ("nesterov", Switches(["nesterov", "auxiliary.nesterov"])),
    ("adaptive", Switch("adaptive")),
    ("preconditioning", Word("newton_schulz.norm", NORMS)),
    ("adam_b1", Number("auxiliary.beta1")),
    ("adam_b2", Number("auxiliary.beta2")),
    ("adam_eps_root", Number("auxiliary.eps_root")),
    ("adam_weight_decay", Number("auxiliary.weight_decay")),
    ("adam_learning_rate", Ratio("auxiliary.lr_ratio", "learning_rate")),
    ("consistent_rms", Turns("rms", ("scale", "match_rms"))),
    ("dims", Free), // the axes as they were given
];
const NORMS: &[(&str, &str)] = &[
    ("frobenius", "frobenius"),
    ("spectral", "spectral"),
    ("aol", "aol"),
    ("schatten", "schatten"),
];
const OF_MUON: &[(&str, &str)] = &[("form", "corrected"), ("newton_schulz.eps_added", "true")];

const MOMO: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("lower_bound", Number("lower_bound")),
    ("weight_decay", Number("weight_decay")),
    ("adapt_lower_bound", Switch("adapt_lower_bound")),
];

const POLYAK: &[(&str, Meaning)] = &[
    ("max_learning_rate", Lr),
    ("scaling", Number("scaling")),
    ("f_min", Number("f_min")),
    ("eps", Number("eps")),
    ("variant", Decides),
];

const OPTIMISM: &[(&str, Meaning)] = &[("alpha", Number("alpha")), ("beta", Number("beta"))];
/// What its Schedule-Free optimizers have in common.
const SCHEDULE_FREE: &[(&str, Meaning)] = &[
    ("learning_rate", Lr),
    ("warmup_steps", NumberOrZero("warmup_steps")),
    ("weight_decay", NumberOrZero("weight_decay")),
    ("weight_lr_power", Number("weight_lr_power")),
    ("state_dtype", Free),
];

const SCHEDULE_FREE_SGD: &[&[(&str, Meaning)]] = &[SCHEDULE_FREE, &[("b1", Number("momentum"))]];

const SCHEDULE_FREE_ADAMW: &[&[(&str, Meaning)]] =
    &[SCHEDULE_FREE, &[("b1", Number("beta1")), ("b2", Number("beta2")), ("eps", Number("eps"))]];

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
    row("rmsprop")
        .when(&[On("eps_in_sqrt")])
        .is("rmsprop", &[RMSPROP, &[("eps", Number("eps_root"))]])
        .fixed(&[("eps", "0"), ("classic", "true")]),
    row("rmsprop")
        .is("rmsprop", &[RMSPROP, &[("eps", Number("eps"))]])
        .fixed(&[("classic", "true")]),
    row("adam").when(&[On("nesterov")]).is("nadam", &[ADAM, &[("nesterov", Decides)]]).fixed(NADAM),
    row("adam").is("adam", &[ADAM, &[("nesterov", Free)]]),
    row("adamw")
        .when(&[On("nesterov")])
        .is("nadam", &[ADAM, ADAMW, &[("nesterov", Decides)]])
        .fixed(NADAMW),
    row("adamw").is("adamw", &[ADAM, ADAMW, &[("nesterov", Free)]]),
    row("amsgrad").when(&[Off("bias_correction_mu")]).differs(BIASED),
    row("amsgrad").when(&[Off("bias_correction_nu")]).differs(BIASED),
    row("amsgrad")
        .is("adam", &[ADAM, &[("bias_correction_mu", Decides), ("bias_correction_nu", Decides)]])
        .fixed(&[("amsgrad", "true"), ("amsgrad_of_corrected", "true")]),
    row("lion").is(
        "lion",
        &[&[
            ("learning_rate", Lr),
            ("b1", Number("beta1")),
            ("b2", Number("beta2")),
            ("mu_dtype", Meaning::Off(LOW_PRECISION)),
            ("weight_decay", Number("weight_decay")),
            ("mask", Meaning::Off(MASK)),
        ]],
    ),
    row("sign_sgd").is("signsgd", &[&[("learning_rate", Lr)]]).fixed(&[("momentum", "0")]),
    row("signum").is(
        "signsgd",
        &[&[
            ("learning_rate", Lr),
            ("beta", Number("momentum")),
            ("accumulator_dtype", Meaning::Off(LOW_PRECISION)),
        ]],
    ),
    row("rprop")
        .is(
            "rprop",
            &[&[
                ("learning_rate", Lr),
                ("eta_minus", Number("eta_minus")),
                ("eta_plus", Number("eta_plus")),
                ("min_step_size", Number("min_step_size")),
                ("max_step_size", Number("max_step_size")),
            ]],
        )
        .fixed(&[("late", "true")]),
    row("adopt").is(
        "adopt",
        &[&[
            ("learning_rate", Lr),
            ("b1", Number("beta1")),
            ("b2", Number("beta2")),
            ("eps", Number("eps")),
            ("mu_dtype", Meaning::Off(LOW_PRECISION)),
            ("nesterov", Switch("nesterov")),
            ("use_clipping", Switch("clip")),
            ("clip_value_fn", Free), // the default, `x ** 0.25`
        ]],
    ),
    row("ademamix").is(
        "ademamix",
        &[&[
            ("learning_rate", Lr),
            ("b1", Number("beta1")),
            ("b2", Number("beta2")),
            ("b3", Number("beta3")),
            ("alpha", Number("alpha")),
            ("eps", Number("eps")),
            ("eps_root", Number("eps_root")),
            ("mu_dtype", Meaning::Off(LOW_PRECISION)),
            ("weight_decay", Number("weight_decay")),
            ("mask", Meaning::Off(MASK)),
        ]],
    ),
    row("adan")
        .is(
            "adan",
            &[&[
                ("learning_rate", Lr),
                ("b1", Number("beta1")),
                ("b2", Number("beta2")),
                ("b3", Number("beta3")),
                ("eps", Number("eps")),
                ("eps_root", Number("eps_root")),
                ("weight_decay", Number("weight_decay")),
                ("mask", Meaning::Off(MASK)),
            ]],
        )
        .fixed(&[("small_difference", "true"), ("no_prox", "true")]),
    // The weight of a gradient is an f32 even in f64 runs.
    row("madgrad")
        .is(
            "madgrad",
            &[&[
                ("learning_rate", Lr),
                ("momentum", Number("momentum")),
                ("eps", Number("eps")),
                ("weight_decay", Number("weight_decay")),
            ]],
        )
        .low_precision(),
    row("nadam").is("nadam", &[ADAM, &[("nesterov", Decides)]]).fixed(NADAM),
    row("nadamw").is("nadam", &[ADAM, ADAMW, &[("nesterov", Decides)]]).fixed(NADAMW),
    row("adadelta").is(
        "adadelta",
        &[&[
            ("learning_rate", Lr),
            ("rho", Number("rho")),
            ("eps", Number("eps")),
            ("weight_decay", Number("weight_decay")),
            ("weight_decay_mask", Meaning::Off(MASK)),
        ]],
    ),
    row("adamax").is("adamax", &[BETAS, &[("eps", Number("eps"))]]),
    row("adamaxw")
        .is("adamax", &[BETAS, ADAMW, &[("eps", Number("eps"))]])
        .fixed(&[("decoupled_weight_decay", "true")]),
    row("radam")
        .is(
            "radam",
            &[
                BETAS,
                &[
                    ("eps", Number("eps_debiased")),
                    ("eps_root", Number("eps_root")),
                    ("threshold", Number("threshold")),
                    ("nesterov", Switch("nesterov")),
                ],
            ],
        )
        .fixed(&[("eps", "0")]),
    row("adabelief").is(
        "adabelief",
        &[
            BETAS,
            &[
                ("eps", Number("eps")),
                ("eps_root", Number("eps_root")),
                ("nesterov", Switch("nesterov")),
            ],
        ],
    ),
    row("yogi")
        .is("yogi", &[BETAS, &[("eps", Number("eps"))]])
        .fixed(&[("initial_momentum", "1e-6")]),
    row("acprop")
        .is("acprop", &[BETAS, ADAMW, &[("eps", Number("eps")), ("eps_root", Number("eps_root"))]]),
    row("optimistic_gradient_descent").is("optimistic_gd", &[&[("learning_rate", Lr)], OPTIMISM]),
    row("optimistic_adam_v2")
        .is("optimistic_adam", &[ADAM, OPTIMISM, &[("nesterov", Switch("nesterov"))]]),
    row("simplified_ademamix").is(
        "simplified_ademamix",
        &[
            BETAS,
            ADAMW,
            &[("alpha", Number("alpha")), ("eps", Number("eps")), ("eps_root", Number("eps_root"))],
        ],
    ),
    row("cocob").is(
        "cocob",
        &[&[
            ("learning_rate", Lr),
            ("alpha", Number("alpha")),
            ("eps", Number("eps")),
            ("weight_decay", Number("weight_decay")),
            ("mask", Meaning::Off(MASK)),
        ]],
    ),
    row("adafactor")
        .when(&[On("factored"), LargestElsewhere("min_dim_size_to_factor")])
        .differs(LARGEST),
    row("adafactor")
        .is(
            "adafactor",
            &[&[
                ("learning_rate", Lr),
                ("min_dim_size_to_factor", Number("min_dim_size_to_factor")),
                ("decay_rate", Number("decay_rate")),
                (
                    "decay_offset",
                    Meaning::Off("optax: before its step `decay_offset` its `β₂ₜ` is not a number"),
                ),
                ("multiply_by_parameter_scale", Switch("scale_parameter")),
                ("clipping_threshold", NumberOrZero("clip_threshold")),
                ("momentum", NumberOrZero("beta1")),
                ("dtype_momentum", Free),
                ("weight_decay_rate", NumberOrZero("weight_decay")),
                ("eps", Number("eps1")),
                ("factored", Switch("factored")),
                ("weight_decay_mask", Meaning::Off(MASK)),
            ]],
        )
        .fixed(&[("relative_step", "false"), ("fixed_decay", "true")]),
    row("dadapt_adamw")
        .is(
            "dadapt_adam",
            &[&[
                ("learning_rate", Lr),
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("estim_lr0", Number("d0")),
                ("weight_decay", Number("weight_decay")),
            ]],
        )
        .fixed(&[("bias_correction", "true"), ("decoupled_weight_decay", "true")]),
    row("dog").is(
        "dog",
        &[&[
            ("learning_rate", Lr),
            (
                "init_step",
                Meaning::Named(&[
                    ("heuristic", "init_scale"),
                    ("distance", "init_distance"),
                    ("learning_rate", "init_lr"),
                ]),
            ),
            ("eps", Number("eps")),
            ("weight_decay", NumberOrZero("weight_decay")),
            ("mask", Meaning::Off(MASK)),
        ]],
    ),
    row("dowg").is(
        "dowg",
        &[&[
            ("learning_rate", Lr),
            ("init_estim_sq_dist", NumberOrZero("init_sq_distance")),
            ("eps", Number("eps")),
            ("weight_decay", NumberOrZero("weight_decay")),
            ("mask", Meaning::Off(MASK)),
        ]],
    ),
    row("fromage").is("fromage", &[&[("learning_rate", Lr), ("min_norm", Number("min_norm"))]]),
    row("lamb").is(
        "lamb",
        &[&[
            ("learning_rate", Lr),
            ("b1", Number("beta1")),
            ("b2", Number("beta2")),
            ("eps", Number("eps")),
            ("eps_root", Number("eps_root")),
            ("weight_decay", Number("weight_decay")),
            ("mask", Free),
        ]],
    ),
    row("lars").when(&[Off("trust_ratio_mask")]).differs(MASK_OF_RATIO),
    row("lars").when(&[Off("weight_decay_mask"), On("weight_decay")]).differs(MASK),
    row("lars")
        .is(
            "lars",
            &[&[
                ("learning_rate", Lr),
                ("weight_decay", Number("weight_decay")),
                ("weight_decay_mask", Free), // a condition reads it
                ("trust_coefficient", Number("trust_coefficient")),
                ("eps", Number("eps")),
                ("trust_ratio_mask", Free), // a condition reads it
                ("momentum", Number("momentum")),
                ("nesterov", Switch("nesterov")),
            ]],
        )
        .fixed(&[("decay_in_norm", "true")]),
    row("lookahead").differs(WRAPPER),
    row("mechanize").differs(MECHANIC),
    row("momo").is("momo", &[MOMO, &[("beta", Number("beta"))]]),
    row("momo_adam").is(
        "momo_adam",
        &[MOMO, &[("b1", Number("beta1")), ("b2", Number("beta2")), ("eps", Number("eps"))]],
    ),
    row("muon")
        .when(&[On("muon_weight_dimension_numbers")])
        .is("muon", &[&[("muon_weight_dimension_numbers", Axes("kernels"))], MUON])
        .fixed(OF_MUON),
    row("muon")
        .is("muon", &[&[("muon_weight_dimension_numbers", Free)], MUON])
        .fixed(OF_MUON)
        .inputs_first(),
    row("novograd").is(
        "novograd",
        &[
            BETAS,
            &[
                ("eps", Number("eps")),
                ("eps_root", Number("eps_root")),
                ("weight_decay", Number("weight_decay")),
            ],
        ],
    ),
    row("polyak_sgd")
        .when(&[Is("variant", "sps+")])
        .is("polyak_sgd", &[POLYAK])
        .fixed(&[("sps_plus", "true")]),
    row("polyak_sgd").is("polyak_sgd", &[POLYAK]),
    row("prodigy")
        .is(
            "prodigy",
            &[&[
                ("learning_rate", Lr),
                ("betas", Pair(["beta1", "beta2"])),
                ("beta3", NumberOrZero("beta3")),
                ("eps", Number("eps")),
                ("estim_lr0", Number("d0")),
                ("estim_lr_coef", Number("d_coef")),
                ("weight_decay", Number("weight_decay")),
                ("safeguard_warmup", Switch("safeguard_warmup")),
            ]],
        )
        .fixed(&[("bias_correction", "true")]),
    row("schedule_free").differs(ANY_SCHEDULE_FREE),
    row("sm3").when(&[Deep]).differs(COVERS),
    row("sm3")
        .is("sm3", &[&[("learning_rate", Lr), ("momentum", Number("momentum"))]])
        .fixed(&[("eps", "1e-8")]),
    row("sophia").differs(CURVATURE),
    // The rate of a warm-up is computed in f32.
    row("schedule_free_sgd")
        .when(&[On("warmup_steps")])
        .is("schedule_free_sgd", SCHEDULE_FREE_SGD)
        .fixed(&[("warmup_from_zero", "true")])
        .low_precision(),
    row("schedule_free_sgd").is("schedule_free_sgd", SCHEDULE_FREE_SGD),
    row("schedule_free_adamw")
        .when(&[On("warmup_steps")])
        .is("schedule_free_adamw", SCHEDULE_FREE_ADAMW)
        .fixed(&[("warmup_from_zero", "true")])
        .low_precision(),
    row("schedule_free_adamw").is("schedule_free_adamw", SCHEDULE_FREE_ADAMW),
];
