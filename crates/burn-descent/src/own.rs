//! What an update rule of one's own is written with.
//!
//! A [`Rule`] is a struct of options and the formula of one element; [`fields!`](crate::own::fields)
//! names what it remembers and what a step needs, [`Range`] says which values an option may take, and
//! [`Over`] is what the formula sees of the other elements. [`Build`](crate::Build) makes an optimizer of
//! it, which runs on every engine. A rule that is made of known parts is a [`chain`].
//!
//! ```
//! use burn_descent::{Build, own::*};
//! use serde::{Deserialize, Serialize};
//!
//! /// Momentum at the length of the learning rate, tensor by tensor.
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct Unit {
//!     /// Decay of the average, in [0, 1).
//!     momentum: f64,
//! }
//!
//! impl Default for Unit {
//!     fn default() -> Self {
//!         Self { momentum: 0.9 }
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
//!     fn bounds(&self) -> Vec<Bound> {
//!         vec![Range::Decay.of("momentum", self.momentum)]
//!     }
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
//! slices::Walk::new(Unit::default(), p.len())?.step(0.5, &mut p, &g)?;
//! assert!((p[0] - 0.7_f64).abs() < 1e-12 && (p[1] - 0.6_f64).abs() < 1e-12);
//!
//! assert_eq!(Unit::default().build()?.state_names(), ["m"]);
//! assert!(Unit { momentum: 1.0 }.build().is_err());
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```

#[doc(inline)]
pub use burn_descent_rules::{
    Bound, Domain, Explanation, Over, Paper, Range, Real, Role, Rule, View, chain, fields,
    from_pairs, slices, to_pairs,
};
