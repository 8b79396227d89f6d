//! The arithmetic an update rule may use.

use core::ops::{Add, Div, Mul, Neg, Sub};

/// One element of a parameter, of its gradient or of its state, inside a rule.
///
/// Interpreted as a number (`f32`, `f64`) or as a [`Symbol`](crate::Symbol). Every operation is
/// element-wise and deterministic: the same numbers give the same bits, whatever the vector width
/// or the number of threads. NaN: `max` with a NaN is unspecified, everything else propagates it.
pub trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The answer of a comparison, consumed by [`Real::select`].
    type Mask: Copy;

    /// A constant of the rule, such as `R::lit(0.5)`.
    fn lit(value: f64) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The greater of the two.
    fn max(self, other: Self) -> Self;
    /// Is `self < other`? False when either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `if mask { yes } else { no }`, without a branch.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// -1, 0 or 1; 0 for zero and for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = Self::lit(0.0);
        let negative = Self::select(self.lt(zero), Self::lit(-1.0), zero);
        Self::select(zero.lt(self), Self::lit(1.0), negative)
    }
}

macro_rules! impl_real {
    ($($t:ident),*) => {$(
        impl Real for $t {
            type Mask = bool;
            #[inline(always)]
            fn lit(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // Compiles to one `max` instruction, unlike `f32::max` with its rules for NaN.
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }
        }
    )*};
}
impl_real!(f32, f64);

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn sign_is_minus_one_zero_or_one() {
        assert_eq!([-2.0, -0.0, 0.0, 3.0, f64::NAN].map(Real::sign), [-1.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
