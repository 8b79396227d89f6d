//! Instructions that compute, and compare.

use super::Refusal;
use super::name::Name;
use super::statement::Operands;
use crate::number::Rounding;
use crate::program::*;
use crate::types::{Float, Integer, Type};

/// Reads such an instruction.
pub(super) fn operation(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    match name.first {
        "setp" => return compare(name, operands),
        "testp" => return classify(name, operands),
        "selp" => {
            let of = name.next_type()?;
            operands.expect(4..=4)?;
            return Ok(Operation::Select {
                to: operands.target(0)?,
                yes: operands.read(1, of)?,
                no: operands.read(2, of)?,
                predicate: operands.read(3, Type::Pred)?,
            });
        }
        "lop3" => {
            operands.expect(5..=5)?;
            let table = operands.text(4)?;
            let table = super::declaration::integer(table).and_then(|n| u8::try_from(n).ok());
            let table = table.ok_or_else(|| name.unknown())?;
            let of = name.next_type()?;
            let from = [operands.read(1, of)?, operands.read(2, of)?, operands.read(3, of)?];
            return Ok(Operation::Lookup { table, to: operands.target(0)?, from });
        }
        _ => {}
    }
    // the action is named before the type, its part after it: `mul.hi.u32`
    let part = name.find(|part| match part {
        "lo" => Some(0),
        "hi" => Some(1),
        "wide" => Some(2),
        _ => None,
    });
    let side = name.find(|part| match part {
        "l" => Some(0),
        "r" => Some(1),
        _ => None,
    });
    let wrap = name.take("wrap");
    let clamp = name.take("clamp");
    let mode = Mode {
        flush: name.take("ftz"),
        saturate: name.take("sat"),
        nan: name.take("NaN"),
        rounding: name.rounding(),
    };
    name.ignore(&["approx", "full"]);
    let of = name.next_type()?;
    if let Some(kind) = of.float() {
        let plain = part.is_none() && side.is_none() && !wrap && !clamp;
        return match float_action(name.first) {
            Some((action, count)) if plain && known(action, kind, mode) => {
                operands.expect(count + 1..=count + 1)?;
                let from = [
                    operands.read(1, of)?,
                    operands.read_if_there(2, of)?,
                    operands.read_if_there(3, of)?,
                ];
                Ok(Operation::Float { action, kind, mode, to: operands.target(0)?, from })
            }
            _ => Err(name.unknown()),
        };
    }
    if mode.flush || mode.nan || mode.rounding != Rounding::Nearest {
        return Err(name.unknown());
    }
    let kind = if of == Type::Pred { Some(Integer::U8) } else { of.integer() };
    let kind = kind.ok_or_else(|| name.unknown())?;
    if name.first == "bfi" {
        operands.expect(5..=5)?;
        return Ok(Operation::Insert {
            kind,
            to: operands.target(0)?,
            from: operands.read(1, of)?,
            into: operands.read(2, of)?,
            start: operands.read(3, Type::U32)?,
            length: operands.read(4, Type::U32)?,
        });
    }
    let (action, count) = match (name.first, part) {
        ("shf", None) if wrap != clamp => (funnel(side, clamp).ok_or_else(|| name.unknown())?, 3),
        (first, part) if side.is_none() && !wrap && !clamp => {
            integer_action(first, part, of, mode.saturate).ok_or_else(|| name.unknown())?
        }
        _ => return Err(name.unknown()),
    };
    operands.expect(count + 1..=count + 1)?;
    let from =
        [operands.read(1, of)?, operands.read_if_there(2, of)?, operands.read_if_there(3, of)?];
    Ok(Operation::Integer { action, kind, to: operands.target(0)?, from })
}

fn funnel(side: Option<u8>, clamp: bool) -> Option<IntegerAction> {
    Some(match (side?, clamp) {
        (0, false) => IntegerAction::FunnelLeft,
        (0, true) => IntegerAction::FunnelLeftClamped,
        (_, false) => IntegerAction::FunnelRight,
        (_, true) => IntegerAction::FunnelRightClamped,
    })
}

/// The action of an instruction, and how many operands it reads.
fn integer_action(
    first: &str,
    part: Option<u8>,
    of: Type,
    saturate: bool,
) -> Option<(IntegerAction, usize)> {
    use IntegerAction::*;
    let predicate = of == Type::Pred;
    let found = match (first, part, saturate) {
        ("and", None, false) => (And, 2),
        ("or", None, false) => (Or, 2),
        ("xor", None, false) => (Xor, 2),
        ("not", None, false) if predicate => (NotPredicate, 1),
        _ if predicate => return None,
        ("not", None, false) => (Not, 1),
        ("add", None, false) => (Add, 2),
        ("add", None, true) => (AddSaturated, 2),
        ("sub", None, false) => (Subtract, 2),
        ("sub", None, true) => (SubtractSaturated, 2),
        ("mul", Some(0), false) => (MultiplyLow, 2),
        ("mul", Some(1), false) => (MultiplyHigh, 2),
        ("mul", Some(2), false) => (MultiplyWide, 2),
        ("mad", Some(0), false) => (MadLow, 3),
        ("mad", Some(1), false) => (MadHigh, 3),
        ("mad", Some(2), false) => (MadWide, 3),
        ("div", None, false) => (Divide, 2),
        ("rem", None, false) => (Remainder, 2),
        ("min", None, false) => (Min, 2),
        ("max", None, false) => (Max, 2),
        ("abs", None, false) => (Absolute, 1),
        ("neg", None, false) => (Negate, 1),
        ("shl", None, false) => (ShiftLeft, 2),
        ("shr", None, false) => (ShiftRight, 2),
        ("popc", None, false) => (Population, 1),
        ("clz", None, false) => (LeadingZeros, 1),
        ("brev", None, false) => (Reverse, 1),
        ("bfe", None, false) => (Extract, 3),
        ("prmt", None, false) => (Permute, 3),
        _ => return None,
    };
    Some(found)
}

/// The action of an instruction, and how many operands it reads.
fn float_action(first: &str) -> Option<(FloatAction, usize)> {
    use FloatAction::*;
    Some(match first {
        "add" => (Add, 2),
        "sub" => (Subtract, 2),
        "mul" => (Multiply, 2),
        "fma" | "mad" => (Fused, 3),
        "div" => (Divide, 2),
        "sqrt" => (Root, 1),
        "rcp" => (Reciprocal, 1),
        "rsqrt" => (ReciprocalRoot, 1),
        "ex2" => (Exponential, 1),
        "lg2" => (Logarithm, 1),
        "sin" => (Sine, 1),
        "cos" => (Cosine, 1),
        "tanh" => (Tangent, 1),
        "min" => (Min, 2),
        "max" => (Max, 2),
        "abs" => (Absolute, 1),
        "neg" => (Negate, 1),
        "copysign" => (CopySign, 2),
        _ => return None,
    })
}

/// Whether the modifiers mean something. In f64 nothing is rounded towards a side: that would need more digits.
fn known(action: FloatAction, kind: Float, mode: Mode) -> bool {
    use FloatAction::*;
    let rounds = kind == Float::F32
        && mode.rounding != Rounding::Away
        && matches!(action, Add | Subtract | Multiply | Fused | Divide | Root | Reciprocal);
    let chooses = matches!(action, Min | Max);
    (rounds || mode.rounding == Rounding::Nearest) && (chooses || !mode.nan)
}

/// `setp.lt.and.f32 p|q, a, b, !c`.
fn compare(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    let (less, equal, greater) = (4, 2, 1);
    let relation = name.find(|part| {
        let (bits, unordered) = match part {
            "eq" => (equal, false),
            "ne" => (less | greater, false),
            "lt" | "lo" => (less, false),
            "le" | "ls" => (less | equal, false),
            "gt" | "hi" => (greater, false),
            "ge" | "hs" => (greater | equal, false),
            "equ" => (equal, true),
            "neu" => (less | greater, true),
            "ltu" => (less, true),
            "leu" => (less | equal, true),
            "gtu" => (greater, true),
            "geu" => (greater | equal, true),
            "num" => (less | equal | greater, false),
            "nan" => (0, true),
            _ => return None,
        };
        let has = |bit| bits & bit != 0;
        Some(Relation { less: has(less), equal: has(equal), greater: has(greater), unordered })
    });
    let relation = relation.ok_or_else(|| name.unknown())?;
    let combine = name.find(|part| match part {
        "and" => Some(Combine::And),
        "or" => Some(Combine::Or),
        "xor" => Some(Combine::Xor),
        _ => None,
    });
    let flush = name.take("ftz");
    let of = name.next_type()?;
    let kind = match (of.integer(), of.float()) {
        (Some(kind), _) => Compared::Integer(kind),
        (_, Some(kind)) if of.bytes() == 8 || !matches!(kind, Float::F16x2 | Float::Bf16x2) => {
            Compared::Float(kind)
        }
        _ => return Err(name.unknown()),
    };
    let count = if combine.is_some() { 4 } else { 3 };
    operands.expect(count..=count)?;
    let (to, opposite) = operands.text(0)?.split_once('|').unwrap_or((operands.text(0)?, "_"));
    let (predicate, negate) = match combine {
        Some(_) => {
            let third = operands.text(3)?;
            operands.scope.predicate(third)?
        }
        None => (Slot(0), false),
    };
    Ok(Operation::Compare(Compare {
        relation,
        kind,
        flush,
        combine: combine.unwrap_or(Combine::Alone),
        negate,
        to: operands.scope.target(to.trim())?,
        opposite: operands.scope.target(opposite.trim())?,
        from: [operands.read(1, of)?, operands.read(2, of)?],
        predicate,
    }))
}

/// `testp.finite.f32`.
fn classify(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    let class = name.find(|part| {
        Some(match part {
            "finite" => Class::Finite,
            "infinite" => Class::Infinite,
            "number" => Class::Number,
            "notanumber" => Class::NotANumber,
            "normal" => Class::Normal,
            "subnormal" => Class::Subnormal,
            _ => return None,
        })
    });
    let class = class.ok_or_else(|| name.unknown())?;
    let of = name.next_type()?;
    let kind = of.float().filter(|kind| matches!(kind, Float::F32 | Float::F64));
    let kind = kind.ok_or_else(|| name.unknown())?;
    operands.expect(2..=2)?;
    Ok(Operation::Classify { class, kind, to: operands.target(0)?, from: operands.read(1, of)? })
}
