//! Options by name, as text.

use super::{Each, Options, See, Slot, Value};
use crate::{OptionError, Rule};

/// The options and their values as text, in the order in which they are declared.
pub fn to_pairs(options: &impl Options) -> Vec<(String, String)> {
    let mut options = options.clone();
    pairs(&mut |see| options.each(see))
}

fn pairs(each: Each<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    each(&mut |option| pairs.push((option.full_name(), option.value.get().to_string())));
    pairs
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
    let mut rule = rule.clone();
    set_pairs(&mut rule, U::NAME, pairs)?;
    rule.check()?;
    Ok(rule)
}

/// Sets options by name; whether their values are allowed is not asked. `owner` is the name of what has
/// them.
///
/// # Errors
/// An option that there is not, or a value of another kind.
pub fn set_pairs(
    options: &mut impl Options,
    owner: &'static str,
    pairs: &[(impl AsRef<str>, impl AsRef<str>)],
) -> Result<(), OptionError> {
    let mut set = |name: &str, text: &str| set(&mut |see| options.each(see), owner, name, text);
    pairs.iter().try_for_each(|(name, text)| set(name.as_ref(), text.as_ref()))
}

/// A checked copy of a rule with numbers set by name, the others as they are.
///
/// # Errors
/// An option that there is not or that is no number, or a number that is not allowed.
pub fn set_numbers<U: Rule>(rule: &U, numbers: &[(&str, f64)]) -> Result<U, OptionError> {
    let mut rule = rule.clone();
    let mut each = |see: See<'_>| rule.each(see);
    numbers.iter().try_for_each(|(name, number)| set_number(&mut each, U::NAME, name, *number))?;
    rule.check()?;
    Ok(rule)
}

fn set_number(
    each: Each<'_>,
    optimizer: &'static str,
    name: &str,
    number: f64,
) -> Result<(), OptionError> {
    let mut taken = false;
    each(&mut |mut option| {
        taken |= option.is(name) && option.value.set(Value::Number(number));
    });
    // As text it is an error that says what is wrong, or a whole number.
    if taken { Ok(()) } else { set(each, optimizer, name, &number.to_string()) }
}

/// Sets one option; whether its value is allowed is not asked.
fn set(each: Each<'_>, optimizer: &'static str, name: &str, text: &str) -> Result<(), OptionError> {
    let mut set = None;
    each(&mut |mut option| {
        if option.is(name) {
            let (value, expected) = read(&option.value, text);
            set = Some(match value.is_some_and(|value| option.value.set(value)) {
                true => Ok(()),
                false => Err(expected),
            });
        }
    });
    match set {
        Some(Ok(())) => Ok(()),
        Some(Err(expected)) => {
            let (option, value) = (name.into(), text.into());
            Err(OptionError::Kind { optimizer, option, value, expected })
        }
        None => {
            let names: Vec<String> = pairs(each).into_iter().map(|(name, _)| name).collect();
            let suggestion = nearest(name, names.iter().map(String::as_str)).map(Into::into);
            Err(OptionError::Unknown { optimizer, option: name.into(), suggestion, options: names })
        }
    }
}

/// The value that a text says for this option, and what it should say.
fn read(slot: &Slot<'_>, text: &str) -> (Option<Value>, String) {
    let (value, expected) = match slot {
        Slot::Word(choice) => {
            return (Some(Value::Word(text.into())), one_of(choice.words()));
        }
        Slot::Flag(_) => (text.parse().ok().map(Value::Flag), "true or false"),
        Slot::Whole(_) => (text.parse().ok().map(Value::Whole), "a whole number"),
        Slot::Number(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => (Some(Value::Number(number)), ""),
            Ok(_) => (None, "a finite number"),
            Err(_) => (None, "a number"),
        },
    };
    (value, expected.to_owned())
}

/// `jordan, quintic or cubic`
fn one_of(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => [&others.join(", "), " or ", last].concat(),
        _ => words.concat(),
    }
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
