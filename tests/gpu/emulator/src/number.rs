//! Floating-point numbers of all sizes: what their bits stand for, and rounding, once.
//!
//! Results for f32 and halves are computed in f64 and [rounded](Rounded::bits) from there. For products that is
//! exact, and quotients and roots of numbers with up to 24 digits are never so near to the middle of two others
//! that an f64 does not tell on which side they lie. Sums can be: the error of the f64 is kept beside it.

/// A binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// Bits behind the point.
    fraction: u32,
    /// Bits of the exponent.
    exponent: u32,
    /// What the arithmetic of a card returns for all that is not a number.
    nan: u64,
}

pub(crate) const F16: Format = Format { fraction: 10, exponent: 5, nan: 0x7fff };
pub(crate) const BF16: Format = Format { fraction: 7, exponent: 8, nan: 0x7fff };
pub(crate) const F32: Format = Format { fraction: 23, exponent: 8, nan: 0x7fff_ffff };
pub(crate) const F64: Format = Format { fraction: 52, exponent: 11, nan: 0x7fff_ffff_ffff_ffff };
/// `tf32` before its 13 lowest bits, which are zero.
const TF32: Format = Format { fraction: 10, exponent: 8, nan: 0x3_ffff };

/// Which neighbour a number becomes that lies between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// The nearest, and of two the even one.
    Nearest,
    /// The nearest, and of two the one further from zero.
    Away,
    /// The one nearer to zero.
    Zero,
    /// The lower one.
    Down,
    /// The upper one.
    Up,
}

impl Rounding {
    /// `value` rounded to an integer.
    pub(crate) fn integral(self, value: f64) -> f64 {
        match self {
            Self::Nearest => value.round_ties_even(),
            Self::Away => value.round(),
            Self::Zero => value.trunc(),
            Self::Down => value.floor(),
            Self::Up => value.ceil(),
        }
    }
}

impl Format {
    /// The number that these bits stand for.
    pub(crate) fn widen(self, bits: u64) -> f64 {
        match self.fraction {
            52 => return f64::from_bits(bits),
            23 => return f64::from(f32::from_bits(bits as u32)),
            7 => return f64::from(f32::from_bits((bits as u32) << 16)),
            _ => {}
        }
        let sign = (bits >> 15 & 1) << 63;
        let exponent = bits >> 10 & 31;
        let fraction = bits & 0x3ff;
        let size = match exponent {
            0 => fraction as f64 / f64::from(1 << 24),
            31 if fraction == 0 => f64::INFINITY,
            31 => f64::NAN,
            _ => f64::from_bits((exponent + 1023 - 15) << 52 | fraction << 42),
        };
        f64::from_bits(size.to_bits() | sign)
    }

    /// The bits of `value`, rounded.
    pub(crate) fn narrow(self, value: f64, rounding: Rounding) -> u64 {
        match (self.fraction, rounding) {
            (52, _) => value.to_bits(),
            (23, Rounding::Nearest) if !value.is_nan() => u64::from((value as f32).to_bits()),
            _ => Rounded::from(value).bits(self, rounding),
        }
    }

    /// The bits of `integer`, rounded.
    pub(crate) fn of_integer(self, integer: i128, rounding: Rounding) -> u64 {
        self.assemble(rounding, integer < 0, integer.unsigned_abs() as u64, 0)
    }

    fn sign(self, negative: bool) -> u64 {
        u64::from(negative) << (self.fraction + self.exponent)
    }

    fn infinity(self) -> u64 {
        ((1 << self.exponent) - 1) << self.fraction
    }

    /// The bits of `significand * 2^exponent`, rounded.
    fn assemble(self, rounding: Rounding, negative: bool, significand: u64, exponent: i32) -> u64 {
        let sign = self.sign(negative);
        if significand == 0 {
            return sign;
        }
        let shift = significand.leading_zeros();
        let significand = u128::from(significand << shift);
        let exponent = exponent + 63 - shift as i32; // of its first bit
        let least = 2 - (1 << (self.exponent - 1)); // of the smallest normal number
        let dropped = 63 - self.fraction as i32 + (least - exponent).max(0);
        // what is kept, and how what is dropped compares with a half of the last bit
        let (kept, rest) = if dropped > 64 {
            (0, core::cmp::Ordering::Less)
        } else {
            let rest = significand & ((1 << dropped) - 1);
            ((significand >> dropped) as u64, rest.cmp(&(1 << (dropped - 1))))
        };
        let exact = dropped <= 64 && significand & ((1 << dropped) - 1) == 0;
        let up = match rounding {
            Rounding::Nearest => rest.is_gt() || rest.is_eq() && kept & 1 == 1,
            Rounding::Away => rest.is_ge(),
            Rounding::Zero => false,
            Rounding::Down => negative && !exact,
            Rounding::Up => !negative && !exact,
        };
        // the first bit of a normal number adds one to its exponent, and so does a carry
        let bits = kept + u64::from(up) + (((exponent - least).max(0) as u64) << self.fraction);
        if bits < self.infinity() {
            return sign | bits;
        }
        let stays_finite = match rounding {
            Rounding::Nearest | Rounding::Away => false,
            Rounding::Zero => true,
            Rounding::Down => !negative,
            Rounding::Up => negative,
        };
        sign | (self.infinity() - u64::from(stays_finite))
    }
}

/// A result before it is rounded: the nearest f64, and by which sign the truth differs from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounded {
    value: f64,
    error: f64,
    /// Whether it is zero as the sum of numbers with different signs.
    cancelled: bool,
}

impl From<f64> for Rounded {
    fn from(value: f64) -> Self {
        Self { value, error: 0.0, cancelled: false }
    }
}

impl Rounded {
    /// `a + b`.
    pub(crate) fn sum(a: f64, b: f64) -> Self {
        let value = a + b;
        let of_b = value - a;
        let cancelled = value == 0.0 && a.is_sign_negative() != b.is_sign_negative();
        Self { value, error: (a - (value - of_b)) + (b - of_b), cancelled }
    }

    /// `a * b + c`, where the product is exact: of numbers with half of f64's digits.
    pub(crate) fn fused(a: f64, b: f64, c: f64) -> Self {
        Self::sum(a * b, c)
    }

    /// In `format`, rounded once.
    pub(crate) fn bits(self, format: Format, rounding: Rounding) -> u64 {
        let Self { value, error, cancelled } = self;
        let negative =
            if cancelled { rounding == Rounding::Down } else { value.is_sign_negative() };
        if value.is_nan() {
            return format.nan;
        }
        if value.is_infinite() {
            return format.sign(negative) | format.infinity();
        }
        let bits = value.to_bits();
        let exponent = bits >> 52 & 0x7ff;
        let fraction = bits & ((1 << 52) - 1) | u64::from(exponent > 0) << 52;
        // two more bits tell where between its neighbours the truth lies
        let outwards = if negative { -error } else { error };
        let significand = match outwards.partial_cmp(&0.0) {
            Some(core::cmp::Ordering::Less) => (fraction << 2) - 1,
            Some(core::cmp::Ordering::Greater) => fraction << 2 | 1,
            _ => fraction << 2,
        };
        let exponent = exponent.max(1) as i32 - 1023 - 52 - 2;
        format.assemble(rounding, negative, significand, exponent)
    }
}

/// `value` in tf32, as the bits of an f32.
pub(crate) fn tf32(value: f32, rounding: Rounding) -> u64 {
    TF32.narrow(f64::from(value), rounding) << 13
}

/// `value`, or zero with its sign if it is subnormal.
pub(crate) fn flush(value: f32) -> f32 {
    if value.is_subnormal() { 0f32.copysign(value) } else { value }
}
