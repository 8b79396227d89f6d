//! `cvt`.

use super::Refusal;
use super::name::Name;
use super::statement::Operands;
use crate::number::Rounding;
use crate::program::{ConvertMode, Operation};
use crate::types::Type;

/// Reads a conversion.
pub(super) fn operation(name: &mut Name, operands: &mut Operands) -> Result<Operation, Refusal> {
    let integral = name.find(|part| match part {
        "rni" => Some(Rounding::Nearest),
        "rzi" => Some(Rounding::Zero),
        "rmi" => Some(Rounding::Down),
        "rpi" => Some(Rounding::Up),
        _ => None,
    });
    let mode = ConvertMode {
        rounding: integral.unwrap_or_else(|| name.rounding()),
        integral: integral.is_some(),
        flush: name.take("ftz"),
        saturate: name.take("sat"),
    };
    let (to_type, from_type) = (name.next_type()?, name.next_type()?);
    let paired = matches!(to_type, Type::F16x2 | Type::Bf16x2);
    let number = |of: Type| of.float().is_some() || of.integer().is_some();
    if paired != (operands.all.len() == 3)
        || paired && from_type != Type::F32
        || from_type.bytes() == 4 && matches!(from_type, Type::F16x2 | Type::Bf16x2)
        || !number(from_type)
        || !number(to_type) && (to_type != Type::Tf32 || from_type != Type::F32)
    {
        return Err(name.unknown());
    }
    let to = operands.target(0)?;
    if paired {
        let to_type = if to_type == Type::F16x2 { Type::F16 } else { Type::Bf16 };
        let (upper, lower) = (operands.read(1, from_type)?, operands.read(2, from_type)?);
        return Ok(Operation::ConvertPair { to_type, mode, to, upper, lower });
    }
    operands.expect(2..=2)?;
    Ok(Operation::Convert { to_type, from_type, mode, to, from: operands.read(1, from_type)? })
}
