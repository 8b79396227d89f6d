//! Variables and parameters.

use super::{Refusal, text};
use crate::types::Type;

/// Where a variable lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Shared,
    Local,
    Global,
    Parameter,
}

/// `.global .align 4 .b8 name[24] = {..}` and its relatives.
#[derive(Clone, Debug)]
pub(super) struct Declaration<'a> {
    pub(super) space: Room,
    pub(super) name: &'a str,
    element: Type,
    /// How many elements; none for `[]`.
    length: Option<u64>,
    alignment: u64,
    initial: Option<&'a str>,
}

/// A variable of the module, with its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a declaration.
pub(super) fn declaration(line: &str) -> Result<Declaration<'_>, Refusal> {
    let refused = || format!("unknown declaration `{line}`");
    let (head, initial) = match line.split_once('=') {
        Some((head, initial)) => (head, Some(initial.trim())),
        None => (line, None),
    };
    let (head, length) = match head.split_once('[') {
        Some((head, length)) => {
            let length = length.trim().strip_suffix(']').ok_or_else(refused)?.trim();
            (
                head,
                if length.is_empty() { None } else { Some(integer(length).ok_or_else(refused)?) },
            )
        }
        None => (head, Some(1)),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    let (name, words) = words.split_last().ok_or_else(refused)?;
    let (mut space, mut element, mut alignment) = (None, None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            ".shared" => space = Some(Room::Shared),
            ".local" => space = Some(Room::Local),
            ".global" | ".const" if space.is_none() => space = Some(Room::Global),
            ".param" => space = Some(Room::Parameter),
            ".align" => {
                alignment = words.next().and_then(|n| integer(n));
                if alignment.is_none() {
                    return Err(refused());
                }
            }
            // what a pointer points to; and who else may see the variable
            ".ptr" | ".global" | ".visible" | ".extern" | ".weak" | ".common" => {}
            _ => {
                let of = word.strip_prefix('.').and_then(Type::named).ok_or_else(refused)?;
                element = Some(of);
            }
        }
    }
    let element = element.ok_or_else(refused)?;
    let alignment = alignment.unwrap_or(1).max(u64::from(element.bytes()));
    Ok(Declaration { space: space.ok_or_else(refused)?, name, element, length, alignment, initial })
}

impl Declaration<'_> {
    /// Bytes, none if a launch says how many.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.length.map(|length| length * u64::from(self.element.bytes()))
    }

    /// The first place from `end` on where it may lie.
    pub(super) fn place(&self, end: u64) -> u64 {
        end.next_multiple_of(self.alignment.max(16))
    }

    /// The variable with its initial values; zero, where there are none.
    pub(super) fn variable(&self) -> Result<Variable, Refusal> {
        let refused = || format!("unknown initial value of `{}`", self.name);
        if self.space != Room::Global {
            return Err(format!("`{}` lies in a space that has no variables here", self.name));
        }
        let values = self.initial.map(text::vector).unwrap_or_default();
        let width = self.element.bytes() as usize;
        let mut bytes = Vec::new();
        for value in &values {
            let value = number(value, self.element).ok_or_else(refused)?;
            bytes.extend_from_slice(&value.to_le_bytes()[..width]);
        }
        let size = self.bytes().map_or(bytes.len(), |bytes| bytes as usize);
        if bytes.len() > size {
            return Err(refused());
        }
        bytes.resize(size, 0);
        Ok(Variable { name: self.name.into(), bytes })
    }
}

/// An integer as PTX writes it, without its sign.
pub(super) fn integer(text: &str) -> Option<u64> {
    let text = text.strip_suffix('U').unwrap_or(text);
    match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => u64::from_str_radix(&text[2..], 16),
        [b'0', b'b' | b'B', ..] => u64::from_str_radix(&text[2..], 2),
        [b'0', _, ..] => u64::from_str_radix(&text[1..], 8),
        _ => text.parse(),
    }
    .ok()
}

/// The bits of a number as PTX writes it.
pub(super) fn number(text: &str, of: Type) -> Option<u64> {
    let bits = |digits: usize| {
        (text.len() == digits + 2).then(|| u64::from_str_radix(&text[2..], 16).ok()).flatten()
    };
    match text.as_bytes() {
        [b'0', b'f' | b'F', ..] => bits(8),
        [b'0', b'd' | b'D', ..] => bits(16),
        _ if text.contains('.') => {
            let value: f64 = text.parse().ok()?;
            match of {
                Type::F32 => Some(u64::from((value as f32).to_bits())),
                Type::F64 => Some(value.to_bits()),
                _ => None,
            }
        }
        [b'-', ..] => integer(text[1..].trim()).map(u64::wrapping_neg),
        _ => integer(text),
    }
}
