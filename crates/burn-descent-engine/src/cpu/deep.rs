//! A number that knows how many sums it follows from.

use burn_descent_rules::Real;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// A number, and how many sums it follows from, one after another. The compiler knows the second of every
/// number in the text of a rule, so what a stage is not for falls away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep<T>(pub(super) T, pub(super) u8);

#[inline(always)]
fn deeper(a: u8, b: u8) -> u8 {
    if a < b { b } else { a }
}

macro_rules! impl_binary {
    ($($operation:ident $method:ident),*) => {$(
        impl<T: Real> $operation for Deep<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), deeper(self.1, other.1))
            }
        }
    )*};
}
impl_binary!(Add add, Sub sub, Mul mul, Div div);

impl<T: Real> Neg for Deep<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, self.1)
    }
}

impl<T: Real> Real for Deep<T> {
    type Mask = (T::Mask, u8);
    const NARROW: bool = T::NARROW;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self(T::lit(value), 0)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1)
    }
    #[inline(always)]
    fn cbrt(self) -> Self {
        Self(self.0.cbrt(), self.1)
    }
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        Self(self.0.powf(exponent.0), deeper(self.1, exponent.1))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0), deeper(self.1, other.1))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        (self.0.lt(other.0), deeper(self.1, other.1))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(T::select(mask.0, yes.0, no.0), deeper(mask.1, deeper(yes.1, no.1)))
    }
}
