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
    /// The largest allowed in f32.
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
    /// The largest error allowed in f64, of both kinds.
    tolerance: f64,
    /// The largest error allowed in f32.
    narrow: f64,
}

/// A reference that is loose in f64 only.
const fn loose(library: &'static str, optimizer: &'static str, tolerance: f64) -> Loose {
    Loose { library, optimizer, when: &[], tolerance, narrow: F32_TOLERANCE }
}

/// Whoever recorded the trajectories replayed them with other code in f64. These are 20 times as far
/// as the two were apart, where that is more than [`F64_TOLERANCE`].
const LOOSE: &[Loose] = &[
    // One of its sums is kept in f32.
    loose("pytorch_optimizer", "dadapt_sgd", 1e-5),
    // The norm of all gradients is summed in f32.
    Loose { when: &[Condition::On("pre_norm")], ..loose("pytorch_optimizer", "lamb", 1e-4) },
    Loose { when: &[Condition::On("max_grad_norm")], ..loose("pytorch_optimizer", "adan", 1e-6) },
    // Inverse roots of matrices that are close to singular.
    loose("pytorch_optimizer", "dash_patched", 1e-8),
    loose("pytorch_optimizer", "shampoo", 1e-8),
    // Keras takes norms and means in f32, and optax a power of the step.
    loose("keras", "adafactor", 1e-6),
    loose("optax", "adafactor", 1e-6),
    // The library's own runs in f32 and f64 end 8e-4 apart: what it finds out feeds on its rounding.
    Loose { narrow: 1e-3, ..loose("prodigyopt", "prodigy", F64_TOLERANCE) },
    Loose { narrow: 1e-3, ..loose("optax", "prodigy", F64_TOLERANCE) },
];

impl Closeness {
    fn of(library: &str, optimizer: &str, case: &Case, of_matrices: bool) -> Self {
        let loose = LOOSE.iter().find(|loose| {
            (loose.library, loose.optimizer) == (library, optimizer)
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
