//! What a rule makes of whole matrices, by burn's tensor operations.

use crate::program::{Program, Values};
use crate::{Place, dispatch};
use burn::tensor::{Int, Shape, Tensor, TensorData};
use burn_descent_rules::{Keep, Matrix, Whole, outputs_first};
use core::ops::{Add, Div, Mul, Sub};
use std::sync::Arc;

/// A rule, and where it is asked for what it makes of a whole matrix.
#[derive(Clone)]
pub(crate) struct Asked {
    values: Arc<dyn Values>,
    at: Whole,
}

impl core::fmt::Debug for Asked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Asked").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Program {
    /// The matrices that are kept of a parameter of this shape, beside its states.
    pub(crate) fn keeps(&self, shape: &Shape, place: Place) -> Vec<Keep> {
        if !self.code.sees_whole {
            return Vec::new();
        }
        let view = self.code.view_of(shape, place);
        self.values.keeps(view, &outputs_first(shape.as_slice(), place.by_columns))
    }

    /// The rule, which makes something of whole matrices, at a step.
    pub(crate) fn asked(&self, at: Whole) -> Asked {
        Asked { values: self.values.clone(), at }
    }
}

impl Asked {
    /// The matrices that are kept.
    pub(crate) fn keeps(&self) -> Vec<Keep> {
        self.values.keeps(self.at.view, &self.at.dims)
    }

    /// What the rule makes of a stack of matrices as they lie, for the call with this number in this step.
    pub(crate) fn whole(
        &mut self,
        number: usize,
        x: Tensor<3>,
        kept: &mut Vec<Tensor<3>>,
    ) -> Tensor<3> {
        let Self { values, at } = self;
        at.number = number;
        let by_columns = at.view.by_columns;
        let turn = |x: Tensor<3>| if by_columns { x.swap_dims(1, 2) } else { x };
        let mut matrices: Vec<_> = core::mem::take(kept).into_iter().map(Matrices).collect();
        let made = values.whole(Matrices(turn(x)), &mut matrices, at);
        kept.extend(matrices.into_iter().map(|Matrices(new)| new));
        turn(made.0)
    }
}

/// A stack of matrices on a device.
#[derive(Clone, Debug)]
pub(crate) struct Matrices(pub(crate) Tensor<3>);

macro_rules! by_element {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Matrices {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    )*};
}
by_element!(Add add, Sub sub, Mul mul, Div div);

impl Matrices {
    /// Numbers of eleven bits, as many as TF32 has, and what they leave (Dekker 1971). Numbers above 4e34 become NaN.
    fn halves(&self) -> [Self; 2] {
        const ABOVE: f64 = 8193.0;
        let scaled = self.clone().scale(ABOVE);
        let high = scaled.clone() - (scaled - self.clone());
        [high.clone(), self.clone() - high]
    }
}

impl Matrix for Matrices {
    fn dims(&self) -> [usize; 3] {
        self.0.dims()
    }
    fn reshape(&self, dims: [usize; 3]) -> Self {
        Self(self.0.clone().reshape(dims))
    }
    fn full(&self, dims: [usize; 3], value: f64) -> Self {
        Self(Tensor::full(dims, value, (&self.0.device(), self.0.dtype())))
    }
    fn with(&self, dims: [usize; 3], numbers: Vec<f64>) -> Self {
        let options = (&self.0.device(), self.0.dtype());
        Self(Tensor::from_data(TensorData::new(numbers, dims), options))
    }
    fn read(&self) -> Vec<f64> {
        self.0.to_data().iter::<f64>().collect()
    }
    fn times(&self, other: &Self) -> Self {
        if !dispatch::multiplies_in_tf32(&self.0) {
            return self.times_roughly(other);
        }
        let ([a, a_rest], [b, b_rest]) = (self.halves(), other.halves());
        let rest = a.times_roughly(&b_rest) + a_rest.times_roughly(&b);
        a.times_roughly(&b) + rest
    }
    fn times_roughly(&self, other: &Self) -> Self {
        Self(self.0.clone().matmul(other.0.clone()))
    }
    fn transpose(&self) -> Self {
        Self(self.0.clone().swap_dims(1, 2))
    }
    fn scale(self, by: f64) -> Self {
        Self(self.0.mul_scalar(by))
    }
    fn shift(self, by: f64) -> Self {
        Self(self.0.add_scalar(by))
    }
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    fn sign(self) -> Self {
        // A NaN has no sign on some backends, and must not be hidden.
        let broken = self.0.clone().is_nan();
        Self(self.0.clone().sign().mask_where(broken, self.0))
    }
    fn at_least(self, least: f64) -> Self {
        // Not `clamp_min`, which loses a NaN on some backends.
        let below = self.0.clone().lower_elem(least);
        Self(self.0.mask_fill(below, least))
    }
    fn sum(&self, dim: usize) -> Self {
        Self(self.0.clone().sum_dim(dim))
    }
    fn greatest(&self, dim: usize) -> Self {
        Self(self.0.clone().max_dim(dim))
    }
    fn narrow(&self, dim: usize, start: usize, length: usize) -> Self {
        Self(self.0.clone().narrow(dim, start, length))
    }
    fn pick(&self, dim: usize, places: &[usize]) -> Self {
        let numbers: Vec<i64> = places.iter().map(|place| *place as i64).collect();
        let data = TensorData::new(numbers, [places.len()]);
        let places = Tensor::<1, Int>::from_data(data, &self.0.device());
        Self(self.0.clone().select(dim, places))
    }
    fn join(parts: Vec<Self>, dim: usize) -> Self {
        Self(Tensor::cat(parts.into_iter().map(|part| part.0).collect(), dim))
    }
}
