//! A kernel: its parameters, its limits, its statements, its labels.

use super::declaration::{Declaration, Variable, declaration};
use super::scope::Scope;
use super::{Refusal, statement, text};
use crate::program::{Guard, Instruction, Kernel, Operation, Slot};
use std::collections::HashMap;

/// Jumps to labels that may come later.
#[derive(Default)]
pub(super) struct Labels<'a> {
    places: HashMap<&'a str, u32>,
    tables: HashMap<&'a str, Vec<&'a str>>,
    jumps: Vec<(usize, &'a str)>,
}

impl<'a> Labels<'a> {
    /// The next instruction is a jump to `label`, or to one of the table of this name.
    pub(super) fn jump(&mut self, from: usize, label: &'a str) {
        self.jumps.push((from, label));
    }

    /// Writes into the jumps where they go.
    fn resolve(self, instructions: &mut [Instruction]) -> Result<(), Refusal> {
        let place = |label: &str| {
            self.places.get(label).copied().ok_or_else(|| format!("unknown label `{label}`"))
        };
        for (from, label) in &self.jumps {
            match &mut instructions[*from].operation {
                Operation::Switch { targets, .. } => {
                    let table = self.tables.get(label);
                    let table = table.ok_or_else(|| format!("unknown table `{label}`"))?;
                    *targets = table.iter().map(|label| place(label)).collect::<Result<_, _>>()?;
                }
                Operation::Branch { target } => *target = place(label)?,
                _ => return Err(format!("no jump to `{label}`")),
            }
        }
        Ok(())
    }
}

/// Reads a kernel.
pub(super) fn kernel<'a>(
    head: &'a str,
    body: &'a str,
    shared: &[Declaration<'a>],
    globals: &'a [Variable],
) -> Result<Kernel, Refusal> {
    let refused = || format!("unknown declaration `{head}`");
    let (start, rest) = head.split_once('(').ok_or_else(refused)?;
    let (parameters, limits) = rest.split_once(')').ok_or_else(refused)?;
    let mut words = start.split_whitespace().rev();
    let (name, entry) = (words.next(), words.next());
    if entry != Some(".entry") {
        return Err(refused());
    }
    let mut scope = Scope::new(globals);
    scope.kernel.name = name.unwrap_or_default().into();
    scope.kernel.most_threads = most_threads(limits)?;
    for parameter in text::list(parameters) {
        scope.declare(&declaration(parameter)?)?;
    }
    for variable in shared {
        scope.declare(variable)?;
    }
    let mut labels = Labels::default();
    let mut label = "";
    let mut refusals: Vec<Refusal> = Vec::new();
    for piece in text::pieces(body)? {
        match piece {
            text::Piece::Open => scope.open(),
            text::Piece::Close => scope.close(),
            text::Piece::Label(name) => {
                label = name;
                labels.places.insert(name, scope.kernel.instructions.len() as u32);
            }
            text::Piece::Statement(line) => {
                if let Err(refusal) = line_of(line, label, &mut scope, &mut labels) {
                    refusals.push(format!("{refusal} in `{line}`"));
                }
            }
        }
    }
    if !refusals.is_empty() {
        return Err(format!("{}: {}", scope.kernel.name, refusals.join("\n    ")));
    }
    let guard = Guard { predicate: Slot::NONE, wanted: true };
    scope.kernel.instructions.push(Instruction { guard, operation: Operation::Return });
    scope.kernel.texts.push("}".into());
    labels.resolve(&mut scope.kernel.instructions)?;
    Ok(scope.finish())
}

/// The most threads of a block: `.maxntid 128, 1, 1`.
fn most_threads(limits: &str) -> Result<Option<u64>, Refusal> {
    let mut most = None;
    for limit in limits.split('.').map(str::trim).filter(|limit| !limit.is_empty()) {
        let (name, value) = limit.split_once([' ', '\t', '\n']).unwrap_or((limit, ""));
        match name {
            "maxntid" | "reqntid" => {
                let sides = value.split(',').map(|side| side.trim().parse::<u64>());
                let threads = sides.product::<Result<u64, _>>();
                most = Some(threads.map_err(|_| format!("unknown limit `{limit}`"))?);
            }
            "minnctapersm" | "maxnreg" | "noreturn" => {}
            _ => return Err(format!("unknown limit `{limit}`")),
        }
    }
    Ok(most)
}

/// One line of a kernel, which may be a directive.
fn line_of<'a>(
    line: &'a str,
    label: &'a str,
    scope: &mut Scope<'a>,
    labels: &mut Labels<'a>,
) -> Result<(), Refusal> {
    let (first, rest) = line.split_once([' ', '\t', '\n']).unwrap_or((line, ""));
    match first {
        ".reg" => scope.declare_registers(rest),
        ".shared" | ".local" => scope.declare(&declaration(line)?),
        ".branchtargets" => {
            labels.tables.insert(label, text::list(rest));
            Ok(())
        }
        ".pragma" => Ok(()),
        _ => {
            // the place in the source stands without a semicolon
            let mut line = line;
            while line.starts_with(".loc") || line.starts_with(".file") {
                line = line.split_once('\n').map_or("", |(_, rest)| rest.trim_start());
            }
            if line.is_empty() {
                return Ok(());
            }
            let instruction = statement::instruction(line, scope, labels)?;
            scope.kernel.texts.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
            scope.kernel.instructions.push(instruction);
            Ok(())
        }
    }
}
