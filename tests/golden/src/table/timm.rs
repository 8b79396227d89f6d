//! `timm`.

use super::Condition::{Deep, FirstTwoLarger, Is, LargestElsewhere, LrChanges, Off, On};
use super::Meaning::{
    Both, Decides, Free, Given, Lr, Number, NumberOrZero, Pair, Second, Switch, Switches, Triple,
    Word,
};
use super::reasons::WRAPPER;
use super::{ADAM, Aside, CAUTION, COEFFICIENTS, LR_IN_VELOCITY, Meaning, Row, SGD, row};

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

/// What AdamP and SGDP have in common.
const PROJECTED: &[(&str, Meaning)] = &[
    ("delta", Number("delta")),
    ("wd_ratio", Number("wd_ratio")),
    ("nesterov", Switch("nesterov")),
];

const FIRST_TWO: &str = "timm: factored are the first two of more dimensions; a stack of matrices here is one of the last two";
const LARGEST: &str = "timm: factored are the two largest dimensions; a stack of matrices here is one of the last two";
const BF16_MOMENT: &str = "timm: the first moment is kept in bf16";

const ADAFACTOR: &[(&str, Meaning)] = &[
    ("caution", Switch("cautious")),
    ("eps", Number("eps1")),
    ("clip_threshold", Number("clip_threshold")),
    ("decay_rate", Meaning::Negative("decay_rate")),
    ("beta1", NumberOrZero("beta1")),
    ("betas", Free), // `beta1` is the first of them
    ("weight_decay", Number("weight_decay")),
    ("relative_step", Decides),
    ("warmup_init", Decides),
    ("min_dim_size_to_factor", Meaning::OneMore("min_dim_size_to_factor")),
];

/// Where it finds the rate by itself.
const RELATIVE: &[(&str, Meaning)] =
    &[("scale_parameter", Switch("scale_parameter")), ("eps_scale", Number("eps2"))];

const BIG_VISION: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("caution", Switch("cautious")),
    ("min_dim_size_to_factor", Number("min_dim_size_to_factor")),
    ("decay_rate", Number("decay_rate")),
    ("decay_offset", Number("decay_offset")),
    ("beta2_cap", Number("beta2_cap")),
    ("momentum", NumberOrZero("beta1")),
    ("momentum_dtype", Free), // a condition reads it
    ("eps", Given("eps1")),
    ("clipping_threshold", NumberOrZero("clip_threshold")),
    ("unscaled_wd", Switch("fixed_decay")),
];

/// What big_vision's has not.
const OF_BIG_VISION: &[(&str, &str)] = &[
    ("relative_step", "false"),
    ("scale_parameter", "false"),
    ("momentum_of_update", "true"),
    ("cautious_xi", "0"),
];

/// Muon's, but for what a kernel is.
const MUON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Both(["weight_decay", "auxiliary.weight_decay"])),
    ("momentum", Number("momentum")),
    ("nesterov", Switches(["nesterov", "auxiliary.nesterov"])),
    ("ns_steps", Number("newton_schulz.steps")),
    ("ns_coefficients", COEFFICIENTS),
    ("safety_factor", Number("newton_schulz.safety")),
    ("adjust_lr_fn", Word("scale", SCALES)),
    ("normalize_spatial", Free), // a condition reads it
    ("fallback_lr_scale", Number("auxiliary.lr_ratio")),
    ("adamw_lr", Free), // another name of the same
    ("scale_eps", Switches(["newton_schulz.scaled_eps", "newton_schulz.eps_added"])),
    ("algo", Free),
    ("capturable", Free),
    ("verbose", Free),
];
const OF_MUON: &[(&str, Meaning)] = &[
    ("betas", Pair(["auxiliary.beta1", "auxiliary.beta2"])),
    ("eps", Both(["newton_schulz.eps", "auxiliary.eps"])),
];
const OF_ADAMUON: &[(&str, Meaning)] = &[
    ("conv_mode", Word("kernels", POSITIONS_IN_FULL)),
    ("betas", Second("beta2")), // those of its AdamW are in no run
    ("eps", Both(["newton_schulz.eps", "eps"])),
];

/// What Muon's step is multiplied by; nothing where it is `null`.
const SCALES: &[(&str, &str)] =
    &[("original", "original"), ("match_rms_adamw", "match_rms"), ("rms_to_rms", "spectral")];
const POSITIONS: &[(&str, &str)] = &[("flatten", "flattened"), ("batched", "positions")];
const POSITIONS_IN_FULL: &[(&str, &str)] =
    &[("flatten", "flattened"), ("batched", "positions_in_full")];
const OVER_POSITIONS: &str =
    "timm: the length of AdaMuon's step is over the root of the number of positions of a kernel";

/// What it does not take for a matrix.
const NO_MATRIX: &[Aside] = &[Aside::Narrow(4)];

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
    row("adafactor").when(&[FirstTwoLarger("min_dim_size_to_factor")]).differs(FIRST_TWO),
    row("adafactor")
        .when(&[On("relative_step"), On("warmup_init")])
        .is("adafactor", &[ADAFACTOR, RELATIVE, &[("lr", Meaning::LrIs(1e-6))]])
        .fixed(&[("warmup_init", "true"), ("scaled_decay", "true"), ("cautious_xi", "0")]),
    row("adafactor")
        .when(&[On("relative_step")])
        .is("adafactor", &[ADAFACTOR, RELATIVE, &[("lr", Meaning::LrIs(1e-2))]])
        .fixed(&[("scaled_decay", "true"), ("cautious_xi", "0")]),
    // A learning rate that is given is taken as it is.
    row("adafactor")
        .is(
            "adafactor",
            &[ADAFACTOR, &[("lr", Lr), ("scale_parameter", Free), ("eps_scale", Free)]],
        )
        .fixed(&[
            ("relative_step", "false"),
            ("scale_parameter", "false"),
            ("scaled_decay", "true"),
            ("cautious_xi", "0"),
        ]),
    row("adafactor_bv").when(&[LargestElsewhere("min_dim_size_to_factor")]).differs(LARGEST),
    row("adafactor_bv")
        .when(&[On("momentum"), Is("momentum_dtype", "torch.bfloat16")])
        .differs(BF16_MOMENT),
    // That of the weights by the rate over its greatest one is a decay by the rate.
    row("adafactor_bv")
        .when(&[On("corrected_weight_decay"), On("unscaled_wd")])
        .is(
            "adafactor",
            &[
                &[
                    ("weight_decay", Meaning::Over("weight_decay", "max_lr_snapshot")),
                    ("unscaled_wd", Free),
                ],
                BIG_VISION,
                COMMON,
            ],
        )
        .fixed(OF_BIG_VISION),
    row("adafactor_bv")
        .when(&[On("corrected_weight_decay"), On("weight_decay"), LrChanges])
        .differs(CORRECTED),
    row("adafactor_bv")
        .is("adafactor", &[BIG_VISION, COMMON, &[("weight_decay", Number("weight_decay"))]])
        .fixed(OF_BIG_VISION),
    row("adamuon")
        .when(&[Deep, Is("conv_mode", "batched"), On("normalize_spatial")])
        .differs(OVER_POSITIONS),
    row("adamuon")
        .when(&[Is("adjust_lr_fn", "match_rms_adamw")])
        .is("adamuon", &[OF_ADAMUON, MUON])
        .fixed(&[("debias", "false"), ("newton_schulz.eps_added", "false")])
        .aside(NO_MATRIX),
    row("adamuon")
        .is("adamuon", &[OF_ADAMUON, MUON])
        .fixed(&[("keep_norm", "false"), ("scale", "none")])
        .aside(NO_MATRIX),
    row("adamp").is(
        "adamp",
        &[COMMON, MOMENTS, PROJECTED, &[("eps", Both(["eps", "projection_eps"])), ("step", Free)]],
    ),
    row("lamb").is("lamb", &[LAMB, COMMON, MOMENTS]),
    // A gradient that is all zeros lets its weights decay at the whole rate there.
    row("lars")
        .is(
            "lars",
            &[
                COMMON,
                &[
                    ("lr", Lr),
                    ("momentum", Number("momentum")),
                    ("dampening", Number("dampening")),
                    ("weight_decay", Number("weight_decay")),
                    ("nesterov", Switch("nesterov")),
                    ("trust_coeff", Number("trust_coefficient")),
                    ("eps", Number("eps")),
                    ("trust_clip", Switch("trust_clip")),
                    ("always_adapt", Switch("adapt_without_decay")),
                ],
            ],
        )
        .fixed(&[("classic", "false")]),
    row("lookahead").differs(WRAPPER),
    row("muon")
        .when(&[On("normalize_spatial")])
        .is("muon", &[&[("conv_mode", Word("kernels", POSITIONS))], OF_MUON, MUON])
        .fixed(&[("scale", "none")])
        .aside(NO_MATRIX),
    row("muon")
        .is("muon", &[&[("conv_mode", Word("kernels", POSITIONS_IN_FULL))], OF_MUON, MUON])
        .fixed(&[("scale", "none")])
        .aside(NO_MATRIX),
    row("nvnovograd")
        .when(&[On("corrected_weight_decay"), On("decoupled_decay"), On("weight_decay")])
        .differs(CORRECTED),
    // Its average begins at the first gradient that is not all zeros, ours at the first.
    row("nvnovograd")
        .is(
            "novograd",
            &[
                COMMON,
                MOMENTS,
                &[
                    ("eps", Number("eps")),
                    ("grad_averaging", Switch("grad_averaging")),
                    ("amsgrad", Switch("amsgrad")),
                    ("decoupled_decay", Switch("decoupled_weight_decay")),
                    ("step", Free),
                ],
            ],
        )
        .fixed(&[("average_first", "true")]),
    row("sgdp").is(
        "sgdp",
        &[
            COMMON,
            PROJECTED,
            &[
                ("lr", Lr),
                ("momentum", Number("momentum")),
                ("dampening", Number("dampening")),
                ("weight_decay", Number("weight_decay")),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("mars").when(&[Is("mars_type", "lion")]).is("mars", MARS).fixed(&[
        ("lion", "true"),
        ("compare_with_zero", "false"),
        ("cautious_xi", "0"),
    ]),
    row("mars").is("mars", MARS).fixed(&[("compare_with_zero", "false"), ("cautious_xi", "0")]),
];
