//! Holds an update rule to every law that burn-descent holds its own to, on every device there is.
//!
//! A rule of your own is tested in one line:
//!
//! ```
//! # use burn_descent::{AdamW, Build};
//! // In tests/my_rule.rs, as a `#[test]`:
//! burn_descent_conformance::check(AdamW::new().weight_decay(0.1), 1e-3);
//! ```
//!
//! The engines agree with plain slices and with each other, any number of threads gives the same
//! bits, every shape and layout walks alike, nothing around a tensor is read or written, precision is
//! kept, memory is as documented and is written in place, what is shared is not touched, a walk that is
//! resumed never stopped, gradients of every kind do what is said of them, the loss falls, and bad
//! options are refused by name:
//! [`LAWS`] lists them all.
//!
//! Devices are compiled in by the features of this crate, which are burn-descent's: `flex`, the
//! default, `ndarray`, `wgpu` and so on. [`cases`] gives each law on each device by its name, such
//! as `adamw/flex/f32/resume`, for a test runner that shows them one by one:
//!
//! ```no_run
//! # use burn_descent::{AdamW, Build};
//! use burn_descent_conformance::{Candidate, LAWS, cases, devices};
//!
//! let candidate = Candidate::of(&AdamW::new(), 1e-3)?;
//! for case in cases(&candidate, LAWS, &devices::all()) {
//!     println!("{} ...", case.name);
//!     case.run();
//! }
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```
//!
//! What no law can know is whether the formula is the paper's. Compare a few steps with numbers of
//! another implementation, by [`slices::Walk`](burn_descent::rules::slices::Walk).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod candidate;
mod cases;
pub mod devices;
mod laws;
mod numbers;
mod refusal;
mod slices;
mod subject;
mod variants;

pub use candidate::Candidate;
pub use cases::{Case, cases, check};
pub use laws::{About, LAWS, Law, Way, ways};
pub use numbers::{bits, numbers, spoil_memory, values};
pub use refusal::hide_expected_panics;
pub use slices::engines_agree_with_slices;
pub use subject::Subject;
pub use variants::variants;
