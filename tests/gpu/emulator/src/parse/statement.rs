//! One instruction.

use super::body::Labels;
use super::name::Name;
use super::scope::Scope;
use super::{Refusal, arithmetic, convert, group, memory, text};
use crate::program::{Guard, Instruction, Operation, Slot, WarpAction};
use crate::types::Type;

/// The operands of an instruction, as they are written.
pub(super) struct Operands<'a, 's> {
    pub(super) all: Vec<&'a str>,
    pub(super) scope: &'s mut Scope<'a>,
}

impl<'a> Operands<'a, '_> {
    /// As many operands as are expected.
    pub(super) fn expect(&self, counts: core::ops::RangeInclusive<usize>) -> Result<(), Refusal> {
        if counts.contains(&self.all.len()) {
            Ok(())
        } else {
            Err(format!("{} operands", self.all.len()))
        }
    }

    pub(super) fn text(&self, at: usize) -> Result<&'a str, Refusal> {
        self.all.get(at).copied().ok_or_else(|| format!("{at} operands only"))
    }

    /// The register that is written.
    pub(super) fn target(&mut self, at: usize) -> Result<Slot, Refusal> {
        self.scope.target(self.text(at)?)
    }

    /// What is read.
    pub(super) fn read(&mut self, at: usize, of: Type) -> Result<Slot, Refusal> {
        self.scope.operand(self.text(at)?, of)
    }

    /// What is read, or slot 0 in its place if it is not there: some register, which then means nothing.
    pub(super) fn read_if_there(&mut self, at: usize, of: Type) -> Result<Slot, Refusal> {
        if at < self.all.len() { self.read(at, of) } else { Ok(Slot(0)) }
    }
}

/// Reads an instruction.
pub(super) fn instruction<'a>(
    line: &'a str,
    scope: &mut Scope<'a>,
    labels: &mut Labels<'a>,
) -> Result<Instruction, Refusal> {
    let mut guard = Guard { predicate: Slot::NONE, wanted: true };
    let mut line = line;
    if let Some(guarded) = line.strip_prefix('@') {
        let (predicate, rest) =
            guarded.split_once([' ', '\t', '\n']).ok_or("a guard of nothing")?;
        let (predicate, negated) = scope.predicate(predicate)?;
        guard = Guard { predicate, wanted: !negated };
        line = rest.trim_start();
    }
    let (name, rest) = line.split_once([' ', '\t', '\n']).unwrap_or((line, ""));
    let at = scope.kernel.instructions.len();
    let mut name = Name::new(name);
    let mut operands = Operands { all: text::list(rest), scope };
    let operation = match name.first {
        "bra" => {
            name.ignore(&["uni"]);
            operands.expect(1..=1)?;
            labels.jump(at, operands.text(0)?);
            Operation::Branch { target: 0 }
        }
        "brx" => {
            name.ignore(&["uni", "idx"]);
            operands.expect(2..=2)?;
            labels.jump(at, operands.text(1)?);
            Operation::Switch { index: operands.read(0, Type::U32)?, targets: Box::default() }
        }
        "ret" | "exit" => {
            name.ignore(&["uni"]);
            Operation::Return
        }
        "trap" | "brkpt" => Operation::Trap,
        "membar" | "fence" => {
            name.ignore_order();
            name.ignore(&["gl", "proxy", "async", "alias", "mbarrier_init", "shared", "global"]);
            Operation::Nothing
        }
        "nanosleep" | "prefetch" | "prefetchu" => {
            name.ignore(&["u32", "global", "local", "L1", "L2", "L2::evict_last"]);
            name.ignore(&["L2::evict_normal"]);
            Operation::Nothing
        }
        "bar" | "barrier" => {
            let of_warp = name.take("warp");
            name.ignore(&["cta", "aligned"]);
            if !name.take("sync") || operands.all.len() != 1 {
                return Err(name.unknown());
            }
            operands.scope.kernel.meets = true;
            if of_warp { Operation::Warp(Box::new(WarpAction::Meet)) } else { Operation::Barrier }
        }
        "ld" | "ldu" | "st" | "mov" | "cvta" | "atom" | "red" => {
            memory::operation(&mut name, &mut operands)?
        }
        "cvt" => convert::operation(&mut name, &mut operands)?,
        "shfl" | "vote" | "activemask" | "wmma" => {
            operands.scope.kernel.meets = true;
            Operation::Warp(Box::new(group::action(&mut name, &mut operands)?))
        }
        _ => arithmetic::operation(&mut name, &mut operands)?,
    };
    name.finish()?;
    Ok(Instruction { guard, operation })
}
