//! Arithmetic in floating point.

use crate::number::{BF16, F16, F32, Format, Rounded, Rounding, flush};
use crate::program::{FloatAction, Mode};
use crate::types::Float;

/// The result of an instruction.
#[inline]
pub(super) fn compute(action: FloatAction, kind: Float, mode: Mode, a: u64, b: u64, c: u64) -> u64 {
    match kind {
        Float::F32 => {
            let [mut a, mut b, mut c] = [a, b, c].map(|bits| f32::from_bits(bits as u32));
            if mode.flush {
                [a, b, c] = [flush(a), flush(b), flush(c)];
            }
            u64::from(single(action, mode, a, b, c).to_bits())
        }
        Float::F64 => {
            let [a, b, c] = [a, b, c].map(f64::from_bits);
            double(action, mode, a, b, c).to_bits()
        }
        Float::F16 => half(action, mode, F16, a, b, c),
        Float::Bf16 => half(action, mode, BF16, a, b, c),
        Float::F16x2 => halves(action, mode, F16, a, b, c),
        Float::Bf16x2 => halves(action, mode, BF16, a, b, c),
    }
}

#[inline]
fn single(action: FloatAction, mode: Mode, a: f32, b: f32, c: f32) -> f32 {
    use FloatAction::*;
    if mode.plain() {
        // most of what there is
        match action {
            Add => return number(a + b),
            Subtract => return number(a - b),
            Multiply => return number(a * b),
            Fused => return number(a.mul_add(b, c)),
            _ => {}
        }
    }
    let value = match action {
        Absolute => return a.abs(),
        Negate => return -a,
        CopySign => return b.copysign(a),
        Min | Max => least(action, mode, a.into(), b.into()) as f32,
        Add | Subtract | Multiply | Fused | Divide | Root | Reciprocal
            if mode.rounding != Rounding::Nearest =>
        {
            let bits = exact(action, a.into(), b.into(), c.into()).bits(F32, mode.rounding);
            f32::from_bits(bits as u32)
        }
        Add => a + b,
        Subtract => a - b,
        Multiply => a * b,
        Fused => a.mul_add(b, c),
        Divide => a / b,
        Root => a.sqrt(),
        Reciprocal => 1.0 / a,
        _ => transcendental(action, a.into()) as f32,
    };
    let value = if mode.flush { flush(value) } else { value };
    if mode.saturate {
        // of NaN and of -0 comes 0
        return if value > 0.0 { value.min(1.0) } else { 0.0 };
    }
    number(value)
}

/// A result, or the one NaN that a card makes.
#[inline]
fn number(value: f32) -> f32 {
    if value.is_nan() { f32::from_bits(0x7fff_ffff) } else { value }
}

#[inline]
fn double(action: FloatAction, mode: Mode, a: f64, b: f64, c: f64) -> f64 {
    use FloatAction::*;
    match action {
        Add => a + b,
        Subtract => a - b,
        Multiply => a * b,
        Fused => a.mul_add(b, c),
        Divide => a / b,
        Root => a.sqrt(),
        Reciprocal => 1.0 / a,
        Absolute => a.abs(),
        Negate => -a,
        CopySign => b.copysign(a),
        Min | Max => least(action, mode, a, b),
        _ => transcendental(action, a),
    }
}

fn half(action: FloatAction, mode: Mode, format: Format, a: u64, b: u64, c: u64) -> u64 {
    use FloatAction::*;
    const SIGN: u64 = 0x8000;
    let [first, second, third] = [a, b, c].map(|bits| format.widen(bits & 0xffff));
    let bits = match action {
        Absolute => return a & !SIGN & 0xffff,
        Negate => return (a ^ SIGN) & 0xffff,
        CopySign => return b & !SIGN & 0xffff | a & SIGN,
        Min | Max => format.narrow(least(action, mode, first, second), mode.rounding),
        Add | Subtract | Multiply | Fused | Divide | Root | Reciprocal => {
            exact(action, first, second, third).bits(format, mode.rounding)
        }
        _ => format.narrow(transcendental(action, first), mode.rounding),
    };
    if mode.saturate {
        let value = format.widen(bits);
        return format.narrow(if value > 0.0 { value.min(1.0) } else { 0.0 }, mode.rounding);
    }
    bits
}

fn halves(action: FloatAction, mode: Mode, format: Format, a: u64, b: u64, c: u64) -> u64 {
    let one = |shift: u32| half(action, mode, format, a >> shift, b >> shift, c >> shift);
    one(16) << 16 | one(0)
}

/// What is rounded once, into f32 or a half.
fn exact(action: FloatAction, a: f64, b: f64, c: f64) -> Rounded {
    match action {
        FloatAction::Add => Rounded::sum(a, b),
        FloatAction::Subtract => Rounded::sum(a, -b),
        FloatAction::Multiply => Rounded::from(a * b),
        FloatAction::Divide => Rounded::from(a / b),
        FloatAction::Root => Rounded::from(a.sqrt()),
        FloatAction::Reciprocal => Rounded::from(1.0 / a),
        _ => Rounded::fused(a, b, c),
    }
}

/// What a card approximates, as near as an f64 comes.
fn transcendental(action: FloatAction, a: f64) -> f64 {
    match action {
        FloatAction::ReciprocalRoot => 1.0 / a.sqrt(),
        FloatAction::Exponential => a.exp2(),
        FloatAction::Logarithm => a.log2(),
        FloatAction::Sine => a.sin(),
        FloatAction::Cosine => a.cos(),
        _ => a.tanh(),
    }
}

/// The smaller, or the greater, of two: a number rather than NaN, unless NaN is asked for; -0 is below 0.
fn least(action: FloatAction, mode: Mode, a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => return a,
        (true, false) => return if mode.nan { a } else { b },
        (false, true) => return if mode.nan { b } else { a },
        (false, false) => {}
    }
    let a_is_less = a.total_cmp(&b).is_lt();
    if a_is_less == (action == FloatAction::Min) { a } else { b }
}
