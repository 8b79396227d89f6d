//! Arithmetic of integers.

use crate::program::IntegerAction;
use crate::types::Integer;

/// An integer of a fixed size, in the low bits of a register.
trait Word: Copy + Ord {
    fn read(register: u64) -> Self;
    /// Extends the sign if there is one.
    fn write(self) -> u64;
    fn product(self, other: Self) -> i128;
    fn compute(action: IntegerAction, a: Self, b: Self, c: Self) -> Self;
    fn shift_left(self, by: u32) -> Self;
    fn shift_right(self, by: u32) -> Self;
    fn extract(self, start: u32, length: u32) -> Self;
    fn population(self) -> u32;
    fn leading_zeros(self) -> u32;
}

macro_rules! word {
    ($($word:ty),*) => {$(
        impl Word for $word {
            #[inline]
            fn read(register: u64) -> Self { register as Self }
            #[inline]
            fn write(self) -> u64 { self as u64 }
            #[inline]
            fn product(self, other: Self) -> i128 { (self as i128).wrapping_mul(other as i128) }
            #[inline]
            fn compute(action: IntegerAction, a: Self, b: Self, c: Self) -> Self {
                use IntegerAction::*;
                let high = || (a.product(b) >> Self::BITS) as Self;
                match action {
                    Add => a.wrapping_add(b),
                    AddSaturated => a.saturating_add(b),
                    Subtract => a.wrapping_sub(b),
                    SubtractSaturated => a.saturating_sub(b),
                    MultiplyLow => a.wrapping_mul(b),
                    MultiplyHigh => high(),
                    MadLow => a.wrapping_mul(b).wrapping_add(c),
                    MadHigh => high().wrapping_add(c),
                    // a card has no exception: what comes of a division by zero is all ones
                    Divide if b == 0 => !0,
                    Divide => a.wrapping_div(b),
                    Remainder if b == 0 => a,
                    Remainder => a.wrapping_rem(b),
                    Min => a.min(b),
                    Max => a.max(b),
                    Absolute => a.max(a.wrapping_neg()),
                    Negate => a.wrapping_neg(),
                    And => a & b,
                    Or => a | b,
                    Xor => a ^ b,
                    Not => !a,
                    NotPredicate => !a & 1,
                    Reverse => a.reverse_bits(),
                    _ => 0,
                }
            }
            #[inline]
            fn shift_left(self, by: u32) -> Self { self.checked_shl(by).unwrap_or(0) }
            #[inline]
            fn shift_right(self, by: u32) -> Self { self >> by.min(Self::BITS - 1) >> u32::from(by >= Self::BITS) }
            fn extract(self, start: u32, length: u32) -> Self {
                let (start, length) = (start & 255, length & 255);
                if length == 0 {
                    return 0;
                }
                // an i128 has room for what lies beyond the last bit: copies of the sign
                let unused = 128 - length.min(Self::BITS);
                let value = (self as i128) >> start.min(Self::BITS);
                let signed = Self::MIN != 0;
                if signed {
                    (value << unused >> unused) as Self
                } else {
                    (((value << unused) as u128) >> unused) as Self
                }
            }
            #[inline]
            fn population(self) -> u32 { self.count_ones() }
            #[inline]
            fn leading_zeros(self) -> u32 { <$word>::leading_zeros(self) }
        }
    )*};
}
word!(u8, i8, u16, i16, u32, i32, u64, i64);

/// The result of an instruction.
#[inline]
pub(super) fn compute(action: IntegerAction, kind: Integer, a: u64, b: u64, c: u64) -> u64 {
    match kind {
        Integer::U32 => of::<u32>(action, a, b, c),
        Integer::S32 => of::<i32>(action, a, b, c),
        Integer::U64 => of::<u64>(action, a, b, c),
        Integer::S64 => of::<i64>(action, a, b, c),
        Integer::U16 => of::<u16>(action, a, b, c),
        Integer::S16 => of::<i16>(action, a, b, c),
        Integer::U8 => of::<u8>(action, a, b, c),
        Integer::S8 => of::<i8>(action, a, b, c),
    }
}

#[inline]
fn of<W: Word>(action: IntegerAction, a: u64, b: u64, c: u64) -> u64 {
    use IntegerAction::*;
    let word = W::read(a);
    match action {
        MultiplyWide => word.product(W::read(b)) as u64,
        MadWide => (word.product(W::read(b)) as u64).wrapping_add(c),
        ShiftLeft => word.shift_left(b as u32).write(),
        ShiftRight => word.shift_right(b as u32).write(),
        Extract => word.extract(b as u32, c as u32).write(),
        Population => u64::from(word.population()),
        LeadingZeros => u64::from(word.leading_zeros()),
        Permute => permute(a, b, c),
        FunnelLeft => funnel_left(a, b, c as u32 & 31),
        FunnelLeftClamped => funnel_left(a, b, (c as u32).min(32)),
        FunnelRight => funnel_right(a, b, c as u32 & 31),
        FunnelRightClamped => funnel_right(a, b, (c as u32).min(32)),
        _ => W::compute(action, word, W::read(b), W::read(c)).write(),
    }
}

/// Four of the eight bytes of `b` and `a`; a selector with its highest bit takes the byte's sign.
fn permute(a: u64, b: u64, selectors: u64) -> u64 {
    let bytes = (b << 32 | u64::from(a as u32)).to_le_bytes();
    let mut result = [0; 8];
    for (at, byte) in result[..4].iter_mut().enumerate() {
        let selector = selectors >> (4 * at) & 15;
        let chosen = bytes[(selector & 7) as usize];
        *byte = match selector & 8 {
            0 => chosen,
            _ => ((chosen as i8) >> 7) as u8,
        };
    }
    u64::from_le_bytes(result)
}

fn funnel_left(low: u64, high: u64, by: u32) -> u64 {
    let both = high << 32 | u64::from(low as u32);
    (u128::from(both) << by >> 32) as u64 & 0xffff_ffff
}

fn funnel_right(low: u64, high: u64, by: u32) -> u64 {
    let both = high << 32 | u64::from(low as u32);
    both >> by & 0xffff_ffff
}

/// `length` low bits of `from`, in the place of those of `into` from `start` on.
pub(super) fn insert(kind: Integer, from: u64, into: u64, start: u64, length: u64) -> u64 {
    let (start, length) = (start as u32 & 255, length as u32 & 255);
    let ones = if length >= 64 { u64::MAX } else { (1 << length) - 1 };
    let mask = ones.checked_shl(start).unwrap_or(0);
    let value = into & !mask | from.checked_shl(start).unwrap_or(0) & mask;
    compute(IntegerAction::Add, kind, value, 0, 0)
}

/// The function of three bits that `table` holds, of each bit.
pub(super) fn lookup(table: u8, a: u64, b: u64, c: u64) -> u64 {
    let side = |value: u64, set: bool| if set { value } else { !value };
    let terms = (0..8u32).filter(|term| table >> term & 1 == 1);
    let term = |term: u32| side(a, term & 4 != 0) & side(b, term & 2 != 0) & side(c, term & 1 != 0);
    terms.fold(0, |result, at| result | term(at)) & 0xffff_ffff
}
