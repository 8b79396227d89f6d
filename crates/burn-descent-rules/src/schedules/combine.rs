//! Schedules made of others.

use super::anneal::between;
use super::steps;
use crate::{Bound, InvalidOption, Range, Schedule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A straight line up to the beginning of a schedule, then that schedule from its beginning.
///
/// ```text
/// η(t) = start + (s(0) − start) t / steps    for t < steps
/// η(t) = s(t − steps)                        after
/// ```
///
/// Rises from `start`, 0 if not set, and joins the schedule without a jump. It comes before the
/// schedule and takes nothing from its length. First in Goyal et al. 2017,
/// <https://arxiv.org/abs/1706.02677>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{Linear, Schedule};
///
/// let lr = Linear::new(1.0, 10).warmup(4).start(0.2);
/// assert_eq!((lr.at(0), lr.at(2), lr.at(4), lr.at(9)), (0.2, 0.6, 1.0, 0.5));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
pub struct Warmup<S> {
    /// What comes after the warmup.
    #[setters(skip)]
    pub schedule: S,
    /// Length of the warmup; with 0 there is none.
    #[setters(skip)]
    pub steps: u64,
    /// Where it begins, >= 0. Default 0.
    pub start: f64,
}

impl<S> Warmup<S> {
    /// A warmup from 0 for a schedule; the same as [`Schedule::warmup`].
    pub fn new(schedule: S, steps: u64) -> Self {
        Self { schedule, steps, start: 0.0 }
    }
}

impl<S: Schedule> Schedule for Warmup<S> {
    fn name(&self) -> &'static str {
        "warmup"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![Range::NonNegative.of("start", self.start)]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        self.schedule.check()
    }

    fn at(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            Some(step) => self.schedule.at(step),
            // From the value down to the start: exact in small numbers where that is 0.
            None => {
                let risen = step as f64 / self.steps as f64;
                between(self.schedule.at(0), self.start, risen)
            }
        }
    }
}

/// A schedule for so many steps, then another from its beginning; made by [`Schedule::then`].
///
/// ```text
/// η(t) = first(t)            for t < steps
/// η(t) = next(t − steps)     after
/// ```
///
/// Where the first does not end on the beginning of the next, it jumps.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{Schedule, Then};
///
/// let lr: Then<f64, Then<f64, f64>> = 0.1.then(10, 0.05.then(20, 0.005));
/// assert_eq!((lr.at(9), lr.at(10), lr.at(30)), (0.1, 0.05, 0.005));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then<A, B> {
    /// The schedule of the first steps.
    pub first: A,
    /// How many they are, > 0.
    pub steps: u64,
    /// The schedule after them.
    pub next: B,
}

impl<A: Schedule, B: Schedule> Schedule for Then<A, B> {
    fn name(&self) -> &'static str {
        "then"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![steps("steps", self.steps)]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        self.first.check()?;
        self.next.check()
    }

    fn at(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            Some(step) => self.next.at(step),
            None => self.first.at(step),
        }
    }
}

/// The product of two schedules, `η(t) = schedule(t) factor(t)`; made by [`Schedule::times`].
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::schedules::{Linear, Schedule};
///
/// let lr = Linear::new(1.0, 4).times(0.5);
/// assert_eq!((lr.at(0), lr.at(2), lr.at(4)), (0.5, 0.25, 0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times<A, B> {
    /// The one.
    pub schedule: A,
    /// The other.
    pub factor: B,
}

impl<A: Schedule, B: Schedule> Schedule for Times<A, B> {
    fn name(&self) -> &'static str {
        "times"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![]
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        self.schedule.check()?;
        self.factor.check()
    }

    fn at(&self, step: u64) -> f64 {
        self.schedule.at(step) * self.factor.at(step)
    }
}

/// The constant schedule.
impl Schedule for f64 {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn bounds(&self) -> Vec<Bound> {
        vec![Range::NonNegative.of("value", *self)]
    }

    fn at(&self, _step: u64) -> f64 {
        *self
    }
}

/// A schedule behind a pointer is the schedule.
macro_rules! behind {
    ($($pointer:ident),*) => {$(
        impl<S: Schedule + ?Sized> Schedule for $pointer<S> {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn bounds(&self) -> Vec<Bound> {
                (**self).bounds()
            }
            fn conflict(&self) -> Result<(), InvalidOption> {
                (**self).conflict()
            }
            fn at(&self, step: u64) -> f64 {
                (**self).at(step)
            }
        }
    )*};
}
behind!(Box, Arc);
