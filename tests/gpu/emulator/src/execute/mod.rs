//! One thread: its registers, and what each instruction does to them.

mod atomic;
mod compare;
mod convert;
mod float;
mod integer;
mod space;

use crate::memory::{Hint, Memory};
use crate::program::{Instruction, Kernel, Operation, Slot};
use crate::status::Status;

pub(crate) use space::number;

/// All that the threads of a launch have in common, but their registers.
pub(crate) struct Surroundings<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) memory: &'a mut Memory,
    /// One for each instruction.
    pub(crate) hints: &'a mut [Hint],
    pub(crate) parameters: &'a [u8],
    pub(crate) shared: &'a mut [u8],
}

/// What one thread has alone.
pub(crate) struct Thread<'a> {
    pub(crate) registers: &'a mut [u64],
    pub(crate) local: &'a mut [u8],
    /// The next instruction.
    pub(crate) at: usize,
}

/// Why a thread does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has ended.
    Ended,
    /// It waits for all threads of its block.
    Barrier,
    /// It waits for its warp, at the instruction it stands at.
    Warp,
}

/// What a kernel did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: Status,
    /// What happened.
    pub(crate) text: String,
    /// The instruction.
    pub(crate) at: usize,
}

impl Thread<'_> {
    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> u64 {
        self.registers[slot.0 as usize]
    }

    #[inline]
    pub(crate) fn set(&mut self, slot: Slot, value: u64) {
        if let Some(register) = self.registers.get_mut(slot.0 as usize) {
            *register = value;
        }
    }

    /// Runs until the thread waits or ends.
    pub(crate) fn run(&mut self, around: &mut Surroundings) -> Result<Stop, Fault> {
        let instructions = around.kernel.instructions.as_slice();
        // what a fault and memory know of the place is written down before they are asked
        let mut at = self.at;
        loop {
            let Instruction { guard, operation } = &instructions[at];
            if guard.predicate.is_some() && (self.get(guard.predicate) & 1 == 1) != guard.wanted {
                at += 1;
                continue;
            }
            match operation {
                Operation::Load { shape, from, to } => {
                    self.at = at;
                    self.load(around, *shape, *from, to)?;
                }
                Operation::Store { shape, to, from } => {
                    self.at = at;
                    self.store(around, *shape, *to, from)?;
                }
                Operation::Move { to, from } => self.set(*to, self.get(*from)),
                Operation::Translate { space, to_generic, to, from } => {
                    let window = space::window(*space);
                    let from = self.get(*from);
                    let address = if *to_generic {
                        from.wrapping_add(window)
                    } else {
                        from.wrapping_sub(window)
                    };
                    self.set(*to, address);
                }
                Operation::Join { bits, to, from } => {
                    let mut value = 0;
                    for (part, slot) in from.iter().take_while(|slot| slot.is_some()).enumerate() {
                        let low = self.get(*slot) & (u64::MAX >> (64 - bits));
                        value |= low << (part as u32 * u32::from(*bits));
                    }
                    self.set(*to, value);
                }
                Operation::Split { bits, to, from } => {
                    let value = self.get(*from);
                    for (part, slot) in to.iter().enumerate() {
                        let part = value.checked_shr(part as u32 * u32::from(*bits)).unwrap_or(0);
                        self.set(*slot, part & (u64::MAX >> (64 - bits)));
                    }
                }
                Operation::Select { to, yes, no, predicate } => {
                    let chosen = if self.get(*predicate) & 1 == 1 { yes } else { no };
                    self.set(*to, self.get(*chosen));
                }
                Operation::Integer { action, kind, to, from } => {
                    let [a, b, c] = from.map(|slot| self.get(slot));
                    self.set(*to, integer::compute(*action, *kind, a, b, c));
                }
                Operation::Insert { kind, to, from, into, start, length } => {
                    let [from, into, start, length] =
                        [*from, *into, *start, *length].map(|slot| self.get(slot));
                    self.set(*to, integer::insert(*kind, from, into, start, length));
                }
                Operation::Lookup { table, to, from } => {
                    let [a, b, c] = from.map(|slot| self.get(slot));
                    self.set(*to, integer::lookup(*table, a, b, c));
                }
                Operation::Float { action, kind, mode, to, from } => {
                    let [a, b, c] = from.map(|slot| self.get(slot));
                    self.set(*to, float::compute(*action, *kind, *mode, a, b, c));
                }
                Operation::Compare(compare) => {
                    let [a, b] = compare.from.map(|slot| self.get(slot));
                    let (yes, no) = compare::compare(compare, a, b, self.get(compare.predicate));
                    self.set(compare.to, u64::from(yes));
                    self.set(compare.opposite, u64::from(no));
                }
                Operation::Classify { class, kind, to, from } => {
                    let is = compare::classify(*class, *kind, self.get(*from));
                    self.set(*to, u64::from(is));
                }
                Operation::Convert { to_type, from_type, mode, to, from } => {
                    let value = convert::convert(*to_type, *from_type, *mode, self.get(*from));
                    self.set(*to, value);
                }
                Operation::ConvertPair { to_type, mode, to, upper, lower } => {
                    let [upper, lower] = [*upper, *lower].map(|slot| {
                        convert::convert(*to_type, crate::types::Type::F32, *mode, self.get(slot))
                    });
                    self.set(*to, upper << 16 | lower);
                }
                Operation::Atomic { action, kind, address, to, from } => {
                    self.at = at;
                    let [b, c] = from.map(|slot| self.get(slot));
                    let old = self.atomic(around, *action, *kind, *address, b, c)?;
                    self.set(*to, old);
                }
                Operation::Branch { target } => {
                    at = *target as usize;
                    continue;
                }
                Operation::Switch { index, targets } => {
                    match targets.get(self.get(*index) as u32 as usize) {
                        Some(target) => {
                            at = *target as usize;
                            continue;
                        }
                        None => return Err(failure(at, "there is no such target")),
                    }
                }
                Operation::Return => return Ok(Stop::Ended),
                Operation::Trap => return Err(failure(at, "a trap")),
                Operation::Nothing => {}
                Operation::Barrier => {
                    self.at = at + 1;
                    return Ok(Stop::Barrier);
                }
                Operation::Warp(_) => {
                    self.at = at;
                    return Ok(Stop::Warp);
                }
            }
            at += 1;
        }
    }
}

fn failure(at: usize, text: &str) -> Fault {
    Fault { status: Status::LAUNCH_FAILED, text: text.into(), at }
}
