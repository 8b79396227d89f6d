//! Training a whole model, step by step.
//!
//! burn's `Optimizer` sees one tensor at a time. [`Descent`] sees the model: it clips by the norm
//! of all gradients, refuses a step whose gradients are not finite, accumulates micro-batches,
//! follows schedules, averages weights, and says which model to evaluate. The steps that it takes, one after
//! another, are called a *walk*: that of the weights down the loss.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use burn_descent::{AdamW, Build, Descent, Ema, Schedule, schedules::Cosine};
//!
//! let device = Device::default().autodiff();
//! let mut model: Linear = LinearConfig::new(8, 1).init(&device);
//! let mut descent = Descent::builder(AdamW::new().build()?)
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
//! let evaluated = descent.evaluate(&model);
//! # drop(evaluated);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accumulate;
mod apply;
pub(crate) mod arithmetic;
mod buffers;
mod builder;
mod checkpoint;
mod error;
mod evaluate;
mod fit;
mod frozen;
mod gradients;
mod group;
mod group_step;
mod lookahead;
mod loss_scale;
mod measure;
mod mechanic;
mod param;
mod plan;
mod position;
mod qk_clip;
mod quiet;
mod report;
mod retake;
pub(crate) mod search;
mod select;
mod statistics;
mod step;
mod transform;
mod values;
mod visit;

pub use accumulate::Batch;
pub use builder::Builder;
pub use checkpoint::{Checkpoint, CheckpointError, Mismatch};
#[cfg(feature = "safetensors")]
pub use checkpoint::{PyTorchError, PyTorchMismatch, PyTorchRun};
pub use error::{BuildError, DescentError, Refused};
pub use gradients::IntoGradients;
pub use group::{Group, Orientation};
pub use loss_scale::LossScale;
pub use plan::{Line, Plan};
pub use qk_clip::{Attention, QkClip, QkClipError};
pub use report::{Report, Update};
pub use retake::RetakeError;
pub use search::{
    Ahead, Asam, BarzilaiBorwein, Conjugate, ConjugateGradient, Lbfgs, LineSearch, Minimum, Sam,
    Sophia, SteepestDescent, StepSize, Stop, Until, sample_labels,
};
pub use select::Select;
pub use statistics::Statistics;
pub use transform::Transform;
pub(crate) use visit::{ByParameter, Tensors, compute_dtype};

use crate::Schedule;
use crate::averaging::{Average, Lookahead, Mechanic};
use burn::tensor::Tensor;
use burn_descent_engine::Store;
use burn_descent_rules::schedules::ReduceOnPlateau;
use group::{AnyOptimizer, Member, Schedules};
use position::Position;
use search::Search;
use std::sync::Arc;

/// What to do with a step whose gradients are not all finite.
///
/// With accumulation the step is what the micro-batches make together: one that is skipped or
/// refused takes them with it.
///
/// Running statistics, such as those of batch normalisation, are updated by the forward pass, before the gradients are
/// known: a step that is skipped or refused leaves them updated. [`Statistics`] takes them before a forward pass and puts
/// them back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFinite {
    /// Take the step as it is: no gradient is looked at.
    #[default]
    Allow,
    /// Leave weights, states and counters as they are, and count it in the report.
    Skip,
    /// Refuse the step with an error that names the first parameter; weights, states and counters
    /// stay as they are.
    Error,
    /// Put 0 for every element that is not finite.
    Zero,
}

/// Takes the training steps of a whole model: groups of parameters with their optimizers and schedules, and all that
/// needs to see every gradient, such as clipping by their norm.
///
/// It is made for one model by [`Descent::builder`] and [`Builder::build`], and holds the states of the optimizers and
/// the number of steps taken, but not the weights. Documentation and messages call what it does the *walk*: the steps of the
/// weights down the loss.
pub struct Descent {
    setup: Arc<Setup>,
    at: Position,
}

/// What does not change from step to step.
#[derive(Clone)]
struct Setup {
    groups: Vec<Schedules>,
    members: ByParameter<Member>,
    plan: Plan,
    settings: Settings,
    /// Does an optimizer need the value of the loss?
    needs_loss: bool,
    /// Does an optimizer find its own learning rate?
    finds_rates: bool,
    /// Does an optimizer make something of whole matrices?
    sees_whole: bool,
    /// Does a search move weights itself?
    moves: bool,
}

impl Setup {
    /// What steps a parameter.
    fn optimizer(&self, member: &Member) -> &AnyOptimizer {
        &self.groups[member.group].optimizers[member.optimizer]
    }
}

/// What was asked for around the optimizers.
#[derive(Clone, Debug)]
struct Settings {
    transforms: Vec<Transform>,
    clip_norm: Option<f64>,
    not_finite: NotFinite,
    accumulate: u32,
    average: Option<Average>,
    keep_average: Store,
    lookahead: Option<Lookahead>,
    mechanic: Option<Mechanic>,
    loss_scale: Option<LossScale>,
    plateau: Option<ReduceOnPlateau>,
    search: Option<Arc<dyn Search>>,
    measure_every: Option<u64>,
    empty_steps: bool,
}

impl core::fmt::Debug for Descent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Descent").field("steps", &self.at.steps).finish_non_exhaustive()
    }
}

impl Descent {
    /// Starts to build one. `optimizer` steps every parameter that is in no other group: one of this crate, or any that
    /// implements burn's `Optimizer`.
    pub fn builder(optimizer: impl burn::optim::Optimizer) -> Builder {
        Builder::new(optimizer)
    }

    /// Starts to build one around a search that moves the weights itself, such as [`Lbfgs`](crate::Lbfgs): it moves every
    /// parameter that is in no other group. Parameters in other groups are stepped by the optimizers of those groups, with
    /// the gradient at the weights where the step begins. The learning rate is 1, if no other is given; steps are
    /// taken with [`step_with`](Self::step_with) and [`minimize`](Self::minimize).
    ///
    /// [`build`](Builder::build) refuses what works on the gradients or steps of optimizers: clipping and other transforms,
    /// accumulation, loss scaling, Lookahead and Mechanic.
    pub fn search(search: impl Search) -> Builder {
        Builder::searching(search)
    }

    /// Every parameter with its group, optimizer and the memory of its state.
    pub fn plan(&self) -> &Plan {
        &self.setup.plan
    }

    /// Does a step evaluate the loss itself? Steps are then taken with [`step_with`](Self::step_with) only.
    pub fn evaluates_loss(&self) -> bool {
        self.setup.settings.search.is_some()
    }

    /// How many steps have been taken.
    pub fn steps(&self) -> u64 {
        self.at.steps
    }

    /// The same `Descent` before its first step.
    pub fn fresh(&self) -> Self {
        Self { setup: self.setup.clone(), at: Position::start(&self.setup) }
    }

    /// The same before its first step, with this learning rate for every group.
    pub(crate) fn fresh_on(&self, lr: impl Schedule) -> Self {
        let lr: Arc<dyn Schedule> = Arc::new(lr);
        let mut setup = Setup::clone(&self.setup);
        for group in &mut setup.groups {
            group.lr = lr.clone();
        }
        Self { at: Position::start(&setup), setup: Arc::new(setup) }
    }

    /// The loss times the scale of the next step, to call `backward` on. Without loss scaling it is the loss itself.
    pub fn scale_loss(&self, loss: Tensor<1>) -> Tensor<1> {
        match &self.at.scale {
            Some(scale) => loss.mul_scalar(scale.value),
            None => loss,
        }
    }

    /// Takes a metric, such as the validation loss of an epoch, and returns the factor that
    /// [`reduce_on_plateau`](Builder::reduce_on_plateau) puts on all learning rates from now on;
    /// `None` if it was not asked for.
    pub fn observe_metric(&mut self, metric: f64) -> Option<f64> {
        self.at.plateau.as_mut().map(|plateau| plateau.observe(metric))
    }
}
