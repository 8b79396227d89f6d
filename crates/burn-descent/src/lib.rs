//! Optimizers for [burn](https://burn.dev): each update rule written once, and run as one in-place
//! pass on a CPU, one in-place kernel on a GPU, and plain tensor operations anywhere else.
//!
//! An optimizer is a struct of options, [`AdamW`] for one. [`build`](Build::build) checks them,
//! [`Descent`] fits the optimizer to a model, and a [`Trainer`] holds both while they train:
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use burn_descent::{AdamW, prelude::*};
//!
//! let device = Device::default().autodiff();
//! let model: Linear = LinearConfig::new(8, 1).init(&device);
//! let adamw = AdamW::new().weight_decay(0.05).build()?;
//! let descent = Descent::builder(adamw).lr(1e-2).build(&model)?;
//! let mut trainer = Trainer::new(model, descent);
//! for _ in 0..3 {
//!     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
//!     let loss = (trainer.model().forward(x.clone()) - x.sum_dim(1)).square().mean();
//!     trainer.step(loss.backward())?;
//! }
//! let evaluated: Linear = trainer.evaluate();
//! # drop(evaluated);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What `build` makes is a [`Fused`], which is a burn [`Optimizer`](burn::optim::Optimizer) like any
//! other, for burn's `ModuleOptimizer` and its `Learner`:
//!
//! ```
//! # use burn::nn::{Linear, LinearConfig};
//! # use burn::tensor::{Device, Tensor};
//! use burn::optim::{GradientsParams, ModuleOptimizer};
//! use burn_descent::{AdamW, Build};
//!
//! # let device = Device::default().autodiff();
//! # let model: Linear = LinearConfig::new(8, 1).init(&device);
//! # let loss = model.forward(Tensor::<2>::ones([32, 8], &device)).mean();
//! let adamw = AdamW::new().build()?;
//! let mut optimizer = ModuleOptimizer::from(adamw.clone());
//! let gradients = GradientsParams::from_grads(loss.backward(), &model);
//! let model = optimizer.step(1e-2, model, gradients);
//! let evaluated: Linear = adamw.evaluate(&model, &optimizer);
//! # drop(evaluated);
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```
//!
//! # Where things are
//!
//! [`prelude`] has what a training program imports, [`optimizers`] every optimizer (all of them are here,
//! too), [`schedules`] what a learning rate follows, [`registry`] (with the feature of that name) the optimizers by name, and [`own`] what
//! a rule of your own is written with.
//!
//! # Backends
//!
//! Tensors of `flex` and `ndarray` are updated by one pass of vector instructions on all threads
//! of the rayon pool, those of every CubeCL backend (wgpu, Vulkan, Metal, CUDA, ROCm, with and
//! without burn's fusion) by one kernel, others by tensor operations. Nothing is to be chosen: the
//! tensor's device decides. Each has a Cargo feature of its name that only forwards to burn;
//! `flex` is on by default. The feature `f64` compiles passes for f64 on CPUs too, as long again as those for
//! other types; without it f64 steps by tensor operations there, 10 to 25 times as long.
//!
//! # Precision
//!
//! Options are f64. Powers, bias corrections and all else that is the same for every weight is
//! computed once a step in f64. A weight is computed in its own precision, f16 and bf16 in f32;
//! their states are kept in f32.
//!
//! # Your own
//!
//! A rule of your own is a [`Rule`] ([`own`] shows one); one that is made of known parts is a
//! [`Chain`](own::chain::Chain), as in optax. Both get every engine, [`Descent`] and its
//! checkpoints:
//!
//! ```
//! use burn_descent::own::chain::{AddDecayedWeights, Chain, Clip, ScaleByAdam, ScaleByLearningRate};
//! use burn_descent::{Build, Descent};
//!
//! let clipped_adamw = Chain::of(Clip::new(1.0))
//!     .then(ScaleByAdam::new().beta2(0.95))
//!     .then(AddDecayedWeights::new(0.1))
//!     .then(ScaleByLearningRate::new())
//!     .build()?;
//! let builder = Descent::builder(clipped_adamw).lr(1e-3);
//! # drop(builder);
//! # Ok::<(), burn_descent::InvalidOption>(())
//! ```
//!
//! # Methods that evaluate the loss
//!
//! [`Lbfgs`] and its like evaluate the loss as often as they need, and move the weights themselves:
//! [`Descent::search`] builds one, [`Descent::minimize`] runs it. With [`Sam`], [`Asam`] and [`Ahead`] optimizers step down a
//! gradient that is taken at another point: [`Builder::search`]. One of your own is an [`own::search::Search`].
//!
//! # Coming from burn-optim
//!
//! Option names and defaults are those of PyTorch or of the paper, as each optimizer says. Where
//! burn-optim's differ:
//!
#![doc = include_str!("defaults.md")]
//!
//! burn-optim's `Sgd` has the dampening in its `MomentumConfig`; weight decay of all but `AdamW`
//! is off in both libraries until it is set.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod averaging;
mod descent;
mod lr_scheduler;
mod observe;
pub mod own;
pub mod prelude;
mod range_test;
#[cfg(feature = "registry")]
pub mod registry;
mod trainer;

pub use averaging::{Average, Ema, Lookahead, Mechanic, Swa};
#[doc(inline)]
pub use burn_descent_engine::{
    Build, Deferred, Fused, FusedState, Place, Reading, Rounding, StepError, Store, UnknownStore,
    UnknownWeights, Weights,
};
#[doc(no_inline)]
pub use burn_descent_rules as rules;
pub use burn_descent_rules::optimizers::*;
#[doc(inline)]
pub use burn_descent_rules::{InvalidOption, OptionError, Rule, Schedule, optimizers, schedules};
pub use descent::{
    Ahead, Asam, Attention, BarzilaiBorwein, Batch, BuildError, Builder, Checkpoint,
    CheckpointError, Conjugate, ConjugateGradient, Descent, DescentError, Group, IntoGradients,
    Lbfgs, Line, LineSearch, LossScale, Minimum, Mismatch, NotFinite, Orientation, Plan, QkClip,
    QkClipError, Refused, Report, RetakeError, Sam, Select, Sophia, Statistics, SteepestDescent,
    StepSize, Stop, Transform, Until, Update, sample_labels,
};
#[cfg(feature = "safetensors")]
pub use descent::{PyTorchError, PyTorchMismatch, PyTorchRun};
pub use lr_scheduler::LrSchedule;
#[cfg(feature = "train")]
pub use observe::ReportMetric;
pub use observe::{Csv, Every, JsonLines, Observer};
pub use range_test::{RangeCurve, RangeError, RangePoint, RangeTest};
pub use trainer::Trainer;

/// The examples of the README are run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
