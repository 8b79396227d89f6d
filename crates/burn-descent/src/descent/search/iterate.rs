//! What all searches that move the weights themselves have in common: iterations of a direction and a
//! length.

use super::line::{Line, MOST, Ray, Trial};
use super::{Arrival, Ground, LineSearch, Look, Memory, Step, Stop, Vector};
use crate::descent::DescentError;
use burn_descent_rules::InvalidOption;

/// What tells one such search from another.
pub(super) trait Method {
    /// The direction from here, and the length to try first along it.
    fn direction(&self, here: &Here<'_>, last: Option<&Last>, memory: &mut Memory)
    -> (Vector, f64);

    /// Are its own options as they have to be, beyond their ranges?
    fn check_own(&self) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// The loss that a step by backtracking has to be below of: that of where it is.
    fn reference(&self, loss: f64, _memory: &mut Memory) -> f64 {
        loss
    }
}

/// Where an iteration begins.
pub(super) struct Here<'a> {
    pub(super) gradient: &'a Vector,
    pub(super) lr: f64,
}

impl Here<'_> {
    /// The length of a first step: `min(1, 1 / ‖g‖₁) lr`.
    pub(super) fn first(&self) -> f64 {
        f64::min(1.0, 1.0 / self.gradient.absolute()) * self.lr
    }

    /// `−g`.
    pub(super) fn downhill(&self) -> Vector {
        self.gradient.clone().scale(-1.0)
    }
}

/// The iteration before: where it began, and how it went.
pub(super) struct Last {
    pub(super) gradient: Vector,
    pub(super) direction: Vector,
    /// How far it went along its direction, in lengths of it; 0 where it went nowhere.
    pub(super) t: f64,
    /// `⟨g, d⟩`.
    pub(super) slope: f64,
}

const LAST: &str = "last";

impl Last {
    fn of(memory: &mut Memory) -> Option<Self> {
        let [t, slope] = *memory.numbers(LAST).as_slice() else { return None };
        let [gradient, direction] = memory.vectors(LAST).as_slice() else { return None };
        Some(Self { gradient: gradient.clone(), direction: direction.clone(), t, slope })
    }

    fn keep(self, memory: &mut Memory) {
        *memory.numbers(LAST) = vec![self.t, self.slope];
        *memory.vectors(LAST) = vec![self.gradient, self.direction];
    }

    /// `s = t d` and `y = g − g_last`: how far it went, and what that did to the gradient.
    pub(super) fn difference(&self, gradient: &Vector) -> (Vector, Vector) {
        let s = self.direction.clone().scale(self.t);
        (s, gradient.clone().add(-1.0, &self.gradient))
    }
}

/// How long a step goes on.
pub(super) struct Limits {
    pub(super) max_iter: u64,
    /// 0 for 5/4 of `max_iter`, and those of a line search at least.
    pub(super) max_eval: u64,
    pub(super) tolerance_grad: f64,
    pub(super) tolerance_change: f64,
}

impl Limits {
    fn evaluations(&self) -> u64 {
        match self.max_eval {
            0 => (self.max_iter.saturating_mul(5) / 4).max(MOST),
            max_eval => max_eval,
        }
    }
}

/// A step of so many iterations.
///
/// ```text
/// d, t ← the method,    t ← the line search along d,    w ← w + t d
/// ```
pub(super) fn iterate(
    method: &impl Method,
    line: &Line,
    limits: &Limits,
    ground: &mut Ground<'_>,
    memory: &mut Memory,
) -> Result<Step, DescentError> {
    let look = ground.look_for_finite()?;
    let mut here = Trial::start(ground.weights().clone(), look);
    let arrive = |here: Trial, stop| {
        let look = Look { loss: here.loss.into(), gradient: here.gradient };
        Ok(Step::To(Arrival { weights: here.weights, look: Some(look), stop }))
    };
    if here.gradient.largest() <= limits.tolerance_grad {
        return arrive(here, Stop::Gradient);
    }
    let mut iteration = 0;
    loop {
        iteration += 1;
        let last = Last::of(memory);
        let from = Here { gradient: &here.gradient, lr: ground.lr() };
        let (d, first) = method.direction(&from, last.as_ref(), memory);
        let slope = here.gradient.dot(&d);
        let gradient = here.gradient.clone();
        let mut last = Last { gradient, direction: d.clone(), t: 0.0, slope };
        if !(slope <= -limits.tolerance_change && slope < 0.0) {
            last.keep(memory);
            return arrive(here, Stop::NoDescent);
        }
        if line.kind == LineSearch::Fixed && iteration == limits.max_iter {
            // Nobody needs to know the loss there, as in PyTorch.
            last.t = first;
            last.keep(memory);
            let weights = here.weights.add(first, &d);
            return Ok(Step::To(Arrival { weights, look: None, stop: Stop::Iterations }));
        }
        let reference = method.reference(here.loss, memory);
        let left = limits.evaluations().saturating_sub(ground.evaluations());
        let start = Trial { t: 0.0, slope, ..here.clone() };
        let next = line.search(&mut Ray::new(ground, start, &d, reference), first, left)?;
        last.t = next.t;
        last.keep(memory);
        if next.t == 0.0 {
            // With all evaluations of a step there was nothing either.
            let spent = iteration > 1 && ground.evaluations() >= limits.evaluations();
            return arrive(next, if spent { Stop::Evaluations } else { Stop::NoDescent });
        }
        if !next.loss.is_finite() {
            memory.forget();
            return arrive(here, Stop::NotFinite);
        }
        let change = (next.loss - here.loss).abs();
        let moved = next.t * d.largest();
        here = next;
        let stop = if here.gradient.largest() <= limits.tolerance_grad {
            Stop::Gradient
        } else if moved <= limits.tolerance_change || change < limits.tolerance_change {
            Stop::Change
        } else if iteration == limits.max_iter {
            Stop::Iterations
        } else if ground.evaluations() >= limits.evaluations() {
            Stop::Evaluations
        } else {
            continue;
        };
        return arrive(here, stop);
    }
}

/// Declares a search that iterates: options of its own, then those that all have.
macro_rules! solver {
    (
        $(#[$meta:meta])*
        $name:ident = $word:literal, $line:ident, c2 = $c2:literal, keeps $vectors:expr, {
            $($(#[$own_meta:meta])* $own:ident: $kind:ident $(($edge:tt))? = $default:expr,)*
        }
    ) => {
        burn_descent_rules::options! {
            $(#[$meta])*
            pub struct $name {
                $($(#[$own_meta])* $own: $kind $(($edge))? = $default,)*
                /// How the length of an iteration is found.
                line_search: Choice(LineSearch) = LineSearch::$line,
                /// A line search is content with a loss that has fallen by this share of what the slope
                /// promised.
                c1: OpenFraction = 1e-4,
                /// And with a slope that is this share of what it was, where it looks at slopes. More than `c1`.
                c2: OpenFraction = $c2,
                /// Iterations of a step at most.
                max_iter: Count(1) = 20,
                /// Evaluations after which a step begins no new iteration; 0 is 5/4 of `max_iter`, and 25 at
                /// least.
                max_eval: u64 = 0,
                /// The step ends where no element of the gradient is larger.
                tolerance_grad: NonNegative = 1e-7,
                /// The step ends where no weight has moved further, or the loss has changed by less; and
                /// a direction along which the loss does not fall faster does not descend.
                tolerance_change: NonNegative = 1e-9,
            }
        }

        impl $crate::descent::search::Search for $name {
            fn name(&self) -> &'static str {
                $word
            }

            fn check(&self) -> Result<(), burn_descent_rules::InvalidOption> {
                burn_descent_rules::check_options(self, $word)?;
                let least = ("c2", self.c2, self.c2 > self.c1, "a number > c1");
                burn_descent_rules::InvalidOption::unless_all_hold($word, &[least])?;
                self.check_own()
            }

            fn step(
                &self,
                ground: &mut $crate::descent::search::Ground<'_>,
                memory: &mut $crate::descent::search::Memory,
            ) -> Result<$crate::descent::search::Step, $crate::descent::DescentError> {
                let Self { line_search: kind, c1, c2, max_iter, max_eval, .. } = *self;
                let Self { tolerance_grad, tolerance_change, .. } = *self;
                let line = $crate::descent::search::line::Line { kind, c1, c2 };
                let limits = $crate::descent::search::iterate::Limits {
                    max_iter, max_eval, tolerance_grad, tolerance_change,
                };
                $crate::descent::search::iterate::iterate(self, &line, &limits, ground, memory)
            }

            fn vectors(&self) -> usize {
                let vectors: fn(&Self) -> usize = $vectors;
                vectors(self).saturating_add(2)
            }
        }
    };
}
pub(super) use solver;
