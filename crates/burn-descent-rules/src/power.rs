//! A power with any exponent, from vector instructions: one text for numbers and for kernels.
//!
//! ```text
//! x = 2ᵉ m,   √½ ≤ m < √2           by the bits of x
//! s = (m − 1) / (m + 1)
//! log₂ m = (2 s + 2 s³/3 + 2 s⁵/5 + …) / ln 2
//! z = y log₂ x = y e + y log₂ m     n is the integer next to it
//! xʸ = 2ⁿ 2ᶻ⁻ⁿ
//! ```
//!
//! `y e` may be hundreds of times `z − n`, so it must not be rounded before `n` is subtracted: the upper half of
//! the digits of `y` is multiplied by `e`, which is exact, and the lower half is added to `y log₂ m`.

use core::f64::consts::LN_2;
use core::ops::{Add, Div, Mul, Sub};

/// Where the bits of a number have what.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// How many bits the mantissa has.
    pub mantissa: u32,
    /// What the bits of the exponent are more than it.
    pub bias: u32,
    /// The bits of 1.
    pub one: u64,
    /// The bits of √½.
    pub root_half: u64,
}

impl Form {
    /// That of f32.
    pub const F32: Self = Self {
        mantissa: f32::MANTISSA_DIGITS - 1,
        bias: f32::MAX_EXP as u32 - 1,
        one: 1_f32.to_bits() as u64,
        root_half: core::f32::consts::FRAC_1_SQRT_2.to_bits() as u64,
    };

    /// That of f64.
    pub const F64: Self = Self {
        mantissa: f64::MANTISSA_DIGITS - 1,
        bias: f64::MAX_EXP as u32 - 1,
        one: 1_f64.to_bits(),
        root_half: core::f64::consts::FRAC_1_SQRT_2.to_bits(),
    };
}

/// A number whose bits are at hand.
pub trait Parts:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Where its bits have what.
    fn form(self) -> Form;
    /// A constant.
    fn constant(self, value: f64) -> Self;
    /// `if self < other { yes } else { no }`, without a branch.
    fn if_less(self, other: Self, yes: Self, no: Self) -> Self;
    /// 0 for a number >= 0, else NaN.
    fn unless_negative(self) -> Self;
    /// `e` and `m`, from √½ to √2, of a number that is `±2ᵉ m` and not denormal.
    fn split(self) -> (Self, Self);
    /// Without the lower half of its digits.
    fn upper(self) -> Self;
    /// An integer `n` next to it, and two factors of `2ⁿ`. `|n|` is less than twice the bias.
    fn two_to(self) -> (Self, [Self; 2]);
}

/// [`Real::powf`](crate::Real::powf).
#[inline(always)]
pub fn power<P: Parts>(x: P, y: P) -> P {
    let number = |value: f64| x.constant(value);
    let zero = number(0.0);
    let Form { mantissa, bias, .. } = x.form();
    let (log2, exp2): (&[f64], &[f64]) = match mantissa {
        ..30 => (LOG2_NARROW, EXP2_NARROW),
        _ => (&LOG2, &EXP2),
    };

    // 0 and infinity look like powers of 2 below, whose squares are out of range.
    let square = zero.if_less(y, number(2.0), y.if_less(zero, number(-2.0), y));
    let y = x.if_less(x + x, y, square + x.unless_negative());

    // A denormal number is multiplied by a power of 2 first.
    let (lift, least) = (mantissa + 2, number(two_to(1 - bias as i32)));
    let (e, m) = x.if_less(least, x * number(two_to(lift as i32)), x).split();
    let e = e - x.if_less(least, number(lift.into()), zero);
    let s = (m - number(1.0)) / (m + number(1.0));
    let log2_m = s * polynomial(s * s, log2);

    let upper = y.upper();
    let (whole, part) = (upper * e, (y - upper) * e + y * log2_m);
    let most = f64::from(2 * bias - 4);
    let (n, [a, b]) = clamp(whole + part, most).two_to();
    polynomial(clamp(whole - n + part, 1.0), exp2) * a * b
}

/// The nearest number in `[-most, most]`; NaN for NaN.
#[inline(always)]
fn clamp<P: Parts>(x: P, most: f64) -> P {
    let (low, high) = (x.constant(-most), x.constant(most));
    let above = x.if_less(low, low, x);
    high.if_less(above, high, above)
}

/// `c₀ + x (c₁ + x (c₂ + …))`.
#[inline(always)]
fn polynomial<P: Parts>(x: P, coefficients: &[f64]) -> P {
    let (last, others) = coefficients.split_last().expect("there is one");
    others.iter().rev().fold(x.constant(*last), |sum, c| x.constant(*c) + x * sum)
}

/// `2ⁿ`.
fn two_to(n: i32) -> f64 {
    f64::from_bits(((n + Form::F64.bias as i32) as u64) << Form::F64.mantissa)
}

/// `log₂ m / s` by powers of `s²`: the next term is below what an f64 can hold.
const LOG2: [f64; 11] = {
    let mut series = [0.0; 11];
    let mut k = 0;
    while k < series.len() {
        series[k] = 2.0 / (LN_2 * (2 * k + 1) as f64);
        k += 1;
    }
    series
};

/// `2ʳ` by powers of `r`, up to a half: the next term is below what an f64 can hold.
const EXP2: [f64; 14] = {
    let mut series = [1.0; 14];
    let mut k = 1;
    while k < series.len() {
        series[k] = series[k - 1] * LN_2 / k as f64;
        k += 1;
    }
    series
};

/// The terms that f32 needs: these err by 2e-9 and by 6e-9.
const LOG2_NARROW: &[f64] = LOG2.first_chunk::<5>().unwrap();
const EXP2_NARROW: &[f64] = EXP2.first_chunk::<8>().unwrap();

macro_rules! impl_parts {
    ($($t:ident $bits:ident $form:expr),*) => {$(
        impl Parts for $t {
            #[inline(always)]
            fn form(self) -> Form {
                $form
            }
            #[inline(always)]
            fn constant(self, value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn if_less(self, other: Self, yes: Self, no: Self) -> Self {
                if self < other { yes } else { no }
            }
            #[inline(always)]
            fn unless_negative(self) -> Self {
                if self >= 0.0 { 0.0 } else { $t::NAN }
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                const INTEGERS: $t = integers($form) as $t;
                const ROOT_HALF: $bits = $form.root_half as $bits;
                let bits = self.abs().to_bits() + ($form.one as $bits - ROOT_HALF);
                let biased = $t::from_bits((bits >> $form.mantissa) | INTEGERS.to_bits());
                let m = $t::from_bits((bits & !(!0 << $form.mantissa)) + ROOT_HALF);
                (biased - INTEGERS - $form.bias as $t, m)
            }
            #[inline(always)]
            fn upper(self) -> Self {
                $t::from_bits(self.to_bits() & (!0 << $form.mantissa.div_ceil(2)))
            }
            #[inline(always)]
            fn two_to(self) -> (Self, [Self; 2]) {
                // The sum of two factors' exponents as bits have them, which is above 0.
                const TWICE: $t = 2.0 * $form.bias as $t;
                const INTEGERS: $t = integers($form) as $t;
                let sum = self + TWICE + INTEGERS;
                let bits = sum.to_bits().wrapping_sub(INTEGERS.to_bits());
                let halves = [bits >> 1, bits.wrapping_sub(bits >> 1)];
                let factors = halves.map(|half| $t::from_bits(half << $form.mantissa));
                (sum - INTEGERS - TWICE, factors)
            }
        }
    )*};
}
impl_parts!(f32 u32 Form::F32, f64 u64 Form::F64);

/// From this number on all numbers are integers, and their lowest bits are those of the integer.
const fn integers(form: Form) -> f64 {
    (1_u64 << form.mantissa) as f64
}
