//! Methods that look at the loss more than once a step.

mod ahead;
mod barzilai_borwein;
mod conjugate;
mod ground;
mod iterate;
mod lbfgs;
mod line;
mod memory;
mod minimize;
mod sam;
mod sophia;
mod steepest;
mod step;
mod terrain;
mod vector;

pub use ahead::Ahead;
pub use barzilai_borwein::{BarzilaiBorwein, StepSize};
pub use conjugate::{Conjugate, ConjugateGradient};
pub use ground::{Ground, Look};
pub use lbfgs::Lbfgs;
pub use line::LineSearch;
pub use memory::Memory;
pub use minimize::{Minimum, Until};
pub use sam::{Asam, Sam};
pub use sophia::{Sophia, sample_labels};
pub use steepest::SteepestDescent;
pub use vector::Vector;

pub(super) use terrain::put;

use super::DescentError;
use burn_descent_rules::InvalidOption;
use core::fmt::{self, Debug};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A method that looks at the loss more than once a step: it gets the [`Ground`], where it evaluates loss
/// and gradients at the weights or elsewhere, and says where the step goes.
///
/// There are two kinds, which begin in two ways and answer with two kinds of [`Step`]:
///
/// | | begins with | answers with |
/// |---|---|---|
/// | finds a gradient, down which optimizers step: [`Sam`](crate::Sam), [`Asam`](crate::Asam), [`Ahead`](crate::Ahead) | [`Descent::builder`](crate::Descent::builder)`(optimizer)`[`.search`](crate::Builder::search)`(..)` | [`Step::Down`] |
/// | moves the weights itself: [`Lbfgs`](crate::Lbfgs), [`ConjugateGradient`](crate::ConjugateGradient), [`BarzilaiBorwein`](crate::BarzilaiBorwein), [`SteepestDescent`](crate::SteepestDescent), [`Sophia`](crate::Sophia) | [`Descent::search`](crate::Descent::search)`(..)` | [`Step::To`] |
///
/// There is none that needs second derivatives, such as AdaHessian, and Sophia with Hutchinson's estimate
/// ([`Sophia`](crate::Sophia) takes another one): burn's autodiff is of first order, its gradients have no
/// graph. (The product of the Hessian with a direction is a difference of two gradients,
/// `(g(w + ε d) − g(w)) / ε`, to half the digits.)
///
/// Both take their steps with [`Descent::step_with`](crate::Descent::step_with); what they keep is in the
/// [`Memory`], which a checkpoint holds; how often they have looked is in the
/// [report](crate::Report::evaluations). One of your own:
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use burn_descent::own::search::{Ground, Memory, Search, Step};
/// use burn_descent::{Build, Descent, DescentError, Sgd};
///
/// /// The extragradient method (Korpelevich 1976): the gradient where a step down the gradient leads.
/// #[derive(Debug)]
/// struct Extragradient;
///
/// impl Search for Extragradient {
///     fn name(&self) -> &'static str {
///         "extragradient"
///     }
///
///     fn step(&self, ground: &mut Ground<'_>, _: &mut Memory) -> Result<Step, DescentError> {
///         let g = ground.look()?.gradient;
///         let there = ground.weights().clone().add(-ground.lr(), &g);
///         Ok(Step::Down(ground.look_at(&there)?.gradient))
///     }
/// }
///
/// let device = Device::default().autodiff();
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let builder = Descent::builder(Sgd::new().build()?).lr(0.1).search(Extragradient);
/// let mut descent = builder.build(&model)?;
/// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
/// let loss = |model: &Linear| (model.forward(x.clone()) - x.clone().sum_dim(1)).square().mean();
/// let (model, report, _) = descent.step_with(model, loss)?;
/// assert_eq!(report.evaluations, Some(2));
/// # drop(model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Search: Debug + Send + Sync + 'static {
    /// Its name, in small letters: the plan, errors and checkpoints show it.
    fn name(&self) -> &'static str;

    /// Are its options in their ranges?
    ///
    /// # Errors
    /// The first that is not. [`Builder::build`](crate::Builder::build) refuses it then.
    fn check(&self) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// Where the step goes. All options have to be in its `Debug`: a checkpoint compares that text.
    ///
    /// # Errors
    /// Those of [`Ground::look`]. Weights, states and memory are then as they were.
    fn step(&self, ground: &mut Ground<'_>, memory: &mut Memory) -> Result<Step, DescentError>;

    /// Does it ask [where the optimizers would go](Ground::ahead) by themselves? A walk whose optimizers
    /// cannot say is refused when it is built.
    fn asks_ahead(&self) -> bool {
        false
    }

    /// How many vectors it keeps in its memory at most, for the [plan](crate::Plan).
    fn vectors(&self) -> usize {
        0
    }
}

/// A search that was chosen at run time.
impl Search for Arc<dyn Search> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn check(&self) -> Result<(), InvalidOption> {
        (**self).check()
    }

    fn step(&self, ground: &mut Ground<'_>, memory: &mut Memory) -> Result<Step, DescentError> {
        (**self).step(ground, memory)
    }

    fn asks_ahead(&self) -> bool {
        (**self).asks_ahead()
    }

    fn vectors(&self) -> usize {
        (**self).vectors()
    }
}

/// Where a step of a [`Search`] goes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Wherever the optimizers go down this gradient. Of a parameter that it has nothing of nothing
    /// changes. (Where the loss is scaled, gradients are too.)
    Down(Vector),
    /// To these weights.
    To(Arrival),
}

/// Where a [`Search`] that moves the weights itself has come to.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The weights from now on.
    pub weights: Vector,
    /// Loss and gradient there, if it has looked: [`Descent::minimize`](crate::Descent::minimize) does
    /// not look again.
    pub look: Option<Look>,
    /// Why the step ends here.
    pub stop: Stop,
}

/// Why a step of a [`Search`] that moves the weights itself ended, or a whole
/// [`minimize`](crate::Descent::minimize).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// No element of the gradient is larger than `tolerance_grad`: this is a stationary point.
    Gradient,
    /// Weights or loss have moved less than `tolerance_change`.
    Change,
    /// The direction does not descend, or nothing lower was found along it: the precision of the loss is
    /// used up, or its gradient is not that of the loss.
    NoDescent,
    /// The loss is NaN or infinite where the step led. The weights are the last ones before.
    NotFinite,
    /// The step has made its `max_iter` iterations.
    Iterations,
    /// The loss was evaluated as often as allowed.
    Evaluations,
    /// As many steps were taken as allowed.
    Steps,
    /// The loss is as small as was asked for.
    Loss,
}

/// As reports have it: `no_descent`.
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gradient => "gradient",
            Self::Change => "change",
            Self::NoDescent => "no_descent",
            Self::NotFinite => "not_finite",
            Self::Iterations => "iterations",
            Self::Evaluations => "evaluations",
            Self::Steps => "steps",
            Self::Loss => "loss",
        })
    }
}

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Stop {
    /// Would another step of the same search, at the same loss, be of no use?
    pub fn is_final(self) -> bool {
        matches!(self, Self::Gradient | Self::Change | Self::NoDescent | Self::NotFinite)
    }
}
