//! What an update rule of one's own is written with.
//!
//! A [`Rule`] is the formula of one element; [`options!`](crate::own::options) declares its options,
//! [`fields!`](crate::own::fields) names what it remembers and what a step needs, and [`Over`] is what the formula sees of the
//! other elements. [`Build`](crate::Build) makes an optimizer of it, which runs on every engine. A rule that is made of known parts is a [`chain`].
//!
//! ```
//! use burn_descent::{Build, own::*};
//!
//! options! {
//!     /// Momentum at the length of the learning rate, tensor by tensor.
//!     struct Unit {
//!         /// Decay of the average.
//!         momentum: Decay = 0.9,
//!     }
//! }
//!
//! fields! { struct Average { m } }
//! fields! { struct Scalars { beta, one_beta, lr } }
//!
//! impl Rule for Unit {
//!     const NAME: &'static str = "unit";
//!     const SUMS: usize = 1;
//!     type State<R: Copy> = Average<R>;
//!     type Scalars<R: Copy> = Scalars<R>;
//!
//!     fn start(&self) -> Average<f64> {
//!         Average { m: 0.0 }
//!     }
//!     fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
//!         Scalars { beta: self.momentum, one_beta: 1.0 - self.momentum, lr }
//!     }
//!     fn update<R: Real>(
//!         p: R,
//!         g: R,
//!         s: Average<R>,
//!         k: Scalars<R>,
//!         over: &mut impl Over<R>,
//!     ) -> (R, Average<R>) {
//!         let m = k.beta * s.m + k.one_beta * g;
//!         let length = over.norm(Domain::Tensor, m).max(R::lit(1e-12));
//!         (p - k.lr * m / length, Average { m })
//!     }
//! }
//!
//! let (mut p, g) = ([1.0, 1.0], [3.0, 4.0]);
//! slices::Walk::new(Unit::new(), p.len())?.step(0.5, &mut p, &g)?;
//! assert!((p[0] - 0.7_f64).abs() < 1e-12 && (p[1] - 0.6_f64).abs() < 1e-12);
//!
//! assert_eq!(Unit::new().build()?.state_names(), ["m"]);
//! assert!(Unit::new().momentum(1.0).build().is_err());
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```

/// What a search of one's own is written with: see [`Search`](search::Search).
pub mod search {
    #[doc(inline)]
    pub use crate::descent::search::{Arrival, Ground, Look, Memory, Search, Step, Stop, Vector};
}

#[doc(inline)]
pub use burn_descent_rules::{
    Bound, Domain, Empty, Explanation, Options, Over, Paper, Range, Real, Role, Rule, View, chain,
    fields, from_pairs, options, slices, to_pairs,
};
