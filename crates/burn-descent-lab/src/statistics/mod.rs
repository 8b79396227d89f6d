//! What numbers of repeated runs say, and how sure one can be.

mod holm;
mod signed_rank;
mod spread;

pub use holm::holm;
pub use signed_rank::signed_rank;
pub use spread::{Spread, quantile};
