//! Whole matrices, for rules that look past rows and columns: each rule's text over [`Matrix`], which every
//! engine has.

mod dense;
#[cfg(feature = "matrix")]
mod methods;

pub(crate) use dense::Dense;
#[cfg(feature = "matrix")]
pub use methods::*;

use crate::noise::Draw;
use crate::{Domain, View};
use core::ops::{Add, Div, Mul, Sub};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stack of matrices, and the arithmetic that [`Rule::whole`](crate::Rule::whole) may use: on the device of the
/// parameter, in the precision that its states have.
///
/// Its dimensions are how many matrices there are, their rows and their columns. `+`, `-`, `*` and `/` go element by
/// element; where one of the two has one number in a dimension it stands for all of them.
pub trait Matrix:
    Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Matrices, rows, columns.
    fn dims(&self) -> [usize; 3];
    /// The same numbers in the same order.
    fn reshape(&self, dims: [usize; 3]) -> Self;
    /// This number everywhere, beside this one and in its precision.
    fn full(&self, dims: [usize; 3], value: f64) -> Self;
    /// These numbers, beside this one and in its precision.
    fn with(&self, dims: [usize; 3], numbers: Vec<f64>) -> Self;
    /// The numbers. Waits for the device.
    fn read(&self) -> Vec<f64>;
    /// The product of each matrix with that of the other; one matrix stands for a whole stack.
    fn times(&self, other: &Self) -> Self;
    /// The same where eleven bits of each factor are enough, which some devices have faster.
    fn times_roughly(&self, other: &Self) -> Self {
        self.times(other)
    }
    /// Rows and columns exchanged.
    fn transpose(&self) -> Self;
    /// Each number times this one.
    fn scale(self, by: f64) -> Self;
    /// This number added to each.
    fn shift(self, by: f64) -> Self;
    /// Square roots.
    fn sqrt(self) -> Self;
    /// Absolute values.
    fn abs(self) -> Self;
    /// 1, -1, or 0 for 0.
    fn sign(self) -> Self;
    /// Each number, or this one where that is greater. A NaN may be lost.
    fn at_least(self, least: f64) -> Self;
    /// The sums over a dimension, which has one number then.
    fn sum(&self, dim: usize) -> Self;
    /// The greatest of a dimension, which has one number then.
    fn greatest(&self, dim: usize) -> Self;
    /// A part of a dimension.
    fn narrow(&self, dim: usize, start: usize, length: usize) -> Self;
    /// The slices of a dimension at these places, in this order.
    fn pick(&self, dim: usize, places: &[usize]) -> Self;
    /// Parts one after another.
    fn join(parts: Vec<Self>, dim: usize) -> Self;

    /// The product with the transpose: rows × rows.
    fn gram(&self) -> Self {
        self.times(&self.transpose())
    }

    /// The sum of each matrix.
    fn total(&self) -> Self {
        self.sum(2).sum(1)
    }

    /// The root of the sum of squares of each matrix.
    fn norm(&self) -> Self {
        (self.clone() * self.clone()).total().sqrt()
    }

    /// One identity matrix, beside this.
    fn identity(&self, size: usize) -> Self {
        let mut numbers = vec![0.0; size * size];
        numbers.iter_mut().step_by(size + 1).for_each(|x| *x = 1.0);
        self.with([1, size, size], numbers)
    }

    /// The new average of what was averaged and of this: `β a + (1 − β) x`.
    fn averaged_with(self, average: &Self, beta: f64) -> Self {
        average.clone().scale(beta) + self.scale(1.0 - beta)
    }
}

/// Where [`Rule::whole`](crate::Rule::whole) is asked.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The number of this call among those of [`whole`](crate::Over::whole) in the text of the update, from 0.
    pub number: usize,
    /// The step, from 1.
    pub t: u64,
    /// Its learning rate.
    pub lr: f64,
    /// How the tensor is seen.
    pub view: View,
    /// Its dimensions, the outputs first: those of one matrix are rows and columns.
    pub dims: Vec<usize>,
    /// What is [remembered](crate::Rule::memory) of it, as of this step.
    pub memory: Vec<f64>,
    /// Its random numbers.
    #[doc(hidden)]
    pub random: Random,
    /// How many refreshes have failed, for all clones.
    #[doc(hidden)]
    pub failed: Arc<AtomicU64>,
}

/// Where random numbers are from.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Random {
    /// Numbers that follow from seed, step and parameter, where the rule has a [seed](crate::Rule::seed).
    pub draw: Option<Draw>,
    /// How many of them have been drawn.
    pub drawn: usize,
    /// Numbers that come before them: those that another library has drawn, or bases that it has found.
    pub recorded: VecDeque<Vec<f64>>,
}

impl Whole {
    /// What a refresh of a root, a basis or a factor has found. Where it has failed, so that the last one is kept, it is
    /// counted for the report.
    pub fn refreshed<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_none() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// The next normal random numbers of this step, of deviation 1: other ones each time. The rule must have a
    /// [seed](crate::Rule::seed).
    pub fn normal<M: Matrix>(&mut self, beside: &M, dims: [usize; 3]) -> M {
        if let Some(recorded) = self.recorded(beside, dims) {
            return recorded;
        }
        let count: usize = dims.iter().product();
        let Random { draw, drawn, .. } = &mut self.random;
        let first = *drawn;
        *drawn += count;
        let normal = |place| draw.map_or(0.0, |draw| draw.normal(first + place));
        beside.with(dims, (0..count).map(normal).collect())
    }

    /// What another library had in the place of such matrices, where that is known. Numbers of another size before it
    /// were of no use there.
    pub(crate) fn recorded<M: Matrix>(&mut self, beside: &M, dims: [usize; 3]) -> Option<M> {
        let count: usize = dims.iter().product();
        while let Some(numbers) = self.random.recorded.pop_front() {
            if numbers.len() == count {
                return Some(beside.with(dims, numbers));
            }
        }
        None
    }
}

/// Matrices that are kept of a parameter from step to step, beside its states.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// Their name in a file.
    pub name: String,
    /// Their dimensions.
    pub dims: [usize; 3],
    /// What they are before the first step.
    pub start: Start,
}

/// What matrices are before the first step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// This number everywhere.
    Full(f64),
    /// This number on the diagonal, and 0 elsewhere.
    Diagonal(f64),
}

impl Keep {
    /// Zeros.
    pub fn zeros(name: impl Into<String>, dims: [usize; 3]) -> Self {
        Self { name: name.into(), dims, start: Start::Full(0.0) }
    }

    /// How many numbers they are.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Is there no number?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers before the first step.
    pub fn numbers(&self) -> Vec<f64> {
        let [_, rows, columns] = self.dims;
        let number = |place: usize| match self.start {
            Start::Full(value) => value,
            Start::Diagonal(value) if place / columns % rows == place % columns => value,
            Start::Diagonal(_) => 0.0,
        };
        (0..self.len()).map(number).collect()
    }
}

/// The dimensions of a tensor of this shape with the outputs first, as [`Whole::dims`].
pub fn outputs_first(shape: &[usize], by_columns: bool) -> Vec<usize> {
    let mut dims = match shape {
        [] => vec![1],
        [len] => vec![1, *len],
        _ => shape.to_vec(),
    };
    if by_columns && shape.len() > 1 {
        dims.rotate_left(1);
    }
    dims
}

impl View {
    /// The dimensions of the stack of matrices as they lie in memory, to be [turned](Matrix::transpose) where they lie
    /// by columns.
    pub fn stored(self) -> [usize; 3] {
        let View { matrices, rows, columns, by_columns, .. } = self;
        if by_columns { [matrices, columns, rows] } else { [matrices, rows, columns] }
    }

    /// Those of what there is one number of for each of a domain, likewise.
    pub fn stored_of(self, of: Domain) -> [usize; 3] {
        let View { matrices, rows, columns, .. } = self;
        let (matrices, rows, columns) = match of {
            Domain::Element => (matrices, rows, columns),
            Domain::Row => (matrices, rows, 1),
            Domain::Column => (matrices, 1, columns),
            Domain::Matrix => (matrices, 1, 1),
            Domain::Tensor | Domain::Model => (1, 1, 1),
        };
        View { matrices, rows, columns, ..self }.stored()
    }
}
