//! What can be wrong with the options of a rule.

use crate::options::did_you_mean;
use std::borrow::Cow;

/// An option with a value that what it belongs to cannot work with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{owner}: {option} = {value} is not allowed, it must be {allowed}")]
pub struct InvalidOption {
    /// What has the option: the name of an optimizer, such as `adamw`, or of a schedule.
    pub owner: &'static str,
    /// Name of the option, such as `beta1`.
    pub option: Cow<'static, str>,
    /// The value that was given.
    pub value: String,
    /// The values that are allowed, such as `in [0, 1)`.
    pub allowed: String,
}

impl InvalidOption {
    /// Refuses the first option that is not finite, or of which what has to hold does not: name,
    /// value, does it hold, what is allowed.
    pub fn unless_all_hold(
        owner: &'static str,
        options: &[(&'static str, f64, bool, &str)],
    ) -> Result<(), Self> {
        match options.iter().find(|(_, value, holds, _)| !(value.is_finite() && *holds)) {
            None => Ok(()),
            Some((option, value, _, allowed)) => {
                let (value, allowed) = (value.to_string(), (*allowed).to_owned());
                Err(Self { owner, option: (*option).into(), value, allowed })
            }
        }
    }
}

/// An option given by name that cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// The optimizer has no option of this name.
    #[error("{optimizer} has no option `{option}`{}; its options are {}",
        did_you_mean(.suggestion.as_deref()), .options.join(", "))]
    Unknown {
        /// Name of the optimizer.
        optimizer: &'static str,
        /// The name that was given.
        option: String,
        /// The option whose name is nearest, if one is near.
        suggestion: Option<String>,
        /// The options there are.
        options: Vec<String>,
    },
    /// The value is not of the option's kind.
    #[error("{optimizer}: {option} = {value} is not {expected}")]
    Kind {
        /// Name of the optimizer.
        optimizer: &'static str,
        /// Name of the option.
        option: String,
        /// The value that was given.
        value: String,
        /// What it should be: `a number`, `true or false`.
        expected: String,
    },
    /// The value is out of the option's range.
    #[error(transparent)]
    Invalid(#[from] InvalidOption),
}
