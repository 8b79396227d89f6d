//! The walk of a whole model down its loss.
//!
//! burn's `Optimizer` sees one tensor at a time. [`Descent`] sees the model: it clips by the norm
//! of all gradients, refuses a step whose gradients are not finite, accumulates micro-batches,
//! follows schedules, averages weights, and says which model to judge.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use burn_descent::{AdamW, Build, Descent, Ema, Schedule, schedules::Cosine};
//!
//! let device = Device::default().autodiff();
//! let mut model: Linear = LinearConfig::new(8, 1).init(&device);
//! let mut descent = Descent::new(AdamW::new().build()?)
//!     .schedule(Cosine::new(1e-2, 100).warmup(10))
//!     .decay_matrices_only()
//!     .clip_norm(1.0)
//!     .average(Ema::new(0.99))
//!     .build(&model)?;
//! println!("{}", descent.plan());
//! for _ in 0..3 {
//!     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
//!     let loss = (model.forward(x.clone()) - x.sum_dim(1)).square().mean();
//!     let report;
//!     (model, report) = descent.step(model, loss.backward())?;
//!     assert!(report.clip_factor <= 1.0);
//! }
//! let judged = descent.evaluate(&model);
//! # drop(judged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accumulate;
mod apply;
mod builder;
mod error;
mod evaluate;
mod gradients;
mod group;
mod plan;
mod report;
mod step;

pub use builder::Builder;
pub use error::{BuildError, DescentError, Refused};
pub use gradients::IntoGradients;
pub use group::Group;
pub use plan::{Line, Plan};
pub use report::Report;

use crate::averaging::Averages;
use accumulate::Accumulator;
use burn::module::ParamId;
use burn::optim::DynState;
use group::{Member, Schedules};
use std::collections::HashMap;

/// What to do with a step whose gradients are not all finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotFinite {
    /// Take the step as it is: no gradient is looked at.
    #[default]
    Allow,
    /// Leave weights, states and counters as they are, and count it in the report.
    Skip,
    /// Refuse the step with an error that names the first parameter; weights, states and counters
    /// stay as they are.
    Error,
}

/// The walk of a whole model: groups of parameters with their optimizers and schedules, and what
/// looks at all gradients together.
///
/// Made by [`Descent::new`] and [`Builder::build`].
pub struct Descent {
    groups: Vec<Schedules>,
    members: HashMap<ParamId, Member>,
    plan: Plan,
    clip_norm: Option<f64>,
    clip_value: Option<f64>,
    not_finite: NotFinite,
    accumulator: Accumulator,
    averages: Option<Averages>,
    states: HashMap<ParamId, DynState>,
    steps: u64,
    skipped: u64,
}

impl core::fmt::Debug for Descent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Descent").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl Descent {
    /// Begins with the optimizer of every parameter that is in no other group: one of ours, or any
    /// that implements burn's `Optimizer`.
    #[allow(clippy::new_ret_no_self)] // what it makes has to be built for a model
    pub fn new(optimizer: impl burn::optim::Optimizer) -> Builder {
        Builder::new(optimizer)
    }

    /// Every parameter with its group, optimizer and the memory of its state.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many steps have been taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}
