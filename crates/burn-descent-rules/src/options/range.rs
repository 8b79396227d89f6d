//! The values that a number may have.

use crate::InvalidOption;
use std::borrow::Cow;

/// The values a numeric option may take. NaN and infinities are in none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// `[0, 1)`: a decay rate of an average.
    Decay,
    /// `[0, 1]`: a fraction.
    Fraction,
    /// `> 0`.
    Positive,
    /// `>= 0`.
    NonNegative,
}

impl Range {
    /// Is the value in the range?
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Range::Decay => (0.0..1.0).contains(&value),
                Range::Fraction => (0.0..=1.0).contains(&value),
                Range::Positive => value > 0.0,
                Range::NonNegative => value >= 0.0,
            }
    }

    /// The value of an option, to be held against the range.
    pub fn of(self, option: impl Into<Cow<'static, str>>, value: f64) -> Bound {
        Bound { option: option.into(), value, range: self }
    }
}

impl core::fmt::Display for Range {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Range::Decay => "in [0, 1)",
            Range::Fraction => "in [0, 1]",
            Range::Positive => "a number > 0",
            Range::NonNegative => "a number >= 0",
        })
    }
}

/// A numeric option, its value and the range it must be in.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Name of the option.
    pub option: Cow<'static, str>,
    /// Its value.
    pub value: f64,
    /// The values it may take.
    pub range: Range,
}

impl Bound {
    /// Is the value in its range?
    ///
    /// # Errors
    /// If it is not, with the name of what has the option.
    pub fn check(&self, owner: &'static str) -> Result<(), InvalidOption> {
        if self.range.contains(self.value) {
            return Ok(());
        }
        Err(InvalidOption {
            owner,
            option: self.option.clone(),
            value: self.value.to_string(),
            allowed: self.range.to_string(),
        })
    }
}
