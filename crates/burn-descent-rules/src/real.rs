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

    /// -1, 0 or 1; NaN for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = Self::lit(0.0);
        let others = Self::select(self.lt(zero), Self::lit(-1.0), self);
        Self::select(zero.lt(self), Self::lit(1.0), others)
    }

    /// Cube root of a number >= 0, from operations that every engine has; NaN for NaN.
    #[inline(always)]
    fn cbrt(self) -> Self {
        // x^(1/4 + 1/16 + ..) is x^(1/3) but for a factor x^(1/3072), at most 1.3 in f64.
        let mut root = self.sqrt().sqrt();
        let mut y = root;
        for _ in 0..4 {
            root = root.sqrt().sqrt();
            y = y * root;
        }
        // Newton's steps on y³ = x double the digits: a quarter, 0.05, 0.002, 6e-6, 4e-11, 1e-21.
        for _ in 0..5 {
            y = y - (y - self / (y * y)) * Self::lit(1.0 / 3.0);
        }
        // Of 0, infinity and NaN y is NaN, and they are their own roots.
        Self::select(self.lt(self + self), y, self)
    }

    /// The nearest number in `[low, high]`; NaN for NaN.
    #[inline(always)]
    fn clamp(self, low: Self, high: Self) -> Self {
        let above = Self::select(self.lt(low), low, self);
        Self::select(high.lt(above), high, above)
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
        assert_eq!([-2.0, -0.0, 0.0, 3.0].map(Real::sign), [-1.0, 0.0, 0.0, 1.0]);
        assert!(Real::sign(f64::NAN).is_nan());
    }

    #[test]
    fn cbrt_is_the_cube_root() {
        for exponent in -300..=300 {
            let x = 1.7 * 10f64.powi(exponent);
            let error = Real::cbrt(x) / f64::cbrt(x) - 1.0;
            assert!(error.abs() < 4.0 * f64::EPSILON, "{x:e}: {error:e}");
        }
        for exponent in -37..=37 {
            let x = 1.7 * 10f32.powi(exponent);
            let error = Real::cbrt(x) / f32::cbrt(x) - 1.0;
            assert!(error.abs() < 4.0 * f32::EPSILON, "{x:e}: {error:e}");
        }
        assert_eq!([0.0, f64::INFINITY].map(Real::cbrt), [0.0, f64::INFINITY]);
        assert!(Real::cbrt(f64::NAN).is_nan());
    }

    #[test]
    fn clamp_leaves_what_is_inside_and_nan() {
        let clamped = [-2.0, -1.0, 0.5, f64::INFINITY].map(|x| Real::clamp(x, -1.0, 1.0));
        assert_eq!(clamped, [-1.0, -1.0, 0.5, 1.0]);
        assert!(Real::clamp(f64::NAN, -1.0, 1.0).is_nan());
    }
}
