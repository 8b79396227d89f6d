//! How closely a reference is to be followed, where it is not as close as all are.

use crate::table::Condition;
use crate::{Case, F32_TOLERANCE, F64_TOLERANCE, OptimizerFile};

/// The largest error allowed in f64 in units of how far the tensor has moved.
pub const MOVEMENT_TOLERANCE: f64 = 1e-8;

/// How closely the runs of a case are to be followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    /// The largest [`relative_error`](crate::relative_error) allowed in f64.
    pub relative: f64,
    /// The largest allowed in f32; infinite where it is not looked at.
    pub narrow: f64,
    /// The largest [`movement_error`](crate::movement_error) allowed in f64; infinite where it is not
    /// looked at.
    pub movement: f64,
}

/// That of every case which is not in a file of whole matrices.
impl Default for Closeness {
    fn default() -> Self {
        Self { relative: F64_TOLERANCE, narrow: F32_TOLERANCE, movement: f64::INFINITY }
    }
}

/// A reference that cannot be followed as closely as the others.
struct Loose {
    library: &'static str,
    optimizer: &'static str,
    /// Only the cases where this holds.
    when: &'static [Condition],
    /// Only the cases of this problem.
    problem: Option<&'static str>,
    /// The files of whole matrices are followed as closely as others: they are from runs all in f64.
    not_of_matrices: bool,
    /// The largest error allowed in f64, of both kinds.
    tolerance: f64,
    /// The largest error allowed in f32.
    narrow: f64,
}

/// A reference that is loose in f64 only.
const fn loose(library: &'static str, optimizer: &'static str, tolerance: f64) -> Loose {
    let (when, narrow) = (&[] as &[_], F32_TOLERANCE);
    let (problem, not_of_matrices) = (None, false);
    Loose { library, optimizer, when, problem, not_of_matrices, tolerance, narrow }
}

/// An optimizer of pytorch_optimizer whose sums over the model, and so its estimate, are in torch's default type:
/// f32, but in the runs of whole matrices. With sums rounded to f32 other code follows it as far as its own rounding
/// goes, which the growth of the estimate enlarges.
const fn sums_in_f32(optimizer: &'static str, tolerance: f64, narrow: f64) -> Loose {
    let loose = loose("pytorch_optimizer", optimizer, tolerance);
    Loose { not_of_matrices: true, narrow, ..loose }
}

/// A step that follows from the loss, on the problem whose losses are recorded with nine digits: the library had all.
const fn rounded_loss(optimizer: &'static str) -> Loose {
    Loose { problem: Some("matrix"), ..loose("optax", optimizer, 3e-8) }
}

/// An optimizer of pytorch_optimizer that factors matrices in f32, on the problem whose gradients come close to those
/// that there have been.
const fn of_square(optimizer: &'static str, tolerance: f64) -> Loose {
    Loose { problem: Some("square"), ..loose("pytorch_optimizer", optimizer, tolerance) }
}

/// Shampoo where a factor has fewer gradients than rows.
const fn shampoo_of_low_rank(problem: &'static str, narrow: f64) -> Loose {
    Loose { problem: Some(problem), narrow, ..loose("pytorch_optimizer", "shampoo", 1e-8) }
}

/// Whoever recorded the trajectories replayed them with other code in f64. These are 20 times as far
/// as the two were apart, where that is more than [`F64_TOLERANCE`].
const LOOSE: &[Loose] = &[
    // One of its sums is kept in f32.
    loose("pytorch_optimizer", "dadapt_sgd", 1e-5),
    sums_in_f32("dadapt_adagrad", 1e-6, F32_TOLERANCE),
    sums_in_f32("dadapt_adam", 1e-4, 1e-4),
    sums_in_f32("dadapt_adan", 2e-5, F32_TOLERANCE),
    sums_in_f32("dadapt_lion", 1e-6, F32_TOLERANCE),
    // As of the library of the authors, below.
    sums_in_f32("prodigy", 1e-5, 1e-3),
    rounded_loss("momo"),
    rounded_loss("momo_adam"),
    rounded_loss("polyak_sgd"),
    // The norm of all gradients is summed in f32.
    Loose { when: &[Condition::On("pre_norm")], ..loose("pytorch_optimizer", "lamb", 1e-4) },
    // So it is in the warm-up of AdaGC.
    loose("pytorch_optimizer", "adagc", 1e-6),
    // The norms of its ASGD are in f32, and what counts is by how much they change, a hundredth of them.
    Loose { narrow: 1e-4, ..loose("pytorch_optimizer", "asgd_accelerated", 1e-4) },
    Loose { when: &[Condition::On("max_grad_norm")], ..loose("pytorch_optimizer", "adan", 1e-6) },
    // Inverse roots of matrices that are close to singular.
    // In f32 three times as far as the library's own runs in f32 and f64 end apart.
    Loose { narrow: 9e-5, ..loose("pytorch_optimizer", "dash_patched", 1e-8) },
    // In f32 rounding takes the least eigenvalues of a factor of low rank, to which the roots owe their greatest: three
    // times as far as the library's own runs in f32 and f64 end apart.
    shampoo_of_low_rank("fixed", 0.6),
    shampoo_of_low_rank("matrix", 0.5),
    shampoo_of_low_rank("quad", 2e-4),
    shampoo_of_low_rank("net", 2e-3),
    loose("pytorch_optimizer", "shampoo", 1e-8),
    // A QR in f32. The step that is skipped makes the first gradient of `square` come twice, so that outside of the
    // diagonal there is rounding, divided by its own root: in f32 it is as large as the diagonal.
    Loose { narrow: f64::INFINITY, ..of_square("soap", 1e-4) },
    loose("pytorch_optimizer", "soap", 1e-6),
    // Eigenvectors in f32.
    of_square("splus", 1e-4),
    loose("pytorch_optimizer", "splus", 1e-6),
    // Its singular vectors are in f32.
    Loose { narrow: 1e-4, ..loose("pytorch_optimizer", "galore", 1e-4) },
    // Keras takes norms and means in f32, and optax a power of the step.
    loose("keras", "adafactor", 1e-6),
    loose("optax", "adafactor", 1e-6),
    // The library's own runs in f32 and f64 end 8e-4 apart: what it finds out feeds on its rounding.
    Loose { narrow: 1e-3, ..loose("prodigyopt", "prodigy", F64_TOLERANCE) },
    Loose { narrow: 1e-3, ..loose("optax", "prodigy", F64_TOLERANCE) },
    Loose { narrow: 1e-3, ..loose("pytorch_optimizer", "prodigy", F64_TOLERANCE) },
];

impl Closeness {
    fn of(library: &str, optimizer: &str, case: &Case, of_matrices: bool) -> Self {
        let loose = LOOSE.iter().find(|loose| {
            (loose.library, loose.optimizer) == (library, optimizer)
                && loose.problem.is_none_or(|problem| problem == case.problem)
                && !(of_matrices && loose.not_of_matrices)
                && loose.when.iter().all(|condition| condition.holds(case))
        });
        let relative = loose.map_or(F64_TOLERANCE, |loose| loose.tolerance);
        let narrow = loose.map_or(F32_TOLERANCE, |loose| loose.narrow);
        let movement = if of_matrices { relative.max(MOVEMENT_TOLERANCE) } else { f64::INFINITY };
        Self { relative, narrow, movement }
    }
}

impl OptimizerFile {
    /// Says how closely the cases of a file are to be followed: those of a file of whole matrices in how
    /// far they have moved, too.
    pub(crate) fn ask_for_closeness(&mut self, of_matrices: bool) {
        for case in &mut self.cases {
            let (library, optimizer) = (&self.library, &self.optimizer);
            case.closeness = Closeness::of(library, optimizer, case, of_matrices);
        }
    }
}
