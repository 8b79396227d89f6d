//! A kernel after parsing: instructions with typed operands, and nothing left to look up.

mod action;

use crate::number::Rounding;
use crate::types::{Float, Integer, Type};
pub(crate) use action::*;

/// The number of a register in the file of a thread. Constants and special registers have one as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// No register: a result that nobody wants, or an operand that is not there.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// A function that can be launched.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    pub(crate) name: String,
    pub(crate) instructions: Vec<Instruction>,
    /// The text of each instruction, for messages.
    pub(crate) texts: Vec<String>,
    /// Where each parameter lies among all of them, and its size.
    pub(crate) parameters: Vec<(usize, usize)>,
    /// How many registers a thread has.
    pub(crate) registers: usize,
    /// Constants.
    pub(crate) constants: Vec<(u64, Slot)>,
    /// Special registers that are read.
    pub(crate) special: Vec<(Special, Slot)>,
    /// Bytes of shared memory that are known beforehand; what a launch adds lies behind them.
    pub(crate) shared: u64,
    /// Bytes of memory of each thread.
    pub(crate) local: u64,
    /// Whether threads wait for others.
    pub(crate) meets: bool,
    /// The most threads of a block, if that is said.
    pub(crate) most_threads: Option<u64>,
    /// Constants that are addresses: of which variable of the module, and how far behind its start.
    pub(crate) globals: Vec<(usize, i64, Slot)>,
}

/// What a thread knows of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// Its number in the block, on an axis.
    Thread(usize),
    /// The number of its block, on an axis.
    Block(usize),
    /// Threads of a block, on an axis.
    Threads(usize),
    /// Blocks of the grid, on an axis.
    Blocks(usize),
    /// Its number in the warp.
    Lane,
    /// The number of its warp in the block.
    Warp,
}

/// One instruction.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) guard: Guard,
    pub(crate) operation: Operation,
}

/// `@p` or `@!p`: whether the instruction is done at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub(crate) predicate: Slot,
    pub(crate) wanted: bool,
}

/// Which memory an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// The address itself says.
    Generic,
    Global,
    Shared,
    Local,
    Parameter,
}

/// `[base + offset]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub(crate) space: Space,
    pub(crate) base: Slot,
    pub(crate) offset: i32,
}

/// What is moved between memory and registers: `lanes` values side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) bytes: u8,
    pub(crate) lanes: u8,
    pub(crate) signed: bool,
}

/// How a result in floating point is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    pub(crate) rounding: Rounding,
    /// Subnormal numbers are zero (`.ftz`).
    pub(crate) flush: bool,
    /// Results lie between 0 and 1 (`.sat`).
    pub(crate) saturate: bool,
    /// The smaller of a number and a NaN is NaN (`.NaN`).
    pub(crate) nan: bool,
}

impl Mode {
    /// Whether nothing is asked for.
    #[inline]
    pub(crate) fn plain(self) -> bool {
        self.rounding == Rounding::Nearest && !self.flush && !self.saturate
    }
}

/// What an instruction does.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Load {
        shape: Shape,
        from: Address,
        to: [Slot; 4],
    },
    Store {
        shape: Shape,
        to: Address,
        from: [Slot; 4],
    },
    Move {
        to: Slot,
        from: Slot,
    },
    /// An address of one space becomes a generic one, or the other way.
    Translate {
        space: Space,
        to_generic: bool,
        to: Slot,
        from: Slot,
    },
    /// One register of several that are `bits` long.
    Join {
        bits: u8,
        to: Slot,
        from: [Slot; 4],
    },
    /// The other way.
    Split {
        bits: u8,
        to: [Slot; 4],
        from: Slot,
    },
    Select {
        to: Slot,
        yes: Slot,
        no: Slot,
        predicate: Slot,
    },
    Integer {
        action: IntegerAction,
        kind: Integer,
        to: Slot,
        from: [Slot; 3],
    },
    /// `bfi`: the lowest bits of `from`, put into `into`.
    Insert {
        kind: Integer,
        to: Slot,
        from: Slot,
        into: Slot,
        start: Slot,
        length: Slot,
    },
    /// `lop3`: any function of three bits.
    Lookup {
        table: u8,
        to: Slot,
        from: [Slot; 3],
    },
    Float {
        action: FloatAction,
        kind: Float,
        mode: Mode,
        to: Slot,
        from: [Slot; 3],
    },
    Compare(Compare),
    Classify {
        class: Class,
        kind: Float,
        to: Slot,
        from: Slot,
    },
    Convert {
        to_type: Type,
        from_type: Type,
        mode: ConvertMode,
        to: Slot,
        from: Slot,
    },
    /// Two f32 to one register of two halves; the first becomes the upper one.
    ConvertPair {
        to_type: Type,
        mode: ConvertMode,
        to: Slot,
        upper: Slot,
        lower: Slot,
    },
    Atomic {
        action: AtomicAction,
        kind: Type,
        address: Address,
        to: Slot,
        from: [Slot; 2],
    },
    Branch {
        target: u32,
    },
    /// `brx.idx`.
    Switch {
        index: Slot,
        targets: Box<[u32]>,
    },
    Return,
    Trap,
    /// Hints, and fences: threads run one after another.
    Nothing,
    Barrier,
    Warp(Box<WarpAction>),
}
