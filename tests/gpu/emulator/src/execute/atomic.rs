//! Instructions that read, change and write memory at once.

use super::space::number;
use super::{Fault, Surroundings, Thread, float, integer};
use crate::number::Rounding;
use crate::program::{Address, AtomicAction, FloatAction, IntegerAction, Mode, Space};
use crate::types::{Float, Type};

impl Thread<'_> {
    /// Does it, and returns what was there.
    pub(super) fn atomic(
        &mut self,
        around: &mut Surroundings,
        action: AtomicAction,
        kind: Type,
        at: Address,
        b: u64,
        c: u64,
    ) -> Result<u64, Fault> {
        let address = self.address(at);
        let width = kind.bytes() as usize;
        let Some(bytes) = self.bytes_mut(around, at.space, address, width) else {
            return Err(self.fault(around, at.space, address, width));
        };
        let old = number(bytes, width as u8);
        let new = match kind.float() {
            // in shared memory a card keeps what is subnormal
            Some(float) => added(float, at.space != Space::Shared, old, b),
            None => changed(action, kind, old, b, c),
        };
        bytes.copy_from_slice(&new.to_le_bytes()[..width]);
        Ok(old)
    }
}

fn added(kind: Float, flush: bool, old: u64, b: u64) -> u64 {
    let flush = flush && kind == Float::F32;
    let mode = Mode { rounding: Rounding::Nearest, flush, saturate: false, nan: false };
    float::compute(FloatAction::Add, kind, mode, old, b, 0)
}

fn changed(action: AtomicAction, kind: Type, old: u64, b: u64, c: u64) -> u64 {
    let Some(kind) = kind.integer() else { return old };
    let with = |action| integer::compute(action, kind, old, b, 0);
    let (value, limit) = (kind.of(old), kind.of(b));
    match action {
        AtomicAction::Add => with(IntegerAction::Add),
        AtomicAction::Min => with(IntegerAction::Min),
        AtomicAction::Max => with(IntegerAction::Max),
        AtomicAction::And => with(IntegerAction::And),
        AtomicAction::Or => with(IntegerAction::Or),
        AtomicAction::Xor => with(IntegerAction::Xor),
        AtomicAction::Exchange => b,
        AtomicAction::CompareExchange if value == limit => c,
        AtomicAction::CompareExchange => old,
        AtomicAction::Increment if value >= limit => 0,
        AtomicAction::Increment => old.wrapping_add(1),
        AtomicAction::Decrement if value == 0 || value > limit => b,
        AtomicAction::Decrement => old.wrapping_sub(1),
    }
}
