//! How closely a reference is to be followed, where it is not as close as all are.

use crate::table::Condition;
use crate::{Case, F64_TOLERANCE, OptimizerFile};

/// The largest error allowed in f64 in units of how far the tensor has moved.
pub const MOVEMENT_TOLERANCE: f64 = 1e-8;

/// How closely the f64 run of a case is to be followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    /// The largest [`relative_error`](crate::relative_error) allowed.
    pub relative: f64,
    /// The largest [`movement_error`](crate::movement_error) allowed; infinite where it is not
    /// looked at.
    pub movement: f64,
}

/// That of every case which is not in a file of whole matrices.
impl Default for Closeness {
    fn default() -> Self {
        Self { relative: F64_TOLERANCE, movement: f64::INFINITY }
    }
}

/// A reference that cannot be followed as closely as the others.
struct Loose {
    library: &'static str,
    optimizer: &'static str,
    /// Only the cases where this holds.
    when: &'static [Condition],
    /// The largest error allowed, of both kinds.
    tolerance: f64,
}

/// Whoever recorded the trajectories replayed them with other code in f64. These are 20 times as far
/// as the two were apart, where that is more than [`F64_TOLERANCE`].
const LOOSE: &[Loose] = &[
    // One of its sums is kept in f32.
    Loose { library: "pytorch_optimizer", optimizer: "dadapt_sgd", when: &[], tolerance: 1e-5 },
    // The norm of all gradients is summed in f32.
    Loose {
        library: "pytorch_optimizer",
        optimizer: "lamb",
        when: &[Condition::On("pre_norm")],
        tolerance: 1e-4,
    },
    // Inverse roots of matrices that are close to singular.
    Loose { library: "pytorch_optimizer", optimizer: "dash_patched", when: &[], tolerance: 1e-8 },
    Loose { library: "pytorch_optimizer", optimizer: "shampoo", when: &[], tolerance: 1e-8 },
];

impl Closeness {
    /// That of a case in a file of whole matrices.
    fn of_matrices(library: &str, optimizer: &str, case: &Case) -> Self {
        let loose = LOOSE.iter().find(|loose| {
            (loose.library, loose.optimizer) == (library, optimizer)
                && loose.when.iter().all(|condition| condition.holds(case))
        });
        let relative = loose.map_or(F64_TOLERANCE, |loose| loose.tolerance);
        Self { relative, movement: relative.max(MOVEMENT_TOLERANCE) }
    }
}

impl OptimizerFile {
    /// Says how closely the cases of a file of whole matrices are to be followed.
    pub(crate) fn ask_for_movement(&mut self) {
        for case in &mut self.cases {
            case.closeness = Closeness::of_matrices(&self.library, &self.optimizer, case);
        }
    }
}
