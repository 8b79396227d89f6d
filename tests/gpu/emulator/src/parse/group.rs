//! Instructions of all threads of a warp.

use super::memory::space;
use super::name::Name;
use super::statement::Operands;
use super::{Refusal, text};
use crate::program::{Fragment, Product, Shuffle, Slot, Vote, WarpAction};
use crate::types::Type;

/// Reads such an instruction.
pub(super) fn action(name: &mut Name, operands: &mut Operands) -> Result<WarpAction, Refusal> {
    name.ignore(&["sync"]);
    match name.first {
        "activemask" => {
            name.next_type()?;
            operands.expect(1..=1)?;
            Ok(WarpAction::Active { to: operands.target(0)? })
        }
        "vote" => {
            let vote = name.find(|part| match part {
                "all" => Some(Vote::All),
                "any" => Some(Vote::Any),
                "uni" => Some(Vote::Uniform),
                "ballot" => Some(Vote::Ballot),
                _ => None,
            });
            let vote = vote.ok_or_else(|| name.unknown())?;
            name.next_type()?;
            operands.expect(2..=3)?;
            let predicate = operands.text(1)?;
            let (from, negate) = operands.scope.predicate(predicate)?;
            Ok(WarpAction::Vote { vote, negate, to: operands.target(0)?, from })
        }
        "shfl" => {
            let shuffle = name.find(|part| match part {
                "up" => Some(Shuffle::Up),
                "down" => Some(Shuffle::Down),
                "bfly" => Some(Shuffle::Butterfly),
                "idx" => Some(Shuffle::Index),
                _ => None,
            });
            let shuffle = shuffle.ok_or_else(|| name.unknown())?;
            name.next_type()?;
            operands.expect(4..=5)?;
            let (to, inside) =
                operands.text(0)?.split_once('|').unwrap_or((operands.text(0)?, "_"));
            Ok(WarpAction::Shuffle {
                shuffle,
                to: operands.scope.target(to.trim())?,
                inside: operands.scope.target(inside.trim())?,
                from: operands.read(1, Type::B32)?,
                lane: operands.read(2, Type::U32)?,
                clamp: operands.read(3, Type::U32)?,
            })
        }
        _ => matrix(name, operands),
    }
}

/// `wmma.load`, `wmma.store` and `wmma.mma`.
fn matrix(name: &mut Name, operands: &mut Operands) -> Result<WarpAction, Refusal> {
    name.ignore(&["aligned"]);
    let shape = name.find(shape).ok_or_else(|| name.unknown())?;
    let (m, n, k) = shape;
    if name.take("mma") {
        if !name.take("row") && !name.take("col") {
            return Err(name.unknown());
        }
        name.ignore(&["row", "col"]);
        let mut types = Vec::new();
        while let Some(of) = name.find(Type::named) {
            types.push(of);
        }
        let (result, factor, addend) = match types[..] {
            [result, addend] => (result, Type::F16, addend),
            [result, a, b, addend] if a == b => (result, a, addend),
            _ => return Err(name.unknown()),
        };
        let sums = |of| matches!(of, Type::F16 | Type::F32);
        if !matches!(factor, Type::F16 | Type::Bf16 | Type::Tf32) || !sums(result) || !sums(addend)
        {
            return Err(name.unknown());
        }
        operands.expect(4..=4)?;
        let mut registers = [const { Vec::new() }; 4];
        for (at, slots) in registers.iter_mut().enumerate() {
            *slots = fragment_registers(operands, at)?;
        }
        let product = Product { m, n, k, factor, addend, result, registers };
        let sizes = [(m * n, result), (m * k, factor), (k * n, factor), (m * n, addend)];
        for (slots, (size, of)) in product.registers.iter().zip(sizes) {
            enough(slots, size, of)?;
        }
        return Ok(WarpAction::MultiplyFragments(product));
    }
    let load = name.take("load");
    if !load && !name.take("store") {
        return Err(name.unknown());
    }
    let (rows, columns) = name
        .find(|part| match part {
            "a" => Some((m, k)),
            "b" => Some((k, n)),
            "c" | "d" => Some((m, n)),
            _ => None,
        })
        .ok_or_else(|| name.unknown())?;
    let column_major = name.take("col");
    if !column_major && !name.take("row") {
        return Err(name.unknown());
    }
    let space = space(name);
    let of = name.next_type()?;
    if !matches!(of, Type::F16 | Type::Bf16 | Type::F32 | Type::Tf32) {
        return Err(name.unknown());
    }
    operands.expect(2..=3)?;
    let (registers, at) = if load { (0, 1) } else { (1, 0) };
    let registers = fragment_registers(operands, registers)?;
    enough(&registers, rows * columns, of)?;
    let at = operands.text(at)?;
    let at = operands.scope.address(at, space)?;
    let stride = match operands.all.len() {
        3 => operands.read(2, Type::U32)?,
        _ => operands.scope.constant(if column_major { rows } else { columns } as u64),
    };
    let bytes = of.bytes() as u8;
    let fragment = Fragment { rows, columns, column_major, bytes, at, stride, registers };
    Ok(if load { WarpAction::LoadFragment(fragment) } else { WarpAction::StoreFragment(fragment) })
}

fn fragment_registers(operands: &mut Operands, at: usize) -> Result<Vec<Slot>, Refusal> {
    text::vector(operands.text(at)?).iter().map(|name| operands.scope.target(name)).collect()
}

/// Whether the registers of 32 threads hold a matrix.
fn enough(registers: &[Slot], elements: usize, of: Type) -> Result<(), Refusal> {
    let bytes = registers.len() * 32 * 4;
    if bytes >= elements * of.bytes() as usize && registers.iter().all(|slot| slot.is_some()) {
        Ok(())
    } else {
        Err(format!("{} registers of a matrix of {elements}", registers.len()))
    }
}

/// `m16n16k8`.
fn shape(text: &str) -> Option<(usize, usize, usize)> {
    let (m, rest) = text.strip_prefix('m')?.split_once('n')?;
    let (n, k) = rest.split_once('k')?;
    Some((m.parse().ok()?, n.parse().ok()?, k.parse().ok()?))
}
