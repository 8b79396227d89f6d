//! `kron-torch`.

use super::Condition::{Is, Off, On};
use super::Meaning::{Both, Decides, Free, Lr, Number, Word};
use super::{Meaning, Row, row};

const KRON: &[(&str, Meaning)] = &[
    ("lr", Lr),
    ("b1", Number("b1")),
    ("weight_decay", Number("weight_decay")),
    ("max_size_triangular", Number("max_size_triangular")),
    ("min_ndim_triangular", Number("min_ndim_triangular")),
    (
        "memory_save_mode",
        Word(
            "memory_save_mode",
            &[
                ("smart_one_diag", "smart_one_diag"),
                ("one_diag", "one_diag"),
                ("all_diag", "all_diag"),
            ],
        ),
    ),
    ("momentum_into_precond_update", Decides),
    ("precond_lr", Number("precond_lr")),
    ("precond_init_scale", Number("precond_init_scale")),
    ("merge_dims", Decides),
    ("mu_dtype", Free),
    ("precond_dtype", Free),
];

const SCHEDULED: &[(&str, Meaning)] = &[("preconditioner_update_probability", Free)];
const CONSTANT: &[(&str, Meaning)] =
    &[("preconditioner_update_probability", Both(["max_prob", "min_prob"]))];

pub(super) const ROWS: &[Row] = &[
    row("kron")
        .when(&[Off("momentum_into_precond_update")])
        .differs("kron_torch: its factors learn from gradients; ours from the momentum"),
    row("kron")
        .when(&[Off("merge_dims")])
        .is("kron", &[KRON, CONSTANT])
        .fixed(&[("merge", "none")]),
    row("kron")
        .when(&[On("merge_dims"), Is("preconditioner_update_probability", "<ProbScheduler>")])
        .is("kron", &[KRON, SCHEDULED])
        .fixed(&[("merge", "last")]),
    row("kron").is("kron", &[KRON, CONSTANT]).fixed(&[("merge", "last")]),
];
