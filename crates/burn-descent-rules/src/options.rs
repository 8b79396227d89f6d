//! Options as data: their ranges, and how to set them by name.

use crate::{InvalidOption, OptionError, Rule};
use serde_json::{Map, Value};
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
        Bound { option: option.into(), value, range: self, role: None }
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
    /// What it is, where others than its owner have to know.
    pub role: Option<Role>,
}

/// What an option is, whatever its name: by this others find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It draws the weights to 0, and does not if it is 0.
    WeightDecay,
}

impl Bound {
    /// The same option, said to be a [weight decay](Role::WeightDecay).
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::{Range, Role};
    ///
    /// let bound = Range::NonNegative.of("lambda", 0.1).as_weight_decay();
    /// assert_eq!(bound.role, Some(Role::WeightDecay));
    /// ```
    pub fn as_weight_decay(self) -> Self {
        Self { role: Some(Role::WeightDecay), ..self }
    }

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

/// The options of a rule with their values, in the order in which the rule declares them.
fn values<U: Rule>(rule: &U) -> Vec<(String, Value)> {
    let pairs = serde_json::to_value(rule).ok().and_then(|value| match value {
        Value::Object(pairs) => Some(pairs),
        _ => None,
    });
    pairs.unwrap_or_default().into_iter().collect()
}

/// The options of a rule and their values as text, in the order in which the rule declares them.
pub fn to_pairs<U: Rule>(rule: &U) -> Vec<(String, String)> {
    values(rule).into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

/// A checked rule with options set by name, the others at their defaults.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdamW, rules::from_pairs};
///
/// let rule: AdamW = from_pairs(&[("beta1", "0.95"), ("amsgrad", "true")])?;
/// assert_eq!(rule, AdamW::new().beta1(0.95).amsgrad(true));
///
/// let error = from_pairs::<AdamW>(&[("beta", "0.95")]).unwrap_err();
/// assert!(error.to_string().contains("did you mean `beta1`?"));
/// # Ok::<(), burn_descent::OptionError>(())
/// ```
///
/// # Errors
/// An option that there is not, or whose value is not allowed.
pub fn from_pairs<U: Rule>(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<U, OptionError> {
    with_pairs(&U::default(), pairs)
}

/// A checked copy of a rule with options set by name, the others as they are.
///
/// # Errors
/// An option that there is not, or whose value is not allowed.
pub fn with_pairs<U: Rule>(
    rule: &U,
    pairs: &[(impl AsRef<str>, impl AsRef<str>)],
) -> Result<U, OptionError> {
    let optimizer = U::NAME;
    let mut options: Map<String, Value> = values(rule).into_iter().collect();
    for (option, text) in pairs {
        let (option, text) = (option.as_ref(), text.as_ref());
        let Some(default) = options.get(option) else {
            let options: Vec<String> = options.keys().cloned().collect();
            return Err(OptionError::Unknown {
                optimizer,
                option: option.into(),
                suggestion: nearest(option, options.iter().map(String::as_str)).map(Into::into),
                options,
            });
        };
        let kind = |expected| OptionError::Kind {
            optimizer,
            option: option.into(),
            value: text.into(),
            expected,
        };
        let value = if default.is_boolean() {
            Value::Bool(text.parse().map_err(|_| kind("true or false"))?)
        } else if default.is_u64() {
            Value::from(text.parse::<u64>().map_err(|_| kind("a whole number"))?)
        } else {
            let number: f64 = text.parse().map_err(|_| kind("a number"))?;
            // JSON has neither NaN nor infinity, and no option may be one.
            serde_json::Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| kind("a finite number"))?
        };
        options.insert(option.into(), value);
    }
    let rule: U =
        serde_json::from_value(Value::Object(options)).map_err(|_| OptionError::Kind {
            optimizer,
            option: "options".into(),
            value: "given by name".into(),
            expected: "readable: every option must be a number, true or false",
        })?;
    rule.check()?;
    Ok(rule)
}

/// What to say where there is nothing of a name.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::unknown;
///
/// assert_eq!(
///     unknown("surface", "bowel", ["bowl", "saddle"]),
///     "there is no surface `bowel` (did you mean `bowl`?); the surfaces are bowl, saddle"
/// );
/// ```
pub fn unknown<'a>(kind: &str, given: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let hint = did_you_mean(nearest(given, names.iter().copied()));
    format!("there is no {kind} `{given}`{hint}; the {kind}s are {}", names.join(", "))
}

/// ` (did you mean ...?)`, if there is something to be meant.
pub(crate) fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// The name most like `given`, if one is like it.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, name)| name)
}
