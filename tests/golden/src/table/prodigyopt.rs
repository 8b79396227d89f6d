//! `prodigyopt`.

use super::Meaning::{Free, Lr, Number, NumberOrZero, Pair, Switch};
use super::{Meaning, Row, row};

pub(super) const ROWS: &[Row] = &[row("prodigy").is(
    "prodigy",
    &[&[
        ("lr", Lr),
        ("betas", Pair(["beta1", "beta2"])),
        ("beta3", NumberOrZero("beta3")),
        ("eps", Number("eps")),
        ("weight_decay", Number("weight_decay")),
        ("d0", Number("d0")),
        ("d_coef", Number("d_coef")),
        ("growth_rate", Meaning::Finite("growth_rate")),
        ("use_bias_correction", Switch("bias_correction")),
        ("decouple", Switch("decoupled_weight_decay")),
        ("safeguard_warmup", Switch("safeguard_warmup")),
        ("slice_p", Meaning::Only(1.0, "prodigyopt: sums over every so many elements only")),
        // What it remembers.
        ("d", Free),
        ("d_max", Free),
        ("d_hat", Free),
        ("d_numerator", Free),
        ("d_denom", Free),
        ("k", Free),
        ("fsdp_in_use", Free),
    ]],
)];
