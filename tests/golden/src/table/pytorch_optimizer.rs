//! `pytorch_optimizer`.

use super::Condition::{Deep, Is, LrChanges, MoreThan, NullSpace, Off, On, Several};
use super::Meaning::{
    Both, Decides, Flag, Free, Given, GivenLr, GivenNumber, Inside, Lr, LrAnd, Number,
    NumberOrZero, Numbered, OrSecond, Pair, Ratio, Switch, Triple, Word,
};
use super::reasons::{ANY_SCHEDULE_FREE, COVERS, CURVATURE, MATRIX, NULL_SPACE, RANGER, WRAPPER};
use super::{
    AUXILIARY_OF_GALORE, CAUTION, CHANNELS, COEFFICIENTS, EPS_OF_GALORE, LATE_DECAY,
    LR_IN_VELOCITY, Meaning, OTHER_SIDE, PROJECTIONS, RMS_OF_TENSOR, Row, row,
};

const FIXED_DECAY: &str = "pytorch_optimizer: weight decay independent of the learning rate";

/// What its optimizers have in common.
const COMMON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Switch("decoupled_weight_decay")),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("maximize", Switch("maximize")),
    ("cautious", Meaning::Off(CAUTION)),
    ("foreach", Free),
    ("step", Free),
];

/// For those that are cautious here too: before [`COMMON`].
const CAUTIOUS: &[(&str, Meaning)] = &[("cautious", Switch("cautious"))];

/// What its Schedule-Free optimizers have in common.
const SCHEDULE_FREE: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("r", Number("r")),
    ("weight_lr_power", Number("weight_lr_power")),
    ("maximize", Switch("maximize")),
    ("train_mode", Free),
    ("weight_sum", Free),
    ("lr_max", Free),
    ("step", Free),
    ("foreach", Free),
];

const LAMB: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("rectify", Switch("rectify")),
    ("degenerated_to_sgd", Switch("degenerated_to_sgd")),
    ("n_sma_threshold", Given("threshold")),
    ("grad_averaging", Switch("grad_averaging")),
    ("adam", Meaning::Unless("adapt")),
    ("pre_norm", Free), // a condition reads it
    ("eps", Both(["eps", "norm_eps"])),
    ("adam_debias", Meaning::Unless("debias_rate")),
    ("adanorm", Meaning::Off(SCALED)),
    ("adanorm_r", Free), // only with `adanorm`
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const CLIPPED_LAMB: &[(&str, Meaning)] = &[("max_grad_norm", Number("max_grad_norm"))];
const UNCLIPPED_LAMB: &[(&str, Meaning)] = &[("max_grad_norm", Free)];
/// Where it is rectified it forgets a weight decay that is not decoupled.
const NO_DECAY: &[(&str, Meaning)] =
    &[("weight_decay", Free), ("weight_decouple", Free), ("fixed_decay", Free)];
const OF_LAMB: &[(&str, &str)] = &[("bias_correction", "false"), ("max_weight_norm", "10")];

const BASE_LR: &str =
    "pytorch_optimizer: the bounds follow the learning rate, from one that the file does not say";

/// What Muon and its relatives have in common: matrices, and the AdamW of others.
const MUON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("ns_steps", Number("newton_schulz.steps")),
    ("ns_coeffs", COEFFICIENTS),
    ("use_adjusted_lr", Flag("scale", ["original", "match_rms"])),
    ("cautious", Meaning::Off(CAUTION)),
    ("use_muon", Decides),
    ("foreach", Free),
    ("step", Free),
    ("auxiliary.lr", Ratio("auxiliary.lr_ratio", "lr")),
    ("auxiliary.betas", Pair(["auxiliary.beta1", "auxiliary.beta2"])),
    ("auxiliary.eps", Number("auxiliary.eps")),
    ("auxiliary.weight_decay", Number("auxiliary.weight_decay")),
    ("auxiliary.weight_decouple", Decides),
    ("auxiliary.use_muon", Free),
    ("auxiliary.foreach", Free),
    ("auxiliary.step", Free),
    // as they were given
    ("adamw_lr", Free),
    ("adamw_betas", Free),
    ("adamw_wd", Free),
    ("adamw_eps", Free),
];
const NESTEROV: &[(&str, Meaning)] =
    &[("momentum", Number("momentum")), ("nesterov", Switch("nesterov"))];
const OF_MUON: &[(&str, Meaning)] = &[("ns_method", Free), ("ns_reset_steps", Free)]; // the same but for rounding

/// The AdamW of Muon and its relatives, where there is no matrix.
const MUONS_ADAMW: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("use_muon", Free),
    ("foreach", Free),
    ("step", Free),
];

const LOGITS: &str = "pytorch_optimizer: after Muon's step queries and keys are scaled by the greatest logits of attention, \
     which are no part of an update rule; the tests of QkClip replay it";

/// Scion's norms.
const LAYER_NORMS: &[(f64, &str)] = &[
    (1.0, "auto"),
    (2.0, "spectral"),
    (3.0, "spectral"),
    (4.0, "sign"),
    (6.0, "column"),
    (7.0, "row"),
];

/// What `pytorch_optimizer` adds to a second moment under its root.
const EPS_OF_V: &str = "1e-15";

const BIASED: &str = "pytorch_optimizer: the first moment keeps its bias";
const SCALED: &str = "pytorch_optimizer: gradients are scaled by an average norm";

/// A weight decay that is not decoupled, which some forget: it is added to a gradient that has been used.
const FORGOTTEN_DECAY: &[(&str, Meaning)] = &[("weight_decay", Free)];
const EITHER_WAY: &[(&str, Meaning)] = &[("weight_decouple", Free)];

const RADAM: &[(&str, Meaning)] = &[
    ("eps", Number("eps")),
    ("n_sma_threshold", Given("threshold")),
    ("degenerated_to_sgd", Switch("degenerated_to_sgd")),
];

const GRAMS: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Free),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const CENTRED: &str =
    "pytorch_optimizer: gradients are centred, which is no part of the update rule here";

const DECAYED_NORM: &str = "pytorch_optimizer: the norm of all gradients has the weight decay of the tensors up to \
     the one that is stepped; ours has that of all";

/// What the relatives of Adam have in common.
const MOMENTS: &[(&str, Meaning)] = &[
    ("betas", Pair(["beta1", "beta2"])),
    ("adam_debias", Meaning::Off(BIASED)),
    ("adanorm", Meaning::Off(SCALED)),
    ("adanorm_r", Free), // only with `adanorm`
];

const BF16_MOMENT: &str = "pytorch_optimizer: the first moment is kept in bf16";

const ADAFACTOR: &[(&str, Meaning)] = &[
    ("betas", Meaning::PairOr(["beta1", "beta2_cap"], 0.0)),
    ("decay_rate", Meaning::Negative("decay_rate")),
    ("clip_threshold", Given("clip_threshold")),
    ("ams_bound", Switch("ams_bound")),
    ("scale_parameter", Switch("scale_parameter")),
    ("relative_step", Decides),
    ("warmup_init", Decides),
    ("eps1", Number("eps1")),
    ("eps2", Number("eps2")),
    ("momentum_dtype", Free), // a condition reads it
    ("cautious", Switch("cautious")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

/// Weight decay as it has it, for those that may let it be independent of the learning rate here too.
const DECAYS: &[(&str, Meaning)] = &[
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Switch("decoupled_weight_decay")),
    ("fixed_decay", Switch("fixed_decay")),
];

const LAPROP: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps_hat")),
    ("weight_decay", Number("weight_decay")),
    ("centered", Switch("centered")),
    ("steps_before_using_centered", Given("steps_before_using_centered")),
    ("weight_decouple", Free), // a condition reads it
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("ams_bound", Switch("amsgrad")),
    ("maximize", Switch("maximize")),
    ("cautious", Switch("cautious")),
    ("foreach", Free),
    ("step", Free),
];

const ADEMAMIX: &[(&str, Meaning)] = &[
    ("betas", Triple(["beta1", "beta2", "beta3"])),
    ("alpha", Number("alpha")),
    ("eps", Number("eps")),
    ("stable_adamw", Meaning::Off(RMS_OF_TENSOR)),
];

const SIMPLIFIED: &[(&str, Meaning)] = &[
    ("betas", Pair(["beta1", "beta2"])),
    ("alpha", Number("alpha")),
    ("beta1_warmup", NumberOrZero("beta1_warmup")),
    ("min_beta1", Number("min_beta1")),
    ("eps", Number("eps")),
];

const AVERAGED: &[(&str, &str)] = &[("average", "true"), ("debias_twice", "true")];

const BCOS: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("beta", Number("beta")),
    ("beta2", NumberOrZero("beta2")),
    ("mode", Free), // a condition reads it
    ("simple_cond", Given("simple")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Free), // a condition reads it
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const GROKFAST: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("normalize_lr", Free), // `lr` has been divided already
    ("grokfast", Decides),
    ("grokfast_alpha", Number("grokfast_alpha")),
    ("grokfast_after_step", Number("grokfast_after_step")),
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const MARS: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("eps", Number("eps_hat")),
    ("gamma", Number("gamma")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("ams_bound", Switch("amsgrad")),
    ("cautious", Switch("cautious")),
    ("mars_type", Decides),
    ("optimize_1d", Switch("optimize_1d")),
    ("lr_1d", Free), // it is in `lr_1d_factor`
    ("lr_1d_factor", Number("lr_1d_factor")),
    ("betas_1d", Pair(["beta1_1d", "beta2_1d"])),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const MARS_DECAY: &[(&str, Meaning)] = &[("weight_decay_1d", Number("weight_decay_1d"))];

const SCALABLE_SHAMPOO: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("decoupled_weight_decay", Switch("decoupled_weight_decay")),
    ("decoupled_learning_rate", Switch("decoupled_learning_rate")),
    ("moving_average_for_momentum", Switch("moving_average_for_momentum")),
    ("nesterov", Switch("nesterov")),
    ("inverse_exponent_override", Given("inverse_exponent_override")),
    ("start_preconditioning_step", Given("start_preconditioning_step")),
    ("preconditioning_compute_steps", Given("preconditioning_compute_steps")),
    ("statistics_compute_steps", Given("statistics_compute_steps")),
    ("block_size", Given("block_size")),
    ("skip_preconditioning_rank_lt", Given("skip_preconditioning_rank_lt")),
    ("no_preconditioning_for_layers_with_dim_gt", Given("max_precondition_dim")),
    ("shape_interpretation", Free), // on in all files, and in `merging`
    ("graft_type", Word("graft", GRAFTS)),
    ("pre_conditioner_type", Meaning::Off("pytorch_optimizer: factors of one side only")),
    ("diagonal_eps", Given("diagonal_eps")),
    ("matrix_eps", Given("matrix_eps")),
    ("use_svd", Free), // without it, which a condition reads, the same roots in another way
    ("maximize", Switch("maximize")),
    ("step", Free),
];

const DASH: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("grafting_beta", OrSecond("grafting_beta", "betas")),
    ("weight_decay", Number("weight_decay")),
    ("block_size", Number("block_size")),
    ("precondition_frequency", Number("precondition_frequency")),
    ("start_preconditioning_step", Number("start_preconditioning_step")),
    ("inverse_root_method", Word("inverse_root_method", ROOTS)),
    ("matrix_scaling", Word("matrix_scaling", SCALINGS)),
    ("newton_steps", Number("newton_steps")),
    ("power_iteration_steps", Number("power_iteration_steps")),
    ("power_iteration_vectors", Number("power_iteration_vectors")),
    ("momentum", Number("momentum")),
    ("nesterov", Switch("nesterov")),
    ("correct_bias", Switch("correct_bias")),
    ("eps", Number("eps")),
    ("matrix_eps", Number("matrix_eps")),
    ("maximize", Switch("maximize")),
    ("step", Free),
];

const ROOTS: &[(&str, &str)] = &[("newton_db", "newton_db"), ("eigh", "eigh")];
const SCALINGS: &[(&str, &str)] = &[("power", "power"), ("frobenius", "frobenius")];

/// Whose steps those of its Scalable Shampoo are as long as.
const GRAFTS: &[(&str, &str)] =
    &[("0", "none"), ("1", "sgd"), ("2", "adagrad"), ("3", "rmsprop"), ("4", "sqrtn")];

const APOLLO: &[&[(&str, Meaning)]] = &[
    &[("weight_decouple", Free), ("weight_decay_type", Decides)],
    COMMON,
    &[
        ("init_lr", Number("init_lr")),
        ("beta", Number("beta")),
        ("rebound", Decides),
        ("warmup_steps", Given("warmup_steps")),
        ("eps", Number("eps")),
    ],
];

/// What GaLore and APOLLO have in common.
const LOW_RANK: &[(&str, Meaning)] = &[
    ("rank", Number("rank")),
    ("update_proj_gap", Number("update_proj_gap")),
    ("scale", Number("scale")),
    ("projection_type", Word("proj_type", PROJECTIONS)),
];

const GALORE: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const APOLLO_LOW_RANK: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("projection_type", Free), // a condition reads it
    ("scale_type", Word("scale_type", CHANNELS)),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("correct_bias", Switch("correct_bias")),
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

/// Before [`APOLLO_LOW_RANK`]: that is AdamW.
const WITHOUT_RANK: &[(&str, Meaning)] = &[
    ("eps", Number("eps_hat")),
    ("scale_type", Free),
    (
        "weight_decay",
        Meaning::Off("pytorch_optimizer: APOLLO's decay is corrected as its moments are"),
    ),
    ("correct_bias", Decides),
];

const LOW_RANK_STEP: &[(&str, &str)] =
    &[("low_rank_step", "true"), ("corrected_decay", "true"), ("early", "true")];

/// Apollo's warm-up, where none is given.
const POSTPONED: (&str, &str) = ("warmup_steps", "500");

const SAI: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("momentum", Number("momentum")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Switch("decoupled_weight_decay")),
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const TAM: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("momentum", Number("momentum")),
    ("decay_rate", Number("decay_rate")),
    ("weight_decay", Number("weight_decay")),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const RANGER21: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("beta0", Given("beta0")),
    ("betas", Pair(["beta1", "beta2"])),
    ("use_softplus", Given("use_softplus")),
    ("beta_softplus", Given("beta_softplus")),
    ("disable_lr_scheduler", Free),
    ("num_warm_up_iterations", Meaning::Off(OWN_WARM_UP)),
    ("num_warm_down_iterations", Meaning::Off(OWN_WARM_UP)),
    ("warm_down_min_lr", Given("warm_down_min_lr")),
    ("agc_clipping_value", Given("agc_clipping_value")),
    ("agc_eps", Given("agc_eps")),
    ("centralize_gradients", Given("centralize_gradients")),
    ("normalize_gradients", Given("normalize_gradients")),
    ("lookahead_merge_time", Given("lookahead_merge_time")),
    ("lookahead_blending_alpha", Given("lookahead_blending_alpha")),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Decides),
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("norm_loss_factor", Given("norm_loss_factor")),
    ("eps", Number("eps")),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const OWN_WARM_UP: &str =
    "pytorch_optimizer: Ranger21 with a length of its warm-up or warm-down that is given";

const FADAM: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("betas", Pair(["beta1", "beta2"])),
    ("weight_decay", Number("weight_decay")),
    ("clip", Number("clip")),
    ("p", Number("p")),
    ("eps", Number("eps")),
    ("eps_2", Number("eps2")),
    ("fdt", Free), // its states are in the precision of the weights
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

/// What AdamP and SGDP have in common.
const PROJECTION: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("weight_decouple", Free), // a condition reads it
    ("fixed_decay", Meaning::Off(FIXED_DECAY)),
    ("delta", Number("delta")),
    ("wd_ratio", Number("wd_ratio")),
    ("nesterov", Switch("nesterov")),
    (
        "use_gc",
        Meaning::Off(
            "pytorch_optimizer: gradients are centralised, which is no part of the update rule here",
        ),
    ),
    ("cautious", Meaning::Off(CAUTION)),
    ("maximize", Switch("maximize")),
    ("foreach", Free),
    ("step", Free),
];

const ADAMP: &[(&str, Meaning)] = &[("eps", Both(["eps_hat", "projection_eps"]))];

const SGDP: &[(&str, Meaning)] =
    &[("momentum", Number("momentum")), ("dampening", Number("dampening")), ("eps", Number("eps"))];

/// What its rules by D-Adaptation have in common, with what they remember.
const D_ADAPTATION: &[(&str, Meaning)] = &[
    ("d0", Given("d0")),
    ("d", Free),
    ("k", Free),
    ("g0_norm", Free),
    ("numerator_weighted", Free),
    ("gsq_weighted", Free),
    ("sk_sq_weighted", Free),
    ("sk_l1", Free),
];

const GROWTH: &[(&str, Meaning)] = &[("growth_rate", Meaning::Finite("growth_rate"))];

const ATAN2: &str = "pytorch_optimizer: an arc tangent instead of a division";

const PRODIGY: &[(&str, Meaning)] = &[
    ("betas", Pair(["beta1", "beta2"])),
    ("beta3", NumberOrZero("beta3")),
    ("d0", Number("d0")),
    ("d_coef", Number("d_coef")),
    ("growth_rate", Meaning::Finite("growth_rate")),
    ("bias_correction", Switch("bias_correction")),
    ("safeguard_warmup", Switch("safeguard_warmup")),
    ("eps", Number("eps")),
    // What it remembers.
    ("d", Free),
    ("d_max", Free),
    ("d_hat", Free),
    ("d_numerator", Free),
    ("d_de_nom", Free),
];

pub(super) const ROWS: &[Row] = &[
    row("sgdw").is(
        "sgd",
        &[&[
            ("lr", Lr),
            ("momentum", Number("momentum")),
            ("nesterov", Switch("nesterov")),
            ("maximize", Switch("maximize")),
            (
                "dampening",
                Meaning::Off("dampening, of which no trajectory has shown the first step"),
            ),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Switch("decoupled_weight_decay")),
            ("step", Free),
        ]],
    ),
    row("lion").is("lion", &[CAUTIOUS, COMMON, &[("betas", Pair(["beta1", "beta2"]))]]),
    row("signsgd").is("signsgd", &[COMMON, &[("momentum", Number("momentum"))]]),
    row("tiger").is("tiger", &[COMMON, &[("beta", Number("beta"))]]),
    row("adopt")
        .is("adopt", &[CAUTIOUS, COMMON, &[("betas", Pair(["beta1", "beta2"])), ("eps", Number("eps")), ("stable_adamw", Meaning::Off(RMS_OF_TENSOR))]])
        .fixed(&[("count_first", "true")]),
    row("ademamix").when(&[Off("t_alpha_beta3")]).is(
        "ademamix",
        &[COMMON, ADEMAMIX, &[("t_alpha_beta3", Free)]],
    ),
    row("ademamix").is(
        "ademamix",
        &[COMMON, ADEMAMIX, &[("t_alpha_beta3", Both(["alpha_warmup", "beta3_warmup"]))]],
    ),
    row("adan").is(
        "adan",
        &[&[
            ("lr", Lr),
            ("betas", Triple(["beta1", "beta2", "beta3"])),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Switch("no_prox")),
            ("max_grad_norm", Number("max_grad_norm")),
            ("eps", Number("eps")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("qhm")
        .is("qhm", &[COMMON, &[("momentum", Number("momentum")), ("nu", Number("nu"))]]),
    row("aggmo").is("aggmo", &[COMMON, &[("betas", Triple(["beta1", "beta2", "beta3"]))]]),
    row("pid").when(&[Off("momentum")]).is(
        "sgd",
        &[&[
            ("lr", Lr),
            ("momentum", Free),
            ("dampening", Free),
            ("derivative", Free),
            ("integral", Free),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Switch("decoupled_weight_decay")),
            ("fixed_decay", Meaning::Off(FIXED_DECAY)),
            ("maximize", Switch("maximize")),
            ("step", Free),
        ]],
    ),
    row("pid").is(
        "pid",
        &[
            COMMON,
            &[
                ("momentum", Number("momentum")),
                ("dampening", Number("dampening")),
                ("derivative", Number("derivative")),
                ("integral", Number("integral")),
            ],
        ],
    ),
    row("madgrad").is("madgrad", &[COMMON, &[("momentum", Number("momentum")), ("eps", Number("eps"))]]),
    row("adamax").is("adamax", &[COMMON, MOMENTS, &[("eps", Number("eps"))]]),
    row("adadelta").is("adadelta", &[COMMON, &[("rho", Number("rho")), ("eps", Number("eps"))]]),
    row("adabelief").is(
        "adabelief",
        &[
            COMMON,
            MOMENTS,
            &[
                ("eps", Both(["eps", "eps_root"])),
                ("rectify", Switch("rectify")),
                ("n_sma_threshold", Meaning::Off("pytorch_optimizer: AdaBelief rectified late")),
                ("degenerated_to_sgd", Given("degenerated_to_sgd")),
                ("ams_bound", Switch("amsgrad")),
            ],
        ],
    ),
    row("adabound").when(&[LrChanges]).differs(BASE_LR),
    row("adabound")
        .is(
            "adabound",
            &[
                COMMON,
                MOMENTS,
                &[
                    ("eps", Number("eps")),
                    ("final_lr", Number("final_lr")),
                    ("gamma", Number("gamma")),
                    ("ams_bound", Switch("amsbound")),
                ],
            ],
        )
        .fixed(&[("eps_root", EPS_OF_V)]),
    row("yogi").is(
        "yogi",
        &[
            COMMON,
            MOMENTS,
            &[
                ("eps", Number("eps")),
                ("initial_accumulator", Both(["initial_accumulator_value", "initial_momentum"])),
            ],
        ],
    ),
    row("laprop").when(&[LrChanges]).differs(LR_IN_VELOCITY),
    row("laprop")
        .when(&[Off("weight_decouple"), On("weight_decay")])
        .is("laprop", &[FORGOTTEN_DECAY, LAPROP])
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)])
        .low_precision(), // its step size
    row("laprop")
        .is("laprop", &[LAPROP])
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)])
        .low_precision(), // its step size
    row("qhadam").is(
        "qhadam",
        &[COMMON, MOMENTS, &[("eps", Number("eps")), ("nus", Pair(["nu1", "nu2"]))]],
    ),
    row("radam")
        .when(&[Off("weight_decouple"), On("weight_decay")])
        .is("radam", &[FORGOTTEN_DECAY, EITHER_WAY, COMMON, MOMENTS, RADAM]),
    row("radam").is("radam", &[COMMON, MOMENTS, RADAM]),
    row("stable_adamw").when(&[Off("weight_decouple"), On("weight_decay")]).differs(
        "pytorch_optimizer: weight decay of StableAdamW in the gradient; ours acts on the weights",
    ),
    row("stable_adamw")
        .is(
            "adamw",
            &[&[
                ("lr", Lr),
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("weight_decay", Number("weight_decay")),
                ("weight_decouple", Decides),
                ("fixed_decay", Meaning::Off(FIXED_DECAY)),
                ("kahan_sum", Free), // only in half precision
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ]],
        )
        .fixed(&[("stable", "true")]),
    row("mars").when(&[Is("mars_type", "shampoo")]).differs(MATRIX),
    row("mars").when(&[Off("weight_decouple"), On("weight_decay")]).differs(
        "pytorch_optimizer: weight decay of MARS that is not decoupled is added to the gradient that the \
         next step compares with, and to nothing else",
    ),
    row("mars")
        .when(&[Is("mars_type", "lion"), Off("weight_decouple")])
        .is("mars", &[MARS, &[("weight_decay_1d", Free)]])
        .fixed(&[("lion", "true"), ("weight_decay_1d", "0"), ("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("mars")
        .when(&[Off("weight_decouple")])
        .is("mars", &[MARS, &[("weight_decay_1d", Free)]])
        .fixed(&[("weight_decay_1d", "0"), ("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("mars")
        .when(&[Is("mars_type", "lion")])
        .is("mars", &[MARS, MARS_DECAY])
        .fixed(&[("lion", "true"), ("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("mars")
        .is("mars", &[MARS, MARS_DECAY])
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("schedulefree_sgd").is(
        "schedule_free_sgd",
        &[
            SCHEDULE_FREE,
            &[
                ("momentum", Number("momentum")),
                ("warmup_steps", Number("warmup_steps")),
                ("eps", Free),
            ],
        ],
    ),
    row("schedulefree_adamw").is(
        "schedule_free_adamw",
        &[
            SCHEDULE_FREE,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("warmup_steps", Number("warmup_steps")),
                ("decoupling_c", Number("decoupling_c")),
                ("ams_bound", Switch("amsgrad")),
                ("eps", Number("eps")),
                ("use_palm", Free), // it does nothing
            ],
        ],
    )
    .fixed(&[("eps_root", EPS_OF_V)]),
    row("schedulefree_radam").is(
        "schedule_free_radam",
        &[
            SCHEDULE_FREE,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("silent_sgd_phase", Switch("silent_sgd_phase")),
                ("eps", Number("eps")),
                ("use_palm", Free), // it does nothing
            ],
        ],
    ),
    row("schedulefree_wrapper_sgd").is(
        "schedule_free_sgd",
        &[&[
            ("lr", Lr),
            ("sf_momentum", Number("momentum")),
            ("sf_weight_decay", NumberOrZero("weight_decay")),
            // of the SGD inside
            ("momentum", Meaning::Off(ANY_SCHEDULE_FREE)),
            ("dampening", Free), // only with `momentum`
            ("weight_decay", Meaning::Off(ANY_SCHEDULE_FREE)),
            ("nesterov", Free), // only with `momentum`
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("differentiable", Free),
            ("fused", Free),
            ("step", Free),
            ("lr_max", Free),
            ("weight_sum", Free),
        ]],
    )
    .fixed(&[("decoupled_weight_decay", "true")]),
    row("grokfast_adamw").when(&[On("weight_decay"), Off("weight_decouple")]).differs(
        "pytorch_optimizer: weight decay of GrokFast-AdamW in the gradient; ours acts on the weights",
    ),
    row("grokfast_adamw")
        .when(&[Off("grokfast")])
        .is("grokfast_adamw", &[GROKFAST, &[("grokfast_lamb", Free)]])
        .fixed(&[("normalize_lr", "false"), ("grokfast_lamb", "0")]),
    row("grokfast_adamw")
        .is("grokfast_adamw", &[GROKFAST, &[("grokfast_lamb", Number("grokfast_lamb"))]])
        .fixed(&[("normalize_lr", "false")]), // its `lr` has been divided already
    row("accsgd").is(
        "accsgd",
        &[&[
            ("lr", Lr),
            ("kappa", Number("kappa")),
            ("xi", Number("xi")),
            ("constant", Number("constant")),
            ("weight_decay", Number("weight_decay")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    // Of groups that it has not been told to be normalised, as all here, it is AdamW.
    row("adamc").when(&[LrChanges]).differs(
        "pytorch_optimizer: AdamC without the groups that are normalised, which is AdamW",
    ),
    row("adamc").when(&[Off("weight_decouple"), On("weight_decay")]).differs(
        "pytorch_optimizer: weight decay of AdamC in the gradient; ours acts on the weights",
    ),
    row("adamc")
        .is(
            "adamc",
            &[&[
                ("lr", LrAnd("lr_max")),
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps_hat")),
                ("weight_decay", Number("weight_decay")),
                ("weight_decouple", Free),
                ("fixed_decay", Meaning::Off(FIXED_DECAY)),
                ("ams_bound", Meaning::Off("pytorch_optimizer: AdamC with AMSGrad")),
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ]],
        )
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("adamod")
        .is(
            "adamod",
            &[
                COMMON,
                &[
                    ("betas", Triple(["beta1", "beta2", "beta3"])),
                    ("eps", Number("eps_hat")),
                    ("adam_debias", Meaning::Off(BIASED)),
                ],
            ],
        )
        .fixed(&[("eps", "0")]),
    row("adapnm")
        .is(
            "adapnm",
            &[
                COMMON,
                &[
                    ("betas", Triple(["beta1", "beta2", "beta0"])),
                    ("eps", Number("eps_hat")),
                    ("ams_bound", Switch("amsgrad")),
                    ("adam_debias", Meaning::Off(BIASED)),
                    ("adanorm", Meaning::Off(SCALED)),
                    ("adanorm_r", Free), // only with `adanorm`
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("diffgrad")
        .is(
            "diffgrad",
            &[
                COMMON,
                MOMENTS,
                &[
                    ("eps", Number("eps_hat")),
                    ("rectify", Switch("rectify")),
                    ("n_sma_threshold", Meaning::Off("pytorch_optimizer: diffGrad rectified late")),
                    ("degenerated_to_sgd", Given("degenerated_to_sgd")),
                    ("ams_bound", Switch("amsgrad")),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("grams")
        .when(&[Off("weight_decouple"), On("weight_decay")])
        .is("grams", &[FORGOTTEN_DECAY, GRAMS]),
    row("grams").is("grams", &[GRAMS]),
    row("msvag").is(
        "msvag",
        &[&[
            ("lr", Lr),
            ("beta", Number("beta")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("padam")
        .is(
            "padam",
            &[
                COMMON,
                &[
                    ("betas", Pair(["beta1", "beta2"])),
                    ("partial", Number("partial")),
                    ("eps", Number("eps")),
                ],
            ],
        )
        .fixed(&[("amsgrad", "false")]),
    row("pnm").is("pnm", &[COMMON, &[("betas", Pair(["beta1", "beta0"]))]]),
    row("simplified_ademamix")
        .when(&[Off("beta1_warmup")])
        .is("simplified_ademamix", &[COMMON, SIMPLIFIED])
        .fixed(AVERAGED),
    // Its warm-up adds 1e-8 to every `beta1`.
    row("simplified_ademamix")
        .is("simplified_ademamix", &[COMMON, SIMPLIFIED])
        .fixed(AVERAGED)
        .low_precision(),
    row("ano").is(
        "ano",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("eps", Number("eps")),
                ("logarithmic_schedule", Given("logarithmic_schedule")),
            ],
        ],
    ),
    row("exadam")
        .is("exadam", &[COMMON, &[("betas", Pair(["beta1", "beta2"])), ("eps", Number("eps"))]]),
    row("kate").is("kate", &[COMMON, &[("delta", Number("delta")), ("eps", Number("eps"))]]),
    row("bcos").when(&[Off("weight_decouple"), On("weight_decay")]).differs(
        "pytorch_optimizer: weight decay of BCOS in the gradient; ours acts on the weights",
    ),
    row("bcos")
        .when(&[Is("mode", "m")])
        .is("bcos", &[BCOS])
        .fixed(&[("conditional", "false")]),
    row("bcos")
        .when(&[Is("mode", "g")])
        .is("bcos", &[BCOS])
        .fixed(&[("conditional", "false"), ("momentum", "false")]),
    row("bcos").is("bcos", &[BCOS]),
    row("adasmooth")
        .is("adasmooth", &[COMMON, &[("betas", Pair(["beta1", "beta2"])), ("eps", Number("eps"))]]),
    row("vsgd").is(
        "vsgd",
        &[
            COMMON,
            &[
                ("ghattg", Given("ghattg")),
                ("ps", Given("ps")),
                ("tau1", Number("tau1")),
                ("tau2", Number("tau2")),
                // what follows from `ghattg` and `ps`
                ("pa2", Free),
                ("pbg2", Free),
                ("pbhg2", Free),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("adafactor").when(&[Off("momentum_dtype")]).differs(BF16_MOMENT),
    row("adafactor")
        .when(&[On("relative_step"), On("warmup_init")])
        .is("adafactor", &[ADAFACTOR, DECAYS, &[("lr", Meaning::LrIs(1e-6))]])
        .fixed(&[("warmup_init", "true"), ("scaled_decay", "true")]),
    row("adafactor")
        .when(&[On("relative_step")])
        .is("adafactor", &[ADAFACTOR, DECAYS, &[("lr", Meaning::LrIs(1e-2))]])
        .fixed(&[("scaled_decay", "true")]),
    row("adafactor")
        .is("adafactor", &[ADAFACTOR, DECAYS, &[("lr", Lr)]])
        .fixed(&[("relative_step", "false"), ("scaled_decay", "true")]),
    row("adagc").when(&[Off("weight_decouple"), On("weight_decay"), Several]).differs(DECAYED_NORM),
    row("adagc").is(
        "adagc",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("beta", Number("beta")),
                ("lambda_abs", Number("lambda_abs")),
                ("lambda_rel", Number("lambda_rel")),
                ("warmup_steps", Number("warmup_steps")),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("adamg").is(
        "adamg",
        &[
            COMMON,
            &[
                ("betas", Triple(["beta1", "beta2", "beta3"])),
                ("p", Given("p")),
                ("q", Given("q")),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("focus").differs(
        "in its first step it follows the sign of `p − (1 − β₂) p / (1 − β₂)`, which is that of a \
         rounding error: no two implementations agree",
    ),
    row("srmm").differs(
        "its average of the weights begins at 0, so that its first step takes a third of every \
         weight away, whatever the gradient: it forgets how a network was initialised",
    ),
    row("adago").when(&[Off("use_muon")]).is("adamw", &[MUONS_ADAMW]),
    row("adago")
        .is(
            "adago",
            &[
                &[
                    ("gamma", Number("gamma")),
                    ("eps", Number("eps")),
                    ("v", Number("initial_accumulator_value")),
                ],
                NESTEROV,
                MUON,
            ],
        )
        .fixed(&[("root", "false")]),
    row("adahessian").differs(CURVATURE),
    row("adai").is(
        "adai",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta0", "beta2"])),
                ("stable_weight_decay", Switch("stable_weight_decay")),
                ("dampening", Number("dampening")),
                ("eps", Both(["eps", "least_mean"])),
                ("use_gc", Meaning::Off(CENTRED)),
            ],
        ],
    ),
    row("adalite").differs(
        "two softmaxes over rows and columns and a factored first moment: a step needs some fifteen sums of five \
         stages, one after another, and a rule here has nine of four",
    ),
    // Names such as those of the files, `p0`, make one block of each tensor.
    row("adam_mini")
        .is(
            "adam_mini",
            &[&[
                ("lr", Lr),
                ("betas", Pair(["beta1", "beta2"])),
                ("weight_decay", Meaning::Number("weight_decay")),
                ("eps", Number("eps")),
                ("maximize", Switch("maximize")),
                ("name", Free),
                // of models in several places, and of attention
                ("model_sharding", Free),
                ("num_embeds", Free),
                ("num_heads", Free),
                ("num_query_groups", Free),
                ("foreach", Free),
                ("step", Free),
                // a group for each parameter, all the same but for the name
                ("auxiliary.name", Free),
                ("auxiliary.lr", Free),
                ("auxiliary.betas", Free),
                ("auxiliary.eps", Free),
                ("auxiliary.weight_decay", Free),
                ("auxiliary.step", Free),
            ]],
        )
        .fixed(&[("whole_tensor", "true")])
        .low_precision(), // its moments
    row("adamp")
        .when(&[Off("weight_decouple"), On("weight_decay")])
        .is("adamp", &[FORGOTTEN_DECAY, PROJECTION, MOMENTS, ADAMP])
        .fixed(&[("eps", "0")]),
    row("adamp").is("adamp", &[PROJECTION, MOMENTS, ADAMP]).fixed(&[("eps", "0")]),
    row("adams").is(
        "adams",
        &[COMMON, MOMENTS, &[("eps", Number("eps")), ("ams_bound", Switch("amsgrad"))]],
    ),
    row("adamuon").when(&[Off("use_muon")]).is("adamw", &[MUONS_ADAMW]),
    row("adamuon").is(
        "adamuon",
        &[&[("betas", Pair(["momentum", "beta2"])), ("eps", Number("eps"))], MUON],
    ),
    row("adanorm")
        .is(
            "adanorm",
            &[
                COMMON,
                &[
                    ("betas", Pair(["beta1", "beta2"])),
                    ("r", Number("gamma")),
                    ("ams_bound", Switch("amsgrad")),
                    ("eps", Number("eps_hat")),
                    ("adam_debias", Meaning::Off(BIASED)),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("adashift").when(&[MoreThan("keep_num", 4.0)]).differs(
        "AdaShift that keeps more than four whole gradients: here it keeps four at most",
    ),
    row("adashift").is(
        "adashift",
        &[&[
            ("lr", Lr),
            ("betas", Pair(["beta1", "beta2"])),
            ("keep_num", Number("keep_num")),
            ("eps", Number("eps")),
            ("cautious", Meaning::Off(CAUTION)),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("adatam").is(
        "adatam",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("decay_rate", Number("decay_rate")),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("aida")
        .is(
            "aida",
            &[
                COMMON,
                MOMENTS,
                &[
                    ("k", Given("projections")),
                    ("xi", Given("xi")),
                    ("eps", Both(["eps_hat", "eps_root"])),
                    ("rectify", Switch("rectify")),
                    ("n_sma_threshold", Given("threshold")),
                    ("degenerated_to_sgd", Given("degenerated_to_sgd")),
                    ("ams_bound", Switch("amsgrad")),
                ],
            ],
        )
        .fixed(&[("eps", "0"), ("eps_root_hat", EPS_OF_V)]),
    row("amos").when(&[Deep]).differs(
        "pytorch_optimizer: Amos of a kernel counts the channels only, ours all inputs",
    ),
    row("amos").is(
        "amos",
        &[&[
            ("lr", Lr),
            ("beta", Number("beta")),
            ("momentum", Number("momentum")),
            ("extra_l2", Number("extra_l2")),
            ("c_coef", Given("c_coef")),
            ("d_coef", Given("d_coef")),
            ("eps", Number("eps")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("apollo_dqn").when(&[LrChanges]).differs(
        "pytorch_optimizer: Apollo's warm-up is to the first learning rate, not to that of the step",
    ),
    row("apollo_dqn")
        .when(&[Is("rebound", "belief"), Is("weight_decay_type", "decoupled")])
        .is("apollo_dqn", APOLLO)
        .fixed(&[POSTPONED, ("belief", "true"), ("decoupled_weight_decay", "true")]),
    row("apollo_dqn")
        .when(&[Is("rebound", "belief"), Is("weight_decay_type", "stable")])
        .is("apollo_dqn", APOLLO)
        .fixed(&[POSTPONED, ("belief", "true"), ("stable_decay", "true")]),
    row("apollo_dqn")
        .when(&[Is("rebound", "belief")])
        .is("apollo_dqn", APOLLO)
        .fixed(&[POSTPONED, ("belief", "true")]),
    row("apollo_dqn")
        .when(&[Is("weight_decay_type", "decoupled")])
        .is("apollo_dqn", APOLLO)
        .fixed(&[POSTPONED, ("decoupled_weight_decay", "true")]),
    row("apollo_dqn")
        .when(&[Is("weight_decay_type", "stable")])
        .is("apollo_dqn", APOLLO)
        .fixed(&[POSTPONED, ("stable_decay", "true")]),
    row("apollo_dqn").is("apollo_dqn", APOLLO).fixed(&[POSTPONED]),
    row("apollo_lowrank")
        .when(&[Off("rank"), On("correct_bias")])
        .is("adamw", &[WITHOUT_RANK, APOLLO_LOW_RANK])
        .fixed(&[("eps", "0"), ("weight_decay", "0")]),
    row("apollo_lowrank")
        .when(&[Is("projection_type", "std"), On("weight_decouple")])
        .is("apollo", &[APOLLO_LOW_RANK, LOW_RANK])
        .fixed(LOW_RANK_STEP),
    // Which is of the same sides.
    row("apollo_lowrank")
        .when(&[Is("projection_type", "random"), On("weight_decouple")])
        .is("apollo", &[APOLLO_LOW_RANK, LOW_RANK])
        .fixed(LOW_RANK_STEP),
    row("apollo_lowrank").differs(OTHER_SIDE),
    row("asgd_accelerated").when(&[LrChanges]).differs(
        "pytorch_optimizer: a new learning rate takes the place of the one that it has found; here it is a factor",
    ),
    row("asgd_accelerated")
        .is(
            "adsgd",
            &[
                &[
                    ("lr", GivenLr(0.01)),
                    ("amplifier", Number("amplifier")),
                    ("theta", GivenNumber("theta")),
                    ("dampening", Number("dampening")),
                    ("eps", Number("eps")),
                    // states
                    ("prev_param_norm", Free),
                    ("prev_grad_norm", Free),
                    ("curr_param_norm", Free),
                    ("curr_grad_norm", Free),
                ],
                COMMON,
            ],
        )
        .fixed(&[("of_norms", "true")]),
    row("avagrad").is(
        "avagrad",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("gamma", Free), // a state
                ("eps", Number("eps")),
                ("adam_debias", Meaning::Off(BIASED)),
            ],
        ],
    ),
    row("came").is(
        "came",
        &[
            DECAYS,
            &[
                ("lr", Lr),
                ("betas", Triple(["beta1", "beta2", "beta3"])),
                ("clip_threshold", Given("clip_threshold")),
                ("ams_bound", Switch("ams_bound")),
                ("eps1", Number("eps1")),
                ("eps2", Number("eps2")),
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ],
        ],
    ),
    row("dadapt_adagrad").is(
        "dadapt_adagrad",
        &[COMMON, D_ADAPTATION, GROWTH, &[("momentum", Number("momentum")), ("eps", Number("eps"))]],
    ),
    row("dadapt_adam").is(
        "dadapt_adam",
        &[
            COMMON,
            D_ADAPTATION,
            GROWTH,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("bias_correction", Switch("bias_correction")),
                ("eps", Number("eps")),
            ],
        ],
    ),
    row("dadapt_adan")
        .is(
            "dadapt_adan",
            &[
                &[("weight_decouple", Switch("no_prox"))],
                COMMON,
                D_ADAPTATION,
                GROWTH,
                &[("betas", Triple(["beta1", "beta2", "beta3"])), ("eps", Number("eps"))],
            ],
        )
        .fixed(&[("fourth_power", "true")]),
    row("dadapt_lion")
        .is("dadapt_lion", &[COMMON, D_ADAPTATION, &[("betas", Pair(["beta1", "beta2"]))]]),
    row("dadapt_sgd")
        .is("dadapt_sgd", &[COMMON, D_ADAPTATION, GROWTH, &[("momentum", Number("momentum"))]]),
    row("dash").is("dash", &[DASH]),
    row("fadam").is("fadam", &[FADAM]),
    row("fromage").is(
        "fromage",
        &[&[
            ("lr", Lr),
            ("p_bound", NumberOrZero("p_bound")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("ftrl")
        .is(
            "ftrl",
            &[&[
                ("lr", Lr),
                ("lr_power", Meaning::Negative("power")),
                ("beta", Number("beta")),
                ("lambda_1", Number("l1")),
                ("lambda_2", Number("l2")),
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ]],
        )
        .fixed(&[("root_in_rate", "true"), ("lazy", "false")]),
    row("galore").when(&[On("auxiliary.weight_decay")]).differs(LATE_DECAY),
    row("galore")
        .when(&[On("auxiliary.lr")])
        .is("galore", &[GALORE, LOW_RANK, EPS_OF_GALORE, AUXILIARY_OF_GALORE])
        .fixed(&[("early", "true"), ("auxiliary.eps", "0")]),
    row("galore")
        .is("galore", &[GALORE, LOW_RANK, &[("eps", Both(["eps", "auxiliary.eps_hat"]))]])
        .fixed(&[("early", "true"), ("auxiliary.eps", "0")]),
    row("lamb")
        .when(&[On("rectify"), Off("weight_decouple"), On("pre_norm")])
        .is("lamb", &[LAMB, NO_DECAY, CLIPPED_LAMB])
        .fixed(OF_LAMB),
    row("lamb")
        .when(&[On("rectify"), Off("weight_decouple")])
        .is("lamb", &[LAMB, NO_DECAY, UNCLIPPED_LAMB])
        .fixed(OF_LAMB),
    row("lamb")
        .when(&[On("pre_norm")])
        .is("lamb", &[LAMB, DECAYS, CLIPPED_LAMB])
        .fixed(OF_LAMB),
    row("lamb").is("lamb", &[LAMB, DECAYS, UNCLIPPED_LAMB]).fixed(OF_LAMB),
    row("lars")
        .is(
            "lars",
            &[&[
                ("lr", Lr),
                ("weight_decay", Number("weight_decay")),
                ("momentum", Number("momentum")),
                ("dampening", Number("dampening")),
                ("trust_coefficient", Number("trust_coefficient")),
                ("nesterov", Switch("nesterov")),
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ]],
        )
        .fixed(&[("classic", "false"), ("adapt_vectors", "false"), ("dampen_first", "true")]),
    row("lookahead").differs(WRAPPER),
    row("muon").when(&[Off("use_muon")]).is("adamw", &[MUONS_ADAMW]),
    row("muon").is("muon", &[OF_MUON, NESTEROV, MUON]),
    row("muon_gram").is("muon", &[OF_MUON, NESTEROV, MUON]).fixed(&[("newton_schulz.gram", "true")]),
    row("muonclip").differs(LOGITS),
    row("nero").is(
        "nero",
        &[&[
            ("lr", Lr),
            ("beta", Number("beta")),
            ("constraints", Switch("constraints")),
            ("eps", Number("eps")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("normuon").when(&[Off("use_muon")]).is("adamw", &[MUONS_ADAMW]),
    row("normuon").is(
        "normuon",
        &[
            &[
                ("beta2", Number("beta2")),
                ("update_scale", Word("keep_norm", &[("preserve_norm", "true"), ("match_rms", "false")])),
                ("eps", Number("eps")),
            ],
            NESTEROV,
            MUON,
        ],
    ),
    row("novograd").is(
        "novograd",
        &[
            COMMON,
            &[
                ("betas", Pair(["beta1", "beta2"])),
                ("grad_averaging", Switch("grad_averaging")),
                ("eps", Number("eps")),
                ("adam_debias", Meaning::Off("pytorch_optimizer: the learning rate of NovoGrad grows from a small one")),
            ],
        ],
    ),
    row("prodigy").when(&[Off("eps")]).differs(ATAN2),
    row("prodigy")
        .when(&[Off("weight_decouple")])
        .is("prodigy", &[&[("weight_decay", Free)], COMMON, PRODIGY]),
    row("prodigy").is("prodigy", &[COMMON, PRODIGY]),
    row("racs").is(
        "racs",
        &[
            DECAYS,
            &[
                ("lr", Lr),
                ("beta", Number("beta")),
                ("alpha", Number("alpha")),
                ("gamma", Number("gamma")),
                ("eps", Number("eps")),
                ("maximize", Switch("maximize")),
                ("foreach", Free),
                ("step", Free),
            ],
        ],
    ),
    row("ranger").differs(RANGER),
    row("ranger21")
        .when(&[On("disable_lr_scheduler")])
        .is("ranger21", &[RANGER21, &[("num_iterations", Free)]]),
    row("ranger21").when(&[LrChanges]).differs(
        "pytorch_optimizer: the schedule of Ranger21 falls from the first learning rate, not from that of the step",
    ),
    row("ranger21").is("ranger21", &[RANGER21, &[("num_iterations", Number("num_iterations"))]]),
    row("sam").differs(WRAPPER),
    row("scalable_shampoo")
        .when(&[On("use_svd")])
        .is("scalable_shampoo", &[SCALABLE_SHAMPOO])
        .fixed(&[("merging", "pytorch_optimizer"), ("relative_eps", "0")]),
    row("scalable_shampoo")
        .is("scalable_shampoo", &[SCALABLE_SHAMPOO])
        .fixed(&[("merging", "pytorch_optimizer")]),
    row("schedulefree_wrapper").differs(ANY_SCHEDULE_FREE),
    row("scion").is(
        "scion",
        &[&[
            ("lr", Lr),
            ("momentum", Meaning::Rest("momentum")),
            ("constraint", Switch("constraint")),
            ("norm_type", Numbered("norm", LAYER_NORMS)),
            ("norm_kwargs", Inside("max_scale", "max_scale")),
            ("scale", Number("radius")),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Decides),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("sgdp")
        .when(&[Off("weight_decouple"), On("weight_decay")])
        .is("sgdp", &[FORGOTTEN_DECAY, PROJECTION, SGDP]),
    row("sgdp").is("sgdp", &[PROJECTION, SGDP]),
    row("sgdsai").when(&[Off("weight_decouple"), On("momentum")]).is(
        "sgdsai",
        &[FORGOTTEN_DECAY, EITHER_WAY, SAI],
    )
    .fixed(&[("weight_decay", "0")]),
    row("sgdsai").is("sgdsai", &[SAI]),
    row("shampoo")
        .is(
            "shampoo",
            &[
                COMMON,
                &[
                    ("momentum", Number("momentum")),
                    ("matrix_eps", Number("matrix_eps")),
                    ("preconditioning_compute_steps", Given("precondition_frequency")),
                ],
            ],
        )
        .fixed(&[("block_size", "0")]),
    row("sm3").when(&[Deep]).differs(COVERS),
    row("sm3").is(
        "sm3",
        &[&[
            ("lr", Lr),
            ("momentum", Number("momentum")),
            ("beta", Number("beta")),
            ("eps", Number("eps")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("soap").when(&[NullSpace("max_precondition_dim")]).differs(NULL_SPACE),
    row("soap").is(
        "soap",
        &[&[
            ("lr", Lr),
            ("betas", Pair(["beta1", "beta2"])),
            ("shampoo_beta", Given("shampoo_beta")), // by default beta2, which is ours
            ("weight_decay", Number("weight_decay")),
            ("precondition_frequency", Number("precondition_frequency")),
            ("max_precondition_dim", Number("max_precondition_dim")),
            ("merge_dims", Switch("merge_dims")),
            ("precondition_1d", Switch("precondition_1d")),
            ("correct_bias", Switch("correct_bias")),
            ("normalize_gradient", Switch("normalize_gradient")),
            ("eps", Meaning::Both(["eps", "normalize_eps"])),
            ("maximize", Switch("maximize")),
            ("data_format", Free), // the outputs are first in these
            ("step", Free),
        ]],
    ),
    row("sophiah").differs(CURVATURE),
    row("splus").when(&[NullSpace("max_dim")]).differs(NULL_SPACE),
    row("splus").is(
        "splus",
        &[&[
            ("lr", Lr),
            ("betas", Pair(["beta1", "beta2"])),
            ("weight_decay", Number("weight_decay")),
            ("weight_decouple", Switch("decoupled_weight_decay")),
            ("fixed_decay", Switch("fixed_decay")),
            ("ema_rate", Number("ema_rate")),
            ("inverse_steps", Number("inverse_steps")),
            ("max_dim", Number("max_dim")),
            ("nonstandard_constant", Number("nonstandard_constant")),
            ("eps", Free), // added to what eigenvectors are taken of, which changes none
            ("maximize", Switch("maximize")),
            ("train_mode", Free),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("stable_spam").is(
        "stable_spam",
        &[&[
            ("lr", Lr),
            ("betas", Pair(["beta1", "beta2"])),
            ("gamma1", Meaning::OrFirst("gamma1", "betas")),
            ("gamma2", Given("gamma2")),
            ("theta", Given("theta")),
            ("t_max", NumberOrZero("t_max")),
            ("eta_min", Given("eta_min")),
            ("weight_decay", Number("weight_decay")),
            ("update_proj_gap", Given("reset_every")),
            ("eps", Number("eps")),
            ("maximize", Switch("maximize")),
            ("foreach", Free),
            ("step", Free),
        ]],
    ),
    row("swats").when(&[LrChanges]).differs(
        "pytorch_optimizer: a learning rate that is set takes the place of the one that SWATS has found; \
         here both count",
    ),
    row("swats")
        .is(
            "swats",
            &[
                COMMON,
                MOMENTS,
                &[
                    ("eps", Both(["eps_hat", "rtol"])),
                    ("ams_bound", Switch("amsgrad")),
                    ("nesterov", Switch("whole_velocity")),
                    ("phase", Free),
                ],
            ],
        )
        .fixed(&[("eps_root_hat", EPS_OF_V), ("atol", "1e-8")]),
    row("tam")
        .when(&[Off("weight_decouple")])
        .is("tam", &[FORGOTTEN_DECAY, EITHER_WAY, TAM]),
    row("tam").is("tam", &[EITHER_WAY, TAM]),
];
