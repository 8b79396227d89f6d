//! Options as data: their ranges and roles, and how to read and set them by name.

mod declare;
mod named;
mod range;
mod serde_form;

pub(crate) use named::did_you_mean;
pub use named::{from_pairs, nearest, set_numbers, set_pairs, to_pairs, unknown, with_pairs};
pub use range::{Bound, Range};
pub use serde_form::{deserialize, serialize};

#[cfg(feature = "matrix")]
use crate::NewtonSchulz;
use crate::{Auxiliary, InvalidOption};
use core::fmt::{self, Debug};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The options of a rule, a transform or whatever else has some: a struct declared with
/// [`options!`](crate::options), or one made of several such.
pub trait Options:
    Clone + Debug + Default + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Shows each option, in the order in which they are declared, to be read or set.
    fn each(&mut self, see: &mut dyn FnMut(OptionMut<'_>));
}

/// What is shown options.
type See<'a> = &'a mut dyn FnMut(OptionMut<'_>);

/// [`Options::each`] of options whose type is forgotten: what is done with them is compiled once, and not for each.
type Each<'a> = &'a mut dyn FnMut(See<'_>);

/// An option of a struct, to be read or set.
#[derive(Debug)]
pub struct OptionMut<'a> {
    /// What stands in front of its name, in a chain: `scale_by_adam.`.
    pub prefix: &'a str,
    /// Its name in the struct that has it.
    pub name: &'static str,
    /// Its value.
    pub value: Slot<'a>,
    /// The values that a number may have; `None` where all are allowed.
    pub range: Option<Range>,
    /// What it is, where others than its owner have to know.
    pub role: Option<Role>,
}

impl OptionMut<'_> {
    /// Is this its whole name?
    pub fn is(&self, name: &str) -> bool {
        // An empty prefix is not compared: glibc's `memcmp` of nothing, where `""` has no memory, takes 50 ns.
        let rest = if self.prefix.is_empty() { Some(name) } else { name.strip_prefix(self.prefix) };
        rest == Some(self.name)
    }

    /// Its whole name.
    pub fn full_name(&self) -> String {
        [self.prefix, self.name].concat()
    }

    /// Is the value in its range?
    ///
    /// # Errors
    /// If it is not, with the name of what has the option.
    pub fn check(&self, owner: &'static str) -> Result<(), InvalidOption> {
        let number = match &self.value {
            Slot::Number(number) => **number,
            Slot::Whole(number) => **number as f64,
            Slot::Flag(_) | Slot::Word(_) => return Ok(()),
        };
        match self.range {
            Some(range) if !range.contains(number) => {
                range.of(self.full_name(), number).check(owner)
            }
            _ => Ok(()),
        }
    }
}

/// What a struct of options may have as a field: a value, or options of its own.
#[doc(hidden)]
pub trait ShowOption {
    /// Shows it under its name, or what it has with its name in front.
    fn show(
        &mut self,
        name: &'static str,
        range: Option<Range>,
        role: Option<Role>,
        see: &mut dyn FnMut(OptionMut<'_>),
    );
}

impl<T> ShowOption for T
where
    for<'a> &'a mut T: Into<Slot<'a>>,
{
    fn show(
        &mut self,
        name: &'static str,
        range: Option<Range>,
        role: Option<Role>,
        see: &mut dyn FnMut(OptionMut<'_>),
    ) {
        see(OptionMut { prefix: "", name, value: self.into(), range, role });
    }
}

/// Options among options: each with the name of the field in front.
macro_rules! nested {
    ($of:ident) => {
        impl ShowOption for $of {
            fn show(
                &mut self,
                name: &'static str,
                _range: Option<Range>,
                _role: Option<Role>,
                see: &mut dyn FnMut(OptionMut<'_>),
            ) {
                let prefix = format!("{name}.");
                self.each(&mut |option| see(OptionMut { prefix: &prefix, ..option }));
            }
        }
    };
}
nested!(Auxiliary);
#[cfg(feature = "matrix")]
nested!(NewtonSchulz);

/// Where the value of an option is.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A number.
    Number(&'a mut f64),
    /// A whole number.
    Whole(&'a mut u64),
    /// True or false.
    Flag(&'a mut bool),
    /// One of some words.
    Word(&'a mut (dyn Choice + 'static)),
}

/// One of some words, declared with [`choice!`](crate::choice).
pub trait Choice: Debug {
    /// All of them.
    fn words(&self) -> &'static [&'static str];
    /// The one that it is.
    fn word(&self) -> &'static str;
    /// Becomes this one, and says whether there is such a word.
    #[must_use]
    fn choose(&mut self, word: &str) -> bool;
}

impl Slot<'_> {
    /// The value.
    pub fn get(&self) -> Value {
        match self {
            Slot::Number(number) => Value::Number(**number),
            Slot::Whole(number) => Value::Whole(**number),
            Slot::Flag(flag) => Value::Flag(**flag),
            Slot::Word(choice) => Value::Word(choice.word().into()),
        }
    }

    /// Takes a value of its kind, and says whether it is one: a number may be whole.
    #[must_use]
    pub fn set(&mut self, value: Value) -> bool {
        match (self, value) {
            (Slot::Number(slot), Value::Number(number)) => **slot = number,
            (Slot::Number(slot), Value::Whole(number)) => **slot = number as f64,
            (Slot::Whole(slot), Value::Whole(number)) => **slot = number,
            (Slot::Flag(slot), Value::Flag(flag)) => **slot = flag,
            (Slot::Word(slot), Value::Word(word)) => return slot.choose(&word),
            _ => return false,
        }
        true
    }
}

macro_rules! slots {
    ($($variant:ident: $of:ty),*) => {$(
        impl<'a> From<&'a mut $of> for Slot<'a> {
            fn from(slot: &'a mut $of) -> Self {
                Slot::$variant(slot)
            }
        }
    )*};
}
slots!(Number: f64, Whole: u64, Flag: bool);

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(u64),
    /// Any other number.
    Number(f64),
    /// A word.
    Word(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => fmt::Display::fmt(flag, f),
            Value::Whole(number) => fmt::Display::fmt(number, f),
            Value::Word(word) => f.write_str(word),
            // As JSON has it: the shortest that reads back, `1e-8`.
            Value::Number(number) => match serde_json::Number::from_f64(*number) {
                Some(text) => fmt::Display::fmt(&text, f),
                None => fmt::Display::fmt(number, f),
            },
        }
    }
}

/// What an option is, whatever its name: by this others find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It keeps a denominator from 0, alone or with others: one of them must be positive.
    Epsilon,
    /// It draws the weights to 0, and does not if it is 0.
    WeightDecay,
    /// The loss is climbed: every gradient is turned around before the rule meets it.
    Maximize,
}

/// Are all numbers in their ranges, and is one of the [epsilons](Role::Epsilon) positive, if there are some?
///
/// # Errors
/// The first that is not, with the name of what has the option.
pub fn check(options: &impl Options, owner: &'static str) -> Result<(), InvalidOption> {
    let mut options = options.clone();
    check_each(&mut |see| options.each(see), owner)
}

fn check_each(each: Each<'_>, owner: &'static str) -> Result<(), InvalidOption> {
    let mut checked = Ok(());
    let (mut epsilons, mut positive) = (0, false);
    each(&mut |option| {
        if checked.is_ok() {
            checked = option.check(owner);
        }
        if let (Some(Role::Epsilon), Slot::Number(value)) = (option.role, &option.value) {
            epsilons += 1;
            positive |= **value > 0.0;
        }
    });
    checked?;
    if epsilons == 0 || positive { Ok(()) } else { Err(no_epsilon(each, owner)) }
}

/// Names the first epsilon, and the others that might be positive in its place.
fn no_epsilon(each: Each<'_>, owner: &'static str) -> InvalidOption {
    let (mut names, mut first) = (Vec::new(), 0.0);
    each(&mut |option| {
        if let (Some(Role::Epsilon), Slot::Number(value)) = (option.role, &option.value) {
            first = if names.is_empty() { **value } else { first };
            names.push(option.full_name());
        }
    });
    let option = names.remove(0);
    let allowed = match &names[..] {
        [] => "> 0".to_owned(),
        others => format!("> 0 unless {} is", others.join(" or ")),
    };
    InvalidOption { owner, option: option.into(), value: first.to_string(), allowed }
}

/// Is the loss climbed, by an option whose role that is?
pub fn maximizes(options: &impl Options) -> bool {
    let mut maximizes = false;
    options.clone().each(&mut |option| {
        maximizes |= option.role == Some(Role::Maximize) && option.value.get() == Value::Flag(true);
    });
    maximizes
}
