//! What names stand for: registers, variables, parameters, numbers.

use super::declaration::{Declaration, Room, Variable, number};
use super::{Refusal, text};
use crate::program::{Address, Kernel, Slot, Space, Special};
use crate::types::Type;
use std::collections::HashMap;

/// Where a variable lies.
#[derive(Clone, Copy)]
enum Place {
    /// Its number among those of the module.
    Global(usize),
    /// Its address in its space.
    At(u64),
    /// In shared memory, behind all whose size is known.
    Launched,
}

/// The names that are known at a place of a kernel.
pub(super) struct Scope<'a> {
    pub(super) kernel: Kernel,
    /// Registers of each block of braces, the innermost last.
    registers: Vec<HashMap<String, Slot>>,
    variables: HashMap<&'a str, Place>,
    /// Constants by their value.
    constants: HashMap<u64, Slot>,
    /// Constants that are addresses of shared memory of the launch.
    launched: Vec<(i64, Slot)>,
    /// The end of the parameters.
    parameters: u64,
}

impl<'a> Scope<'a> {
    pub(super) fn new(globals: &'a [Variable]) -> Self {
        let variables = globals.iter().enumerate();
        let variables = variables.map(|(at, v)| (v.name.as_str(), Place::Global(at)));
        Self {
            kernel: Kernel::default(),
            registers: vec![HashMap::new()],
            variables: variables.collect(),
            constants: HashMap::new(),
            launched: Vec::new(),
            parameters: 0,
        }
    }

    pub(super) fn open(&mut self) {
        self.registers.push(HashMap::new());
    }

    pub(super) fn close(&mut self) {
        self.registers.pop();
    }

    fn slot(&mut self) -> Slot {
        self.kernel.registers += 1;
        Slot(self.kernel.registers as u32 - 1)
    }

    /// Makes a variable or a parameter known.
    pub(super) fn declare(&mut self, declared: &Declaration<'a>) -> Result<(), Refusal> {
        let name = declared.name;
        let end = match declared.space {
            Room::Shared => &mut self.kernel.shared,
            Room::Local => &mut self.kernel.local,
            Room::Parameter => &mut self.parameters,
            Room::Global => return Err(format!("`{name}` is declared in a kernel")),
        };
        let place = match declared.bytes() {
            Some(bytes) => {
                let place = declared.place(*end);
                *end = place + bytes;
                if declared.space == Room::Parameter {
                    self.kernel.parameters.push((place as usize, bytes as usize));
                }
                Place::At(place)
            }
            None if declared.space == Room::Shared => Place::Launched,
            None => return Err(format!("`{name}` has no length")),
        };
        self.variables.insert(name, place);
        Ok(())
    }

    /// `.b32 %r<5>, %x`: makes registers known.
    pub(super) fn declare_registers(&mut self, line: &str) -> Result<(), Refusal> {
        let refused = || format!("unknown declaration `.reg {line}`");
        let (of, names) = line.trim().split_once([' ', '\t']).ok_or_else(refused)?;
        of.strip_prefix('.').and_then(Type::named).ok_or_else(refused)?;
        for name in text::list(names) {
            let (name, count) = match name.split_once('<') {
                Some((name, count)) => {
                    let count = count.strip_suffix('>').and_then(|n| n.trim().parse::<u32>().ok());
                    (name, Some(count.ok_or_else(refused)?))
                }
                None => (name, None),
            };
            for number in 0..count.unwrap_or(1) {
                let slot = self.slot();
                let name = if count.is_some() { format!("{name}{number}") } else { name.into() };
                self.registers.last_mut().ok_or_else(refused)?.insert(name, slot);
            }
        }
        Ok(())
    }

    /// The constant `value`.
    pub(super) fn constant(&mut self, value: u64) -> Slot {
        if let Some(slot) = self.constants.get(&value) {
            return *slot;
        }
        let slot = self.slot();
        self.constants.insert(value, slot);
        self.kernel.constants.push((value, slot));
        slot
    }

    /// A register that is written: `_` is none.
    pub(super) fn target(&self, name: &str) -> Result<Slot, Refusal> {
        if name == "_" {
            return Ok(Slot::NONE);
        }
        self.register(name).ok_or_else(|| format!("unknown register `{name}`"))
    }

    fn register(&self, name: &str) -> Option<Slot> {
        self.registers.iter().rev().find_map(|known| known.get(name)).copied()
    }

    /// What is read: a register, a number, or the address of a variable.
    pub(super) fn operand(&mut self, name: &str, of: Type) -> Result<Slot, Refusal> {
        if let Some(slot) = self.register(name) {
            return Ok(slot);
        }
        if name.starts_with('%') {
            return self.special(name).ok_or_else(|| format!("unknown register `{name}`"));
        }
        if name == "WARP_SZ" {
            return Ok(self.constant(32));
        }
        if let Some(bits) = number(name, of) {
            return Ok(self.constant(bits));
        }
        let refused = || format!("unknown operand `{name}`");
        let (symbol, offset) = offset(name);
        let offset = offset.ok_or_else(refused)?;
        match self.variables.get(symbol).copied().ok_or_else(refused)? {
            Place::At(place) => Ok(self.constant(place.wrapping_add_signed(offset))),
            Place::Global(number) => {
                let slot = self.slot();
                self.kernel.globals.push((number, offset, slot));
                Ok(slot)
            }
            Place::Launched => {
                let slot = self.slot();
                self.launched.push((offset, slot));
                Ok(slot)
            }
        }
    }

    fn special(&mut self, name: &str) -> Option<Slot> {
        let axis = |dotted: &str| match dotted {
            "x" => Some(0),
            "y" => Some(1),
            "z" => Some(2),
            _ => None,
        };
        let special = match name.split_once('.') {
            Some(("%tid", dotted)) => Special::Thread(axis(dotted)?),
            Some(("%ctaid", dotted)) => Special::Block(axis(dotted)?),
            Some(("%ntid", dotted)) => Special::Threads(axis(dotted)?),
            Some(("%nctaid", dotted)) => Special::Blocks(axis(dotted)?),
            None if name == "%laneid" => Special::Lane,
            None if name == "%warpid" => Special::Warp,
            _ => return None,
        };
        let known = self.kernel.special.iter().find(|known| known.0 == special);
        if let Some(known) = known {
            return Some(known.1);
        }
        let slot = self.slot();
        self.kernel.special.push((special, slot));
        Some(slot)
    }

    /// A predicate, and whether it stands with `!`.
    pub(super) fn predicate(&mut self, name: &str) -> Result<(Slot, bool), Refusal> {
        match name.strip_prefix('!') {
            Some(name) => Ok((self.operand(name.trim(), Type::Pred)?, true)),
            None => Ok((self.operand(name, Type::Pred)?, false)),
        }
    }

    /// `[base + offset]`.
    pub(super) fn address(&mut self, text: &str, space: Space) -> Result<Address, Refusal> {
        let refused = || format!("unknown address `{text}`");
        let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let (base, distance) = offset(inner.ok_or_else(refused)?.trim());
        let distance = i32::try_from(distance.ok_or_else(refused)?).map_err(|_| refused())?;
        Ok(Address { space, base: self.operand(base, Type::U64)?, offset: distance })
    }

    /// The kernel, once all is declared.
    pub(super) fn finish(mut self) -> Kernel {
        self.kernel.shared = self.kernel.shared.next_multiple_of(16);
        for (offset, slot) in self.launched {
            let place = self.kernel.shared.wrapping_add_signed(offset);
            self.kernel.constants.push((place, slot));
        }
        self.kernel
    }
}

/// `name + 8` in its parts.
fn offset(text: &str) -> (&str, Option<i64>) {
    let Some(at) = text.rfind(['+', '-']).filter(|at| *at > 0) else { return (text, Some(0)) };
    let (name, sign) = (text[..at].trim_end_matches('+').trim(), &text[at..=at]);
    let size =
        super::declaration::integer(text[at + 1..].trim()).and_then(|n| i64::try_from(n).ok());
    (name, size.map(|size| if sign == "-" { -size } else { size }))
}
