//! The name of an instruction with its modifiers, each of which must be understood.

use super::Refusal;
use crate::number::Rounding;
use crate::types::Type;

/// `fma.rn.ftz.f32`: what has been read of it is gone, and nothing may be left.
pub(super) struct Name<'a> {
    pub(super) whole: &'a str,
    /// `fma`.
    pub(super) first: &'a str,
    rest: Vec<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn new(whole: &'a str) -> Self {
        let mut parts = whole.split('.');
        let first = parts.next().unwrap_or_default();
        // a window of a space is the space
        let rest = parts
            .map(|part| part.split_once("::").filter(|(a, _)| a.len() > 2).map_or(part, |p| p.0));
        Self { whole, first, rest: rest.collect() }
    }

    /// Whether this modifier is there.
    pub(super) fn take(&mut self, modifier: &str) -> bool {
        match self.rest.iter().position(|part| *part == modifier) {
            Some(at) => {
                self.rest.remove(at);
                true
            }
            None => false,
        }
    }

    /// Drops all of these modifiers: they change nothing here.
    pub(super) fn ignore(&mut self, modifiers: &[&str]) {
        self.rest.retain(|part| !modifiers.contains(part));
    }

    /// The first modifier that `known` knows.
    pub(super) fn find<T>(&mut self, known: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (at, found) =
            self.rest.iter().enumerate().find_map(|(at, part)| Some((at, known(part)?)))?;
        self.rest.remove(at);
        Some(found)
    }

    /// The next type, of those that are there.
    pub(super) fn next_type(&mut self) -> Result<Type, Refusal> {
        self.find(Type::named).ok_or_else(|| self.unknown())
    }

    /// `.rn` and the like, nearest if it is not there.
    pub(super) fn rounding(&mut self) -> Rounding {
        let rounding = self.find(|part| match part {
            "rn" => Some(Rounding::Nearest),
            "rna" => Some(Rounding::Away),
            "rz" => Some(Rounding::Zero),
            "rm" => Some(Rounding::Down),
            "rp" => Some(Rounding::Up),
            _ => None,
        });
        rounding.unwrap_or(Rounding::Nearest)
    }

    /// Drops how a value is cached, ordered and seen by others: threads run one after another.
    pub(super) fn ignore_order(&mut self) {
        self.ignore(&["volatile", "weak", "relaxed", "acquire", "release", "acq_rel", "sc", "cta"]);
        self.ignore(&["cluster", "gpu", "sys", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc"]);
        self.rest.retain(|part| !part.starts_with("L1::") && !part.starts_with("L2::"));
    }

    /// Refuses what was not understood.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.unknown()) }
    }

    pub(super) fn unknown(&self) -> Refusal {
        format!("unknown instruction `{}`", self.whole)
    }
}
