//! Our own runs in NumPy, of methods of which no library's run is recorded: by the formulas of their authors, with the
//! names of their options.

use super::Meaning::{Lr, Number, NumberOr, Word};
use super::{Meaning, Row, row};

const DION2: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("fraction", Number("fraction")),
    ("ef_decay", Number("ef_decay")),
    ("weight_decay", Number("weight_decay")),
    ("eps", Number("newton_schulz.eps")),
    (
        "scale",
        Word(
            "scale",
            &[("spectral", "spectral"), ("original", "original"), ("match_rms", "match_rms")],
        ),
    ),
];

const PSGD_PRO: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("weight_decay", Number("weight_decay")),
    ("momentum", Number("momentum")),
    ("beta_lip", Number("beta_lip")),
    ("precond_lr", Number("precond_lr")),
    ("min_precond_lr", Number("min_precond_lr")),
    ("warmup_steps", Number("warmup_steps")),
    ("damping_noise_scale", Number("damping_noise_scale")),
    ("precond_init_scale", Number("precond_init_scale")),
    ("max_update_rms", Number("max_update_rms")),
    ("max_size", NumberOr("max_size", 8192.0)),
];

pub(super) const ROWS: &[Row] =
    &[row("dion2").is("dion2", &[DION2]), row("psgd_pro").is("psgd_pro", &[PSGD_PRO])];
