//! What a rule sees beyond its element.

use crate::{Domain, Real};

/// How many numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// The greatest of them.
    Max,
    /// No number: what the rule makes of the whole matrix, [`Rule::whole`](crate::Rule::whole).
    Whole,
}

impl Fold {
    /// Two numbers made one.
    pub fn put<R: Real>(self, a: R, b: R) -> R {
        match self {
            Self::Sum => a + b,
            Self::Max => a.max(b),
            Self::Whole => b,
        }
    }
}

/// What a rule sees beyond its element: sums over a row, a column, the tensor or the model, and random
/// numbers. [`Rule::update`](crate::Rule::update) asks for them where its text needs them.
///
/// An engine calls `update` once a stage: first to learn what the sums are of, at last to step, and in
/// between where a sum is of what follows from another one. So the text must ask for the same sums, in the
/// same order, whatever the numbers are: no `if` on numbers around a sum, as anywhere in a rule.
///
/// Sums are deterministic, the same bits for any number of threads; on a CPU they are taken in f64.
pub trait Over<R: Real> {
    /// `x` of all elements that a number of the domain `to` stands for, made one. An element of which
    /// `x` is the same number as of others counts as often as there are of it.
    fn fold(&mut self, fold: Fold, to: Domain, x: R) -> R;

    /// How many elements a number of a domain stands for.
    fn count(&self, of: Domain) -> R;

    /// A normal random number of deviation 1 for this element and step, from
    /// [`Rule::seed`](crate::Rule::seed): the same on every engine. None is beyond six deviations. Asked
    /// twice in a step, it is the same number.
    fn normal(&mut self) -> R;

    /// The sum of `x`.
    #[inline(always)]
    fn sum(&mut self, to: Domain, x: R) -> R {
        self.fold(Fold::Sum, to, x)
    }

    /// The greatest `x`. Of a NaN it may be any number.
    #[inline(always)]
    fn max(&mut self, to: Domain, x: R) -> R {
        self.fold(Fold::Max, to, x)
    }

    /// What [`Rule::whole`](crate::Rule::whole) makes of the matrix of all `x`.
    #[inline(always)]
    fn whole(&mut self, x: R) -> R {
        self.fold(Fold::Whole, Domain::Element, x)
    }

    /// The mean of `x`.
    #[inline(always)]
    fn mean(&mut self, to: Domain, x: R) -> R {
        // The share of one is the same for many elements; a division by the count would be each one's.
        self.sum(to, x) * (R::lit(1.0) / self.count(to))
    }

    /// The root of the mean of `x²`.
    #[inline(always)]
    fn rms(&mut self, to: Domain, x: R) -> R {
        self.mean(to, x * x).sqrt()
    }

    /// The root of the sum of `x²`.
    #[inline(always)]
    fn norm(&mut self, to: Domain, x: R) -> R {
        self.sum(to, x * x).sqrt()
    }
}
