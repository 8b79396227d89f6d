//! What rules make of whole matrices: decompositions by faer on the host, and iterations by products alone.

mod blocks;
mod factor;
mod largest;
mod merging;
mod newton_schulz;
mod procrustes;
mod root;
mod subspace;

pub(crate) use blocks::Blocks;
pub(crate) use factor::iterate;
pub use factor::{Eigen, Singular};
pub(crate) use factor::{solve_right_upper, spectral_bound};
pub(crate) use largest::Slices;
pub use merging::Merging;
pub use newton_schulz::Coefficients;
pub(crate) use newton_schulz::{gram_newton_schulz, newton_schulz};
pub(crate) use procrustes::procrustes;
pub(crate) use root::{Ridge, inverse_root, square_roots};
pub(crate) use subspace::{LEAST, subspace_bound};
