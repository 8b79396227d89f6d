//! Comparisons.

use crate::number::{BF16, F16, F32, F64, flush};
use crate::program::{Class, Combine, Compare, Compared, Relation};
use crate::types::Float;
use core::cmp::Ordering;

/// The result and its opposite, both combined with a third predicate.
#[inline]
pub(super) fn compare(compare: &Compare, a: u64, b: u64, third: u64) -> (bool, bool) {
    let relation = compare.relation;
    let yes = match compare.kind {
        Compared::Integer(kind) => holds(relation, Some(kind.order(a, b))),
        Compared::Float(kind) => {
            let (a, b) = (number(kind, compare.flush, a), number(kind, compare.flush, b));
            holds(relation, a.partial_cmp(&b))
        }
    };
    let third = (third & 1 == 1) != compare.negate;
    match compare.combine {
        Combine::Alone => (yes, !yes),
        Combine::And => (yes && third, !yes && third),
        Combine::Or => (yes || third, !yes || third),
        Combine::Xor => (yes != third, yes == third),
    }
}

#[inline]
fn number(kind: Float, flushes: bool, bits: u64) -> f64 {
    match kind {
        Float::F32 if flushes => f64::from(flush(f32::from_bits(bits as u32))),
        Float::F32 => F32.widen(bits),
        Float::F64 => F64.widen(bits),
        Float::F16 | Float::F16x2 => F16.widen(bits & 0xffff),
        Float::Bf16 | Float::Bf16x2 => BF16.widen(bits & 0xffff),
    }
}

#[inline]
fn holds(relation: Relation, order: Option<Ordering>) -> bool {
    match order {
        Some(Ordering::Less) => relation.less,
        Some(Ordering::Equal) => relation.equal,
        Some(Ordering::Greater) => relation.greater,
        None => relation.unordered,
    }
}

/// Whether a number is of a class.
pub(super) fn classify(class: Class, kind: Float, bits: u64) -> bool {
    let value = number(kind, false, bits);
    let subnormal = match kind {
        Float::F32 => f32::from_bits(bits as u32).is_subnormal(),
        _ => value.is_subnormal(),
    };
    match class {
        Class::Finite => value.is_finite(),
        Class::Infinite => value.is_infinite(),
        Class::Number => !value.is_nan(),
        Class::NotANumber => value.is_nan(),
        Class::Normal => value.is_finite() && value != 0.0 && !subnormal,
        Class::Subnormal => subnormal,
    }
}
