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
    /// Cube root of a number >= 0; NaN for NaN. A few ulp, except of denormal numbers.
    fn cbrt(self) -> Self;
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

    /// Arc tangent, from operations that every engine has; NaN for NaN.
    #[inline(always)]
    fn atan(self) -> Self {
        let one = Self::lit(1.0);
        let x = self.abs();
        let steep = one.lt(x);
        // atan x = π/2 − atan 1/x; atan t = 2 atan (t / (1 + √(1 + t²))): twice, to at most 0.199.
        let mut t = Self::select(steep, one / x, x);
        for _ in 0..2 {
            t = t / (one + (one + t * t).sqrt());
        }
        // The series t − t³/3 + t⁵/5 − .., of which what is left out is 2e-17 of it.
        let square = t * t;
        let mut series = Self::lit(1.0 / 21.0);
        for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
            series = Self::lit(1.0 / odd) - square * series;
        }
        let angle = Self::lit(4.0) * t * series;
        let angle = Self::select(steep, Self::lit(core::f64::consts::FRAC_PI_2) - angle, angle);
        Self::select(self.lt(Self::lit(0.0)), -angle, angle)
    }

    /// Hyperbolic tangent, from operations that every engine has; NaN for NaN.
    #[inline(always)]
    fn tanh(self) -> Self {
        let one = Self::lit(1.0);
        // Beyond 20 it is ±1. A 64th of that is at most 0.32, where the fraction errs by 3e-19.
        let x = self.clamp(Self::lit(-20.0), Self::lit(20.0)) * Self::lit(1.0 / 64.0);
        let square = x * x;
        let polynomial = |[a, b, c, d]: [f64; 4]| {
            let sum = Self::lit(b) + square * (Self::lit(c) + square * Self::lit(d));
            Self::lit(a) + square * sum
        };
        let above = polynomial([1.0, 17325.0 / 135135.0, 378.0 / 135135.0, 1.0 / 135135.0]);
        let below = polynomial([1.0, 62370.0 / 135135.0, 3150.0 / 135135.0, 28.0 / 135135.0]);
        let mut t = x * above / below;
        for _ in 0..6 {
            t = (t + t) / (one + t * t);
        }
        t
    }

    /// `1 / (1 + e⁻ˣ)`, from operations that every engine has; NaN for NaN.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let half = Self::lit(0.5);
        half + half * (half * self).tanh()
    }

    /// The nearest number in `[low, high]`; NaN for NaN.
    #[inline(always)]
    fn clamp(self, low: Self, high: Self) -> Self {
        let above = Self::select(self.lt(low), low, self);
        Self::select(high.lt(above), high, above)
    }
}

/// The cube root of `x` from a rough one, by Halley's method in this many steps: an error `e` is
/// `2/3 e³` after a step.
#[inline(always)]
pub(crate) fn cbrt_from<R: Real>(rough: R, x: R, steps: usize) -> R {
    // Fractions of x and y³, which do not overflow where their sums do.
    let [half, fourth] = [0.5, 0.25].map(R::lit);
    let mut y = rough;
    for _ in 0..steps {
        let cube = y * y * y;
        y = y * ((fourth * cube + half * x) / (half * cube + fourth * x));
    }
    // 0, infinity and NaN are their own roots.
    R::select(x.lt(x + x), y, x)
}

/// A cube root that is off by 4 % at most: the exponent is divided by three, and with it the rest,
/// which is nearly a logarithm. The constant is fdlibm's.
trait RoughCbrt {
    fn rough_cbrt(self) -> Self;
}

impl RoughCbrt for f32 {
    #[inline(always)]
    fn rough_cbrt(self) -> Self {
        f32::from_bits(self.to_bits() / 3 + 709_958_130)
    }
}

impl RoughCbrt for f64 {
    #[inline(always)]
    fn rough_cbrt(self) -> Self {
        // The upper half is enough, and has vector instructions.
        let upper = (self.to_bits() >> 32) as u32 / 3 + 715_094_163;
        f64::from_bits(u64::from(upper) << 32)
    }
}

macro_rules! impl_real {
    ($($t:ident $steps:literal),*) => {$(
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
            fn cbrt(self) -> Self {
                cbrt_from(self.rough_cbrt(), self, $steps)
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
impl_real!(f32 2, f64 3);

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
    fn atan_is_the_arc_tangent() {
        let mut worst = 0.0_f64;
        for i in 0..40_000 {
            let x = 10f64.powf(f64::from(i) / 2000.0 - 10.0);
            worst = worst.max((Real::atan(x) / f64::atan(x) - 1.0).abs());
            let error = Real::atan(x as f32) / f32::atan(x as f32) - 1.0;
            assert!(error.abs() < 4.0 * f32::EPSILON, "{x:e}: {error:e}");
            assert_eq!(Real::atan(-x), -Real::atan(x));
        }
        assert!(worst < 1e-15, "{worst:e}");
        assert_eq!([0.0, f64::INFINITY].map(Real::atan), [0.0, core::f64::consts::FRAC_PI_2]);
        assert!(Real::atan(f64::NAN).is_nan());
    }

    #[test]
    fn tanh_is_the_hyperbolic_tangent() {
        for i in 0..20_000 {
            let x = 10f64.powf(f64::from(i) / 1000.0 - 18.0);
            let error = Real::tanh(x) / f64::tanh(x) - 1.0;
            assert!(error.abs() < 2e-15, "{x:e}: {error:e}");
            let error = Real::tanh(x as f32) / f32::tanh(x as f32) - 1.0;
            assert!(error.abs() < 8.0 * f32::EPSILON, "{x:e}: {error:e}");
            assert_eq!(Real::tanh(-x), -Real::tanh(x));
        }
        assert_eq!([0.0, 1e300, f64::INFINITY].map(Real::tanh), [0.0, 1.0, 1.0]);
        assert!(Real::tanh(f64::NAN).is_nan());
    }

    #[test]
    fn clamp_leaves_what_is_inside_and_nan() {
        let clamped = [-2.0, -1.0, 0.5, f64::INFINITY].map(|x| Real::clamp(x, -1.0, 1.0));
        assert_eq!(clamped, [-1.0, -1.0, 0.5, 1.0]);
        assert!(Real::clamp(f64::NAN, -1.0, 1.0).is_nan());
    }
}
