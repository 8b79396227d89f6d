//! Conversions.

use crate::number::{BF16, F16, F32, F64, Format, flush, tf32};
use crate::program::ConvertMode;
use crate::types::{Float, Integer, Type};

/// The format of one number of a type.
fn format(of: Type) -> Option<Format> {
    Some(match of.float()? {
        Float::F16 | Float::F16x2 => F16,
        Float::Bf16 | Float::Bf16x2 => BF16,
        Float::F32 => F32,
        Float::F64 => F64,
    })
}

/// `value`, in another type.
#[inline]
pub(super) fn convert(to_type: Type, from_type: Type, mode: ConvertMode, value: u64) -> u64 {
    match (to_type.integer(), from_type.integer(), format(to_type), format(from_type)) {
        (Some(to), Some(from), ..) if mode.saturate => {
            let (least, most) = to.range();
            from.of(value).clamp(least, most) as u64
        }
        (Some(to), Some(from), ..) => to.extend(from.extend(value)),
        (None, Some(from), Some(to), _) => {
            saturated(mode, to, to.of_integer(from.of(value), mode.rounding))
        }
        (Some(to), None, _, Some(from)) => {
            let number = read(mode, from_type, from, value);
            truncated(mode, to, from_type, number)
        }
        (None, None, Some(to), Some(from)) => {
            let number = read(mode, from_type, from, value);
            let number = if mode.integral { mode.rounding.integral(number) } else { number };
            let bits = to.narrow(number, mode.rounding);
            let bits = match to_type {
                Type::F32 if mode.flush => flush(f32::from_bits(bits as u32)).to_bits().into(),
                _ => bits,
            };
            saturated(mode, to, bits)
        }
        _ => tf32(f32::from_bits(value as u32), mode.rounding),
    }
}

fn read(mode: ConvertMode, from_type: Type, from: Format, value: u64) -> f64 {
    match from_type {
        Type::F32 if mode.flush => flush(f32::from_bits(value as u32)).into(),
        Type::F16 | Type::Bf16 => from.widen(value & 0xffff),
        _ => from.widen(value),
    }
}

/// Between 0 and 1, if that is asked for.
fn saturated(mode: ConvertMode, format: Format, bits: u64) -> u64 {
    if !mode.saturate {
        return bits;
    }
    let number = format.widen(bits);
    format.narrow(if number > 0.0 { number.min(1.0) } else { 0.0 }, mode.rounding)
}

/// A number as an integer, as near as it has one.
fn truncated(mode: ConvertMode, to: Integer, from_type: Type, number: f64) -> u64 {
    let (least, most) = to.range();
    if number.is_nan() {
        // as PTX has it: zero, but of or to what is 64 bits long, the highest bit alone
        let long = from_type == Type::F64 || matches!(to, Integer::U64 | Integer::S64);
        let bits = 128 - (most - least).leading_zeros();
        return if long { to.extend(1 << (bits - 1)) } else { 0 };
    }
    let integer = mode.rounding.integral(number) as i128;
    integer.clamp(least, most) as u64
}
