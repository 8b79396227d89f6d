//! `heavyball`.

use super::Meaning::{Free, Lr, Number, Off, Second};
use super::reasons::MATRIX;
use super::{CAUTION, Row, row};

pub(super) const ROWS: &[Row] = &[
    // Its direction is the gradient over the root of the second moment.
    row("hyperball_adamw")
        .is(
            "adamh",
            &[&[
                ("lr", Lr),
                ("betas", Second("beta2")),
                ("eps", Number("clamp_eps")),
                ("weight_decay", Number("weight_decay")),
                (
                    "cautious_weight_decay",
                    Off("heavyball: weights decay where sign bits are the same"),
                ),
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
            ]],
        )
        .fixed(&[("beta1", "0"), ("eps", "0")]),
    row("muon").differs(MATRIX),
    row("soap").differs(MATRIX),
];
