//! The values that a number may have.

use crate::InvalidOption;
use std::borrow::Cow;

/// The values a numeric option may take. NaN and infinities are in none of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// `[0, 1)`: a decay rate of an average.
    Decay,
    /// `[0, 1]`: a fraction.
    Fraction,
    /// `(0, 1)`: a fraction that is neither nothing nor all.
    OpenFraction,
    /// `> 0`.
    Positive,
    /// `>= 0`.
    NonNegative,
    /// `>` this number.
    MoreThan(f64),
    /// `>=` this number.
    AtLeast(f64),
    /// Any number.
    Any,
}

impl Range {
    /// Is the value in the range?
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Range::Decay => (0.0..1.0).contains(&value),
                Range::Fraction => (0.0..=1.0).contains(&value),
                Range::OpenFraction => value > 0.0 && value < 1.0,
                Range::Positive => value > 0.0,
                Range::NonNegative => value >= 0.0,
                Range::MoreThan(edge) => value > edge,
                Range::AtLeast(edge) => value >= edge,
                Range::Any => true,
            }
    }

    /// The value of an option, to be held against the range.
    pub fn of(self, option: impl Into<Cow<'static, str>>, value: f64) -> Bound {
        Bound { option: option.into(), value, range: self }
    }
}

impl core::fmt::Display for Range {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Range::Decay => f.write_str("in [0, 1)"),
            Range::Fraction => f.write_str("in [0, 1]"),
            Range::OpenFraction => f.write_str("in (0, 1)"),
            Range::Positive => f.write_str("a number > 0"),
            Range::NonNegative => f.write_str("a number >= 0"),
            Range::MoreThan(edge) => write!(f, "a number > {edge}"),
            Range::AtLeast(edge) => write!(f, "a number >= {edge}"),
            Range::Any => f.write_str("a number"),
        }
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

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn each_range_has_its_edges() {
        let table = [
            (Range::Decay, [false, true, true, false, false]),
            (Range::Fraction, [false, true, true, true, false]),
            (Range::OpenFraction, [false, false, true, false, false]),
            (Range::Positive, [false, false, true, true, true]),
            (Range::NonNegative, [false, true, true, true, true]),
            (Range::MoreThan(1.0), [false, false, false, false, true]),
            (Range::AtLeast(1.0), [false, false, false, true, true]),
            (Range::Any, [true, true, true, true, true]),
        ];
        for (range, expected) in table {
            assert_eq!([-1.0, 0.0, 0.5, 1.0, 2.0].map(|x| range.contains(x)), expected, "{range}");
            assert!(![f64::NAN, f64::INFINITY].iter().any(|x| range.contains(*x)), "{range}");
        }
    }
}
