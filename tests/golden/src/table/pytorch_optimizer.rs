//! `pytorch_optimizer`.

use super::Condition::{Is, LrChanges, MoreThan, Off, On};
use super::Meaning::{
    Both, Decides, Free, Given, Lr, LrAnd, Number, NumberOrZero, Pair, Switch, Triple,
};
use super::reasons::{
    ANY_SCHEDULE_FREE, CURVATURE, FACTORED, FINDS_LR, MATRIX, MODEL_TOTALS, POWER, PROJECTED,
    RANGER, TOTALS, TRUST_RATIO, WRAPPER,
};
use super::{CAUTION, LR_IN_VELOCITY, Meaning, RMS_OF_TENSOR, Row, row};

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

const LAMB: &str =
    "pytorch_optimizer: the second moment keeps its bias, and the norm of the weights ends at 10";

const BASE_LR: &str =
    "pytorch_optimizer: the bounds follow the learning rate, from one that the file does not say";

/// What `pytorch_optimizer` adds to a second moment under its root.
const EPS_OF_V: &str = "1e-15";

const BIASED: &str = "pytorch_optimizer: the first moment keeps its bias";
const SCALED: &str = "pytorch_optimizer: gradients are scaled by an average norm";

/// A weight decay that is not decoupled, which some forget: it is added to a gradient that has been used.
const FORGOTTEN_DECAY: &[(&str, Meaning)] = &[("weight_decay", Free), ("weight_decouple", Free)];

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

/// What the relatives of Adam have in common.
const MOMENTS: &[(&str, Meaning)] = &[
    ("betas", Pair(["beta1", "beta2"])),
    ("adam_debias", Meaning::Off(BIASED)),
    ("adanorm", Meaning::Off(SCALED)),
    ("adanorm_r", Free), // only with `adanorm`
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
        .is("radam", &[FORGOTTEN_DECAY, COMMON, MOMENTS, RADAM]),
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
    row("adafactor").differs(FACTORED),
    row("adagc").differs(TOTALS),
    row("adamg").differs(POWER),
    row("focus").differs(
        "in its first step it follows the sign of `p − (1 − β₂) p / (1 − β₂)`, which is that of a \
         rounding error: no two implementations agree",
    ),
    row("srmm").differs(
        "its average of the weights begins at 0, so that its first step takes a third of every \
         weight away, whatever the gradient: it forgets how a network was initialised",
    ),
    row("adago").differs(MATRIX),
    row("adahessian").differs(CURVATURE),
    row("adai").differs(MODEL_TOTALS),
    row("adalite").differs(TRUST_RATIO),
    row("adam_mini").differs(TOTALS),
    row("adamp").differs(PROJECTED),
    row("adams").differs(MODEL_TOTALS),
    row("adamuon").differs(MATRIX),
    row("adanorm").differs(TOTALS),
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
    row("aida").differs(PROJECTED),
    row("amos").differs(TOTALS),
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
    row("apollo_lowrank").differs(MATRIX),
    row("asgd_accelerated").differs(MODEL_TOTALS),
    row("avagrad").differs(MODEL_TOTALS),
    row("came").differs(FACTORED),
    row("dadapt_adagrad").differs(FINDS_LR),
    row("dadapt_adam").differs(FINDS_LR),
    row("dadapt_adan").differs(FINDS_LR),
    row("dadapt_lion").differs(FINDS_LR),
    row("dadapt_sgd").differs(FINDS_LR),
    row("dash").differs(MATRIX),
    row("fadam").differs(TOTALS),
    row("fromage").differs(TRUST_RATIO),
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
    row("galore").differs(MATRIX),
    row("lamb").differs(LAMB),
    row("lars").differs(TRUST_RATIO),
    row("lookahead").differs(WRAPPER),
    row("muon").differs(MATRIX),
    row("muon_gram").differs(MATRIX),
    row("muonclip").differs(MATRIX),
    row("nero").differs(TRUST_RATIO),
    row("normuon").differs(MATRIX),
    row("novograd").differs(TRUST_RATIO),
    row("prodigy").differs(FINDS_LR),
    row("racs").differs(MATRIX),
    row("ranger").differs(RANGER),
    row("ranger21")
        .when(&[On("disable_lr_scheduler")])
        .is("ranger21", &[RANGER21, &[("num_iterations", Free)]]),
    row("ranger21").when(&[LrChanges]).differs(
        "pytorch_optimizer: the schedule of Ranger21 falls from the first learning rate, not from that of the step",
    ),
    row("ranger21").is("ranger21", &[RANGER21, &[("num_iterations", Number("num_iterations"))]]),
    row("sam").differs(WRAPPER),
    row("scalable_shampoo").differs(MATRIX),
    row("schedulefree_wrapper").differs(ANY_SCHEDULE_FREE),
    row("scion").differs(MATRIX),
    row("sgdp").differs(PROJECTED),
    row("sgdsai").when(&[Off("weight_decouple"), On("momentum")]).is(
        "sgdsai",
        &[FORGOTTEN_DECAY, SAI],
    )
    .fixed(&[("weight_decay", "0")]),
    row("sgdsai").is("sgdsai", &[SAI]),
    row("shampoo").differs(MATRIX),
    row("sm3").differs(FACTORED),
    row("soap").differs(MATRIX),
    row("sophiah").differs(CURVATURE),
    row("splus").differs(MATRIX),
    row("stable_spam").differs(TOTALS),
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
        .is("tam", &[FORGOTTEN_DECAY, TAM]),
    row("tam").is("tam", &[&[("weight_decouple", Free)], TAM]),
];
