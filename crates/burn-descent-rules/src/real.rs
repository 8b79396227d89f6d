//! The arithmetic an update rule may use.

use crate::power::power;
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

    /// Are seven digits all there are? Then fewer terms of a series are enough.
    const NARROW: bool = false;

    /// A constant of the rule, such as `R::lit(0.5)`.
    fn lit(value: f64) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Cube root of a number >= 0; NaN for NaN. A few ulp, except of denormal numbers.
    fn cbrt(self) -> Self;
    /// The power of a number >= 0 with any finite exponent.
    ///
    /// `x⁰ = 1` for every `x >= 0`; `0ʸ` is 0 for `y > 0` and infinite for `y < 0`, and an infinite `x` the
    /// reverse. NaN for `x < 0`, whatever `y` is, and where either is NaN.
    ///
    /// In f32 within 4 ulp for `x` in 1e-30..=1e30, in f64 within 1e-13 of it for `x` in
    /// 1e-300..=1e300, both for `y` in [-2, 2]. As tensor operations within 20 ulp in f32, an exponent of 128 or
    /// more counts as one below, and one below 2⁻³² as 0 where `x` is 0 or infinite.
    fn powf(self, exponent: Self) -> Self;
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
        self.atan2(Self::lit(1.0))
    }

    /// The angle of `y`, which this is, over `x >= 0`: the arc tangent of their ratio. 0 where `y` is 0,
    /// whatever `x` is; else NaN for NaN, and for two infinities.
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let (zero, y) = (Self::lit(0.0), self.abs());
        // Turned back by an eighth of a circle, or two, so that its tangent is tan π/8 at most:
        // y/x, (y − x)/(x + y), −x/y.
        let (low, high) = (Self::lit(0.414_213_562_373_095_05), Self::lit(2.414_213_562_373_095));
        let (turned, twice) = ((low * x).lt(y), (high * x).lt(y));
        let unless_twice = |z: Self| Self::select(twice, zero, z);
        let if_turned = |z: Self| Self::select(turned, z, zero);
        let t = (unless_twice(y) - if_turned(x)) / (unless_twice(x) + if_turned(y));
        let eighth = Self::lit(core::f64::consts::FRAC_PI_4);
        let begin = Self::select(twice, eighth + eighth, if_turned(eighth));
        let series: &[f64] = if Self::NARROW { &ATAN_NARROW } else { &ATAN };
        let angle = begin + t * polynomial(t * t, series);
        let unless_zero = Self::select(zero.lt(self), angle, self);
        Self::select(self.lt(zero), -angle, unless_zero)
    }

    /// Hyperbolic tangent, from operations that every engine has; NaN for NaN.
    #[inline(always)]
    fn tanh(self) -> Self {
        // Beyond `most` it is ±1. A part of that is small enough for the fraction; then the argument
        // is doubled again and again.
        let (most, doublings) = if Self::NARROW { (9.0, 0) } else { (20.0, 6) };
        let [above, below]: [&[f64]; 2] =
            if Self::NARROW { [&TANH_NARROW[0], &TANH_NARROW[1]] } else { [&TANH[0], &TANH[1]] };
        let part = Self::lit(1.0 / f64::from(1 << doublings));
        let x = self.clamp(Self::lit(-most), Self::lit(most)) * part;
        let square = x * x;
        let mut t = x * polynomial(square, above) / polynomial(square, below);
        for _ in 0..doublings {
            t = (t + t) / (Self::lit(1.0) + t * t);
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

/// `c₀ + x (c₁ + x (c₂ + …))`.
#[inline(always)]
pub(crate) fn polynomial<R: Real>(x: R, coefficients: &[f64]) -> R {
    let (last, others) = coefficients.split_last().expect("there is one");
    others.iter().rev().fold(R::lit(*last), |sum, c| R::lit(*c) + x * sum)
}

/// `atan t / t = 1 − t²/3 + t⁴/5 − …` by powers of `t²`; the next term is below what an f64 can hold
/// up to tan π/8.
const ATAN: [f64; 22] = {
    let mut series = [1.0; 22];
    let mut k = 1;
    while k < series.len() {
        series[k] = -f64::signum(series[k - 1]) / (2 * k + 1) as f64;
        k += 1;
    }
    series
};

/// The polynomial that errs by 2e-8 of `atan t / t` at most there (found by Remez' algorithm).
const ATAN_NARROW: [f64; 5] =
    [1.0, -0.333_329_491_4, 0.199_777_100_3, -0.138_776_787_4, 0.080_537_226_98];

/// `tanh x / x` by powers of `x²`, above and below a line: Lambert's continued fraction, which errs by
/// 3e-19 up to 0.32.
const TANH: [[f64; 4]; 2] = [
    [1.0, 17325.0 / 135135.0, 378.0 / 135135.0, 1.0 / 135135.0],
    [1.0, 62370.0 / 135135.0, 3150.0 / 135135.0, 28.0 / 135135.0],
];

/// The fraction that errs by 2e-8 of `tanh x / x` at most up to 9 (by least squares, weighted until
/// the errors were equal).
const TANH_NARROW: [[f64; 5]; 2] = [
    [1.0, 0.133_839_806_3, 3.498_996_509e-3, 2.066_126_975e-5, 1.341_983_202e-8],
    [1.0, 0.467_173_021_2, 2.589_020_801e-2, 3.291_039_083e-4, 7.804_733_478e-7],
];

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

/// What is added to a third of the bits of a number in f32 for the bits of its cube root, off by 4 % at
/// most: the exponent is divided by three, and with it the rest, which is nearly a logarithm. The
/// constant is fdlibm's.
pub const ROUGH_CBRT: u32 = 709_958_130;

/// A cube root that is off by 4 % at most, as by [`ROUGH_CBRT`].
trait RoughCbrt {
    fn rough_cbrt(self) -> Self;
}

impl RoughCbrt for f32 {
    #[inline(always)]
    fn rough_cbrt(self) -> Self {
        f32::from_bits(self.to_bits() / 3 + ROUGH_CBRT)
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
    ($($t:ident $narrow:literal $steps:literal),*) => {$(
        impl Real for $t {
            type Mask = bool;
            const NARROW: bool = $narrow;
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
            fn powf(self, exponent: Self) -> Self {
                power(self, exponent)
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
impl_real!(f32 true 2, f64 false 3);

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
            let error = Real::atan2(3.0 * x, 3.0) / f64::atan(x) - 1.0;
            assert!(error.abs() < 1e-15, "{x:e}: {error:e}");
        }
        assert!(worst < 1e-15, "{worst:e}");
        assert_eq!([0.0, f64::INFINITY].map(Real::atan), [0.0, core::f64::consts::FRAC_PI_2]);
        assert!(Real::atan(f64::NAN).is_nan());
        assert_eq!([0.0, -2.0].map(|y: f64| Real::atan2(y, f64::INFINITY)), [0.0, 0.0]);
        assert_eq!(Real::atan2(-2.0, 0.0), -core::f64::consts::FRAC_PI_2);
        assert_eq!([0.0, f64::INFINITY, f64::NAN].map(|x| Real::atan2(0.0, x)), [0.0; 3]);
        assert!(Real::atan2(f64::INFINITY, f64::INFINITY).is_nan());
        for (y, x) in [(f64::NAN, 1.0), (f64::NAN, 0.0), (1.0, f64::NAN)] {
            assert!(Real::atan2(y, x).is_nan(), "{y} over {x}");
        }
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
