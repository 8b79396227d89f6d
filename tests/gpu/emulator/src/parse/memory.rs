//! Instructions that move values: between registers, and between registers and memory.

use super::name::Name;
use super::statement::Operands;
use super::{Refusal, text};
use crate::program::{AtomicAction, Operation, Shape, Slot, Space};
use crate::types::Type;

/// Reads such an instruction.
pub(super) fn operation(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    match name.first {
        "mov" => moved(name, operands),
        "cvta" => {
            let to_generic = !name.take("to");
            let space = space(name);
            name.next_type()?;
            operands.expect(2..=2)?;
            let (to, from) = (operands.target(0)?, operands.read(1, Type::U64)?);
            Ok(Operation::Translate { space, to_generic, to, from })
        }
        "atom" | "red" => atomic(name, operands),
        first => {
            let load = first != "st";
            name.ignore_order();
            let space = space(name);
            let lanes = name.find(|part| match part {
                "v2" => Some(2),
                "v4" => Some(4),
                _ => None,
            });
            let lanes = lanes.unwrap_or(1);
            let of = name.next_type()?;
            operands.expect(2..=2)?;
            let (values, address) =
                (operands.text(usize::from(!load))?, operands.text(usize::from(load))?);
            let values = text::vector(values);
            if values.len() != lanes {
                return Err(format!("{} values for {lanes}", values.len()));
            }
            let mut slots = [Slot::NONE; 4];
            for (slot, value) in slots.iter_mut().zip(&values) {
                *slot = if load {
                    operands.scope.target(value)?
                } else {
                    operands.scope.operand(value, of)?
                };
            }
            let shape = Shape { bytes: of.bytes() as u8, lanes: lanes as u8, signed: of.signed() };
            let address = operands.scope.address(address, space)?;
            match (load, space) {
                (true, _) => Ok(Operation::Load { shape, from: address, to: slots }),
                (false, Space::Parameter) => Err(name.unknown()),
                (false, _) => Ok(Operation::Store { shape, to: address, from: slots }),
            }
        }
    }
}

/// The space that is named, or any.
pub(super) fn space(name: &mut Name) -> Space {
    let space = name.find(|part| match part {
        "global" | "const" => Some(Space::Global),
        "shared" => Some(Space::Shared),
        "local" => Some(Space::Local),
        "param" => Some(Space::Parameter),
        _ => None,
    });
    space.unwrap_or(Space::Generic)
}

fn moved(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    let of = name.next_type()?;
    operands.expect(2..=2)?;
    let (left, right) = (operands.text(0)?, operands.text(1)?);
    let bits = |parts: usize| match (of.bytes() as usize * 8).checked_div(parts) {
        Some(bits) if (2..=4).contains(&parts) => Ok(bits as u8),
        _ => Err(format!("{parts} parts")),
    };
    let mut slots = [Slot::NONE; 4];
    if right.starts_with('{') {
        let parts = text::vector(right);
        let bits = bits(parts.len())?;
        for (slot, part) in slots.iter_mut().zip(&parts) {
            *slot = operands.scope.operand(part, of)?;
        }
        Ok(Operation::Join { bits, to: operands.target(0)?, from: slots })
    } else if left.starts_with('{') {
        let parts = text::vector(left);
        let bits = bits(parts.len())?;
        for (slot, part) in slots.iter_mut().zip(&parts) {
            *slot = operands.scope.target(part)?;
        }
        Ok(Operation::Split { bits, to: slots, from: operands.read(1, of)? })
    } else {
        Ok(Operation::Move { to: operands.target(0)?, from: operands.read(1, of)? })
    }
}

fn atomic(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    let returns = name.first == "atom";
    name.ignore_order();
    let space = space(name);
    let action = name.find(|part| {
        Some(match part {
            "add" => AtomicAction::Add,
            "min" => AtomicAction::Min,
            "max" => AtomicAction::Max,
            "and" => AtomicAction::And,
            "or" => AtomicAction::Or,
            "xor" => AtomicAction::Xor,
            "exch" => AtomicAction::Exchange,
            "cas" => AtomicAction::CompareExchange,
            "inc" => AtomicAction::Increment,
            "dec" => AtomicAction::Decrement,
            _ => return None,
        })
    });
    let action = action.ok_or_else(|| name.unknown())?;
    name.ignore(&["noftz"]);
    let kind = name.next_type()?;
    let counts = matches!(action, AtomicAction::Add);
    if kind.float().is_some() && !counts || kind.integer().is_none() && kind.float().is_none() {
        return Err(name.unknown());
    }
    let first = usize::from(returns);
    let values = if action == AtomicAction::CompareExchange { 2 } else { 1 };
    operands.expect(first + 1 + values..=first + 1 + values)?;
    let to = if returns { operands.target(0)? } else { Slot::NONE };
    let address = operands.text(first)?;
    let address = operands.scope.address(address, space)?;
    let from = [operands.read(first + 1, kind)?, operands.read_if_there(first + 2, kind)?];
    Ok(Operation::Atomic { action, kind, address, to, from })
}
