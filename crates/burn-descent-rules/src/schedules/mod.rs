//! Numbers that depend on the step: learning rates, and any other option that is scheduled.

mod anneal;
mod combine;
mod cosine;
mod cyclic;
mod declare;
mod exponential;
mod inverse_sqrt;
mod multi_step;
mod one_cycle;
mod plateau;
mod polynomial;
mod rex;
mod stable;

pub use anneal::Anneal;
pub use combine::{Then, Times, Warmup};
pub use cosine::{Cosine, CosineRestarts};
pub use cyclic::{Cyclic, Height};
pub use exponential::{Exponential, StepDecay};
pub use inverse_sqrt::{InverseSqrt, Noam};
pub use multi_step::MultiStep;
pub use one_cycle::OneCycle;
pub use plateau::{Better, ReduceOnPlateau, Threshold};
pub use polynomial::{Linear, Polynomial};
pub use rex::Rex;
pub use stable::WarmupStableDecay;

use crate::{Bound, InvalidOption, Range};
use core::fmt::Debug;

/// A number that depends on the step, such as the learning rate.
///
/// A schedule is a pure function of the step, from 0: it remembers nothing, so there is nothing
/// to save but the step. A plain `f64` is the constant one. Where a schedule has an end, it is
/// reached at the step that is its length, and the schedule stays there.
///
/// They combine: [`warmup`](Schedule::warmup) goes before any, [`then`](Schedule::then) puts one
/// after another, [`times`](Schedule::times) multiplies two.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{Cosine, Linear, Schedule};
///
/// let lr = Cosine::new(1e-3, 10_000).warmup(500);
/// lr.check()?;
/// assert_eq!((lr.at(0), lr.at(500), lr.at(20_000)), (0.0, 1e-3, 0.0));
///
/// // Constant for 100 steps, then down to 0 in 50; and a tenth of it for another group.
/// let lr = 0.5_f64.then(100, Linear::new(0.5, 50));
/// assert_eq!((lr.at(0), lr.at(100), lr.at(125), lr.at(150)), (0.5, 0.5, 0.25, 0.0));
/// assert_eq!(lr.times(0.1).at(125), 0.025);
///
/// let error = Cosine::new(1e-3, 0).warmup(500).check().unwrap_err();
/// assert_eq!(error.to_string(), "cosine: steps = 0 is not allowed, it must be a number > 0");
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
pub trait Schedule: Debug + Send + Sync + 'static {
    /// Its name in messages: `cosine`.
    fn name(&self) -> &'static str;

    /// Every numeric option of its own with its value and range.
    fn bounds(&self) -> Vec<Bound>;

    /// Options that cannot go together, and what is wrong with the schedules it is made of; nothing
    /// by default.
    fn conflict(&self) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// The number at a step, from 0. Its cost does not depend on the step.
    fn at(&self, step: u64) -> f64;

    /// Are all options allowed?
    ///
    /// # Errors
    /// The first option that is not, with its value and what is allowed.
    fn check(&self) -> Result<(), InvalidOption> {
        self.bounds().iter().try_for_each(|bound| bound.check(self.name()))?;
        self.conflict()
    }

    /// A straight line from 0 to the beginning of this schedule in so many steps, then this one. With 0
    /// steps there is no warmup.
    fn warmup(self, steps: u64) -> Warmup<Self>
    where
        Self: Sized,
    {
        Warmup::new(self, steps)
    }

    /// This schedule for so many steps, then the other from its beginning.
    fn then<S: Schedule>(self, steps: u64, next: S) -> Then<Self, S>
    where
        Self: Sized,
    {
        Then { first: self, steps, next }
    }

    /// The product of this schedule and another, such as a constant factor.
    fn times<S: Schedule>(self, factor: S) -> Times<Self, S>
    where
        Self: Sized,
    {
        Times { schedule: self, factor }
    }
}

/// A number of steps, to be held against the range of all of them.
fn steps(option: &'static str, steps: u64) -> Bound {
    Range::Positive.of(option, steps as f64)
}
