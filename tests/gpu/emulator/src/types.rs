//! The types that PTX writes after its instructions.

use core::cmp::Ordering;

/// A type of PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Pred,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    F16,
    Bf16,
    B32,
    U32,
    S32,
    F32,
    Tf32,
    F16x2,
    Bf16x2,
    B64,
    U64,
    S64,
    F64,
}

impl Type {
    /// The type of this name, without its dot.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pred" => Self::Pred,
            "b8" => Self::B8,
            "u8" => Self::U8,
            "s8" => Self::S8,
            "b16" => Self::B16,
            "u16" => Self::U16,
            "s16" => Self::S16,
            "f16" => Self::F16,
            "bf16" => Self::Bf16,
            "b32" => Self::B32,
            "u32" => Self::U32,
            "s32" => Self::S32,
            "f32" => Self::F32,
            "tf32" => Self::Tf32,
            "f16x2" => Self::F16x2,
            "bf16x2" => Self::Bf16x2,
            "b64" => Self::B64,
            "u64" => Self::U64,
            "s64" => Self::S64,
            "f64" => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of a value in memory.
    pub(crate) fn bytes(self) -> u32 {
        match self {
            Self::Pred | Self::B8 | Self::U8 | Self::S8 => 1,
            Self::B16 | Self::U16 | Self::S16 | Self::F16 | Self::Bf16 => 2,
            Self::B32 | Self::U32 | Self::S32 => 4,
            Self::F32 | Self::Tf32 | Self::F16x2 | Self::Bf16x2 => 4,
            Self::B64 | Self::U64 | Self::S64 | Self::F64 => 8,
        }
    }

    /// Whether values shorter than their register extend their sign.
    pub(crate) fn signed(self) -> bool {
        matches!(self, Self::S8 | Self::S16 | Self::S32 | Self::S64)
    }

    /// This type as an integer: bits count as unsigned.
    pub(crate) fn integer(self) -> Option<Integer> {
        Some(match self {
            Self::B8 | Self::U8 => Integer::U8,
            Self::S8 => Integer::S8,
            Self::B16 | Self::U16 => Integer::U16,
            Self::S16 => Integer::S16,
            Self::B32 | Self::U32 => Integer::U32,
            Self::S32 => Integer::S32,
            Self::B64 | Self::U64 => Integer::U64,
            Self::S64 => Integer::S64,
            _ => return None,
        })
    }

    /// This type as a number with a fraction.
    pub(crate) fn float(self) -> Option<Float> {
        Some(match self {
            Self::F16 => Float::F16,
            Self::Bf16 => Float::Bf16,
            Self::F32 => Float::F32,
            Self::F64 => Float::F64,
            Self::F16x2 => Float::F16x2,
            Self::Bf16x2 => Float::Bf16x2,
            _ => return None,
        })
    }
}

/// How an instruction on integers reads its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integer {
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
}

impl Integer {
    /// The integer in the low bits of a register.
    pub(crate) fn of(self, value: u64) -> i128 {
        match self {
            Self::U64 => i128::from(value),
            _ => i128::from(self.extend(value) as i64),
        }
    }

    /// This integer alone in a register: its sign fills it.
    #[inline]
    pub(crate) fn extend(self, value: u64) -> u64 {
        match self {
            Self::U8 => value & 0xff,
            Self::S8 => value as i8 as u64,
            Self::U16 => value & 0xffff,
            Self::S16 => value as i16 as u64,
            Self::U32 => value & 0xffff_ffff,
            Self::S32 => value as i32 as u64,
            Self::U64 | Self::S64 => value,
        }
    }

    /// How two integers of this type compare.
    #[inline]
    pub(crate) fn order(self, a: u64, b: u64) -> Ordering {
        let (a, b) = (self.extend(a), self.extend(b));
        match self {
            Self::S8 | Self::S16 | Self::S32 | Self::S64 => (a as i64).cmp(&(b as i64)),
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => a.cmp(&b),
        }
    }

    /// The least and the greatest integer of this type.
    pub(crate) fn range(self) -> (i128, i128) {
        match self {
            Self::U8 => (0, i128::from(u8::MAX)),
            Self::S8 => (i128::from(i8::MIN), i128::from(i8::MAX)),
            Self::U16 => (0, i128::from(u16::MAX)),
            Self::S16 => (i128::from(i16::MIN), i128::from(i16::MAX)),
            Self::U32 => (0, i128::from(u32::MAX)),
            Self::S32 => (i128::from(i32::MIN), i128::from(i32::MAX)),
            Self::U64 => (0, i128::from(u64::MAX)),
            Self::S64 => (i128::from(i64::MIN), i128::from(i64::MAX)),
        }
    }
}

/// How an instruction on floating-point numbers reads its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
    F16,
    Bf16,
    F32,
    F64,
    /// Two `f16`, the first in the lower half.
    F16x2,
    /// Two `bf16`, the first in the lower half.
    Bf16x2,
}
