//! Matrices in memory, by loops: the oracle for all others.

use super::Matrix;
use crate::Real;
use core::ops::{Add, Div, Mul, Sub};

/// A stack of matrices, row after row.
#[derive(Clone, Debug)]
pub(crate) struct Dense<R> {
    pub(crate) dims: [usize; 3],
    pub(crate) numbers: Vec<R>,
}

impl<R: Real + Into<f64>> Dense<R> {
    fn at(&self, at: [usize; 3]) -> R {
        let [_, rows, columns] = self.dims;
        let [b, r, c] = [0, 1, 2].map(|dim| if self.dims[dim] == 1 { 0 } else { at[dim] });
        self.numbers[(b * rows + r) * columns + c]
    }

    fn each(dims: [usize; 3], number: impl Fn([usize; 3]) -> R) -> Self {
        let [matrices, rows, columns] = dims;
        let places = (0..matrices * rows * columns)
            .map(|place| [place / (rows * columns), place / columns % rows, place % columns]);
        Self { dims, numbers: places.map(number).collect() }
    }

    fn map(self, f: impl Fn(R) -> R) -> Self {
        Self { dims: self.dims, numbers: self.numbers.into_iter().map(f).collect() }
    }

    fn pairs(self, other: Self, f: impl Fn(R, R) -> R) -> Self {
        let dims = [0, 1, 2].map(|dim| self.dims[dim].max(other.dims[dim]));
        Self::each(dims, |at| f(self.at(at), other.at(at)))
    }

    fn folded(&self, dim: usize, f: impl Fn(R, R) -> R) -> Self {
        let mut dims = self.dims;
        dims[dim] = 1;
        Self::each(dims, |at| {
            let of = (0..self.dims[dim]).map(|place| {
                let mut at = at;
                at[dim] = place;
                self.at(at)
            });
            of.reduce(&f).unwrap_or(R::lit(0.0))
        })
    }
}

macro_rules! by_element {
    ($($trait:ident $method:ident),*) => {$(
        impl<R: Real + Into<f64>> $trait for Dense<R> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.pairs(other, |a, b| a.$method(b))
            }
        }
    )*};
}
by_element!(Add add, Sub sub, Mul mul, Div div);

impl<R: Real + Into<f64>> Matrix for Dense<R> {
    fn dims(&self) -> [usize; 3] {
        self.dims
    }
    fn reshape(&self, dims: [usize; 3]) -> Self {
        Self { dims, numbers: self.numbers.clone() }
    }
    fn full(&self, dims: [usize; 3], value: f64) -> Self {
        Self::each(dims, |_| R::lit(value))
    }
    fn with(&self, dims: [usize; 3], numbers: Vec<f64>) -> Self {
        Self { dims, numbers: numbers.into_iter().map(R::lit).collect() }
    }
    fn read(&self) -> Vec<f64> {
        self.numbers.iter().map(|x| (*x).into()).collect()
    }
    fn times(&self, other: &Self) -> Self {
        let ([a, rows, inner], [b, _, columns]) = (self.dims, other.dims);
        Self::each([a.max(b), rows, columns], |[m, r, c]| {
            let product = |k| self.at([m, r, k]) * other.at([m, k, c]);
            (0..inner).map(product).reduce(|a, b| a + b).unwrap_or(R::lit(0.0))
        })
    }
    fn transpose(&self) -> Self {
        let [matrices, rows, columns] = self.dims;
        Self::each([matrices, columns, rows], |[m, r, c]| self.at([m, c, r]))
    }
    fn scale(self, by: f64) -> Self {
        self.map(|x| x * R::lit(by))
    }
    fn shift(self, by: f64) -> Self {
        self.map(|x| x + R::lit(by))
    }
    fn sqrt(self) -> Self {
        self.map(R::sqrt)
    }
    fn abs(self) -> Self {
        self.map(R::abs)
    }
    fn sign(self) -> Self {
        self.map(R::sign)
    }
    fn at_least(self, least: f64) -> Self {
        self.map(|x| x.max(R::lit(least)))
    }
    fn sum(&self, dim: usize) -> Self {
        self.folded(dim, |a, b| a + b)
    }
    fn greatest(&self, dim: usize) -> Self {
        self.folded(dim, R::max)
    }
    fn narrow(&self, dim: usize, start: usize, length: usize) -> Self {
        let mut dims = self.dims;
        dims[dim] = length;
        Self::each(dims, |mut at| {
            at[dim] += start;
            self.at(at)
        })
    }
    fn pick(&self, dim: usize, places: &[usize]) -> Self {
        let mut dims = self.dims;
        dims[dim] = places.len();
        Self::each(dims, |mut at| {
            at[dim] = places[at[dim]];
            self.at(at)
        })
    }
    fn join(parts: Vec<Self>, dim: usize) -> Self {
        let mut dims = parts[0].dims;
        dims[dim] = parts.iter().map(|part| part.dims[dim]).sum();
        Self::each(dims, |mut at| {
            let mut of = parts.iter();
            loop {
                let part = of.next().expect("the place is in one of the parts");
                match at[dim].checked_sub(part.dims[dim]) {
                    Some(beyond) => at[dim] = beyond,
                    None => return part.at(at),
                }
            }
        })
    }
}
