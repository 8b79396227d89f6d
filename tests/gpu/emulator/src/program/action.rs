//! What instructions do, each to its operands.

use super::{Address, Slot};
use crate::number::Rounding;
use crate::types::{Float, Integer, Type};

/// A comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compare {
    pub(crate) relation: Relation,
    pub(crate) kind: Compared,
    pub(crate) flush: bool,
    pub(crate) combine: Combine,
    /// Whether the predicate that is combined is negated.
    pub(crate) negate: bool,
    pub(crate) to: Slot,
    /// The register of the opposite.
    pub(crate) opposite: Slot,
    pub(crate) from: [Slot; 2],
    pub(crate) predicate: Slot,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Compared {
    Integer(Integer),
    Float(Float),
}

/// How a comparison meets a third predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    Alone,
    And,
    Or,
    Xor,
}

/// A relation; those with `unordered` are true for NaN as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) less: bool,
    pub(crate) equal: bool,
    pub(crate) greater: bool,
    pub(crate) unordered: bool,
}

/// How a conversion rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvertMode {
    pub(crate) rounding: Rounding,
    /// To an integer, whatever the type.
    pub(crate) integral: bool,
    pub(crate) flush: bool,
    pub(crate) saturate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntegerAction {
    Add,
    AddSaturated,
    Subtract,
    SubtractSaturated,
    MultiplyLow,
    MultiplyHigh,
    MultiplyWide,
    MadLow,
    MadHigh,
    MadWide,
    Divide,
    Remainder,
    Min,
    Max,
    Absolute,
    Negate,
    And,
    Or,
    Xor,
    Not,
    /// Of predicates.
    NotPredicate,
    ShiftLeft,
    ShiftRight,
    Population,
    LeadingZeros,
    Reverse,
    Extract,
    Permute,
    FunnelLeft,
    FunnelLeftClamped,
    FunnelRight,
    FunnelRightClamped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloatAction {
    Add,
    Subtract,
    Multiply,
    Fused,
    Divide,
    Root,
    Reciprocal,
    ReciprocalRoot,
    Exponential,
    Logarithm,
    Sine,
    Cosine,
    Tangent,
    Min,
    Max,
    Absolute,
    Negate,
    CopySign,
}

/// What `testp` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Finite,
    Infinite,
    Number,
    NotANumber,
    Normal,
    Subnormal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtomicAction {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
    Exchange,
    CompareExchange,
    Increment,
    Decrement,
}

/// What the threads of a warp do together.
#[derive(Clone, Debug)]
pub(crate) enum WarpAction {
    /// `bar.warp.sync`.
    Meet,
    Active {
        to: Slot,
    },
    Vote {
        vote: Vote,
        negate: bool,
        to: Slot,
        from: Slot,
    },
    Shuffle {
        shuffle: Shuffle,
        to: Slot,
        inside: Slot,
        from: Slot,
        lane: Slot,
        clamp: Slot,
    },
    LoadFragment(Fragment),
    StoreFragment(Fragment),
    MultiplyFragments(Product),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

/// A matrix between memory and the registers of a warp.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) column_major: bool,
    pub(crate) bytes: u8,
    pub(crate) at: Address,
    /// Elements from one row (or column) to the next.
    pub(crate) stride: Slot,
    pub(crate) registers: Vec<Slot>,
}

/// `d = a * b + c`, of matrices.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Of `a` and `b`.
    pub(crate) factor: Type,
    /// Of `c` and of `d`.
    pub(crate) addend: Type,
    pub(crate) result: Type,
    /// Of d, a, b, c.
    pub(crate) registers: [Vec<Slot>; 4],
}
