//! Floats as the files have them: numbers, and the non-finite ones as strings.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::collections::BTreeMap;

/// A float, read from a number or from `"inf"`, `"-inf"`, `"nan"`.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Float;
        impl Visitor<'_> for Float {
            type Value = Number;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a number, \"inf\", \"-inf\" or \"nan\"")
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format!("{text:?} is no number")))
            }
        }
        deserializer.deserialize_any(Float)
    }
}

/// A value made of [`Number`]s, as one of `f64`.
pub(crate) trait Floats {
    /// The same with `f64`.
    type Plain;
    /// Unwraps the numbers.
    fn plain(self) -> Self::Plain;
}

impl Floats for Number {
    type Plain = f64;
    fn plain(self) -> f64 {
        self.0
    }
}

impl<T: Floats> Floats for Vec<T> {
    type Plain = Vec<T::Plain>;
    fn plain(self) -> Self::Plain {
        self.into_iter().map(T::plain).collect()
    }
}

impl<T: Floats> Floats for Option<T> {
    type Plain = Option<T::Plain>;
    fn plain(self) -> Self::Plain {
        self.map(T::plain)
    }
}

impl<T: Floats> Floats for BTreeMap<String, T> {
    type Plain = BTreeMap<String, T::Plain>;
    fn plain(self) -> Self::Plain {
        self.into_iter().map(|(name, value)| (name, value.plain())).collect()
    }
}

/// One step: a vector for each tensor, or where there is one tensor, just its vector.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the numbers of one tensor, or a list of such for several")]
pub(crate) enum StepOrList {
    List(Vec<Number>),
    Step(Vec<Vec<Number>>),
}

impl Floats for StepOrList {
    type Plain = Vec<Vec<f64>>;
    fn plain(self) -> Self::Plain {
        match self {
            StepOrList::List(list) => vec![list.plain()],
            StepOrList::Step(step) => step.plain(),
        }
    }
}

/// Declares `deserialize_with` functions, each named after what it reads.
macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident: $type:ty),* $(,)?) => {$(
        $(#[$doc])*
        pub(crate) fn $name<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<<$type as Floats>::Plain, D::Error> {
            <$type>::deserialize(deserializer).map(Floats::plain)
        }
    )*};
}
readers! {
    /// One number.
    one: Number,
    /// A list of numbers.
    list: Vec<Number>,
    /// One step: a vector for each tensor.
    step: Vec<Vec<Number>>,
    /// Several steps.
    steps: Vec<Vec<Vec<Number>>>,
    /// One step, or none.
    maybe_step: Option<Vec<Vec<Number>>>,
    /// Several steps, or none.
    maybe_steps: Option<Vec<Vec<Vec<Number>>>>,
    /// A list of numbers, or none.
    maybe_list: Option<Vec<Number>>,
    /// A list of lists, or none.
    maybe_lists: Option<Vec<Vec<Number>>>,
    /// Lists of lists, by name.
    named_lists: BTreeMap<String, Vec<Vec<Number>>>,
    /// Several steps, each of which may be a list, or none.
    maybe_steps_or_lists: Option<Vec<StepOrList>>,
}
