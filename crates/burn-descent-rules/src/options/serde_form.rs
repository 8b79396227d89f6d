//! Options in a file: each by its name, the others at their defaults.

use super::{Options, Value, named::unknown};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serializer};
use std::collections::BTreeMap;

/// Writes all options down by their names.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(options: &impl Options, serializer: S) -> Result<S::Ok, S::Error> {
    let mut pairs = Vec::new();
    options.clone().each(&mut |option| pairs.push((option.full_name(), option.value.get())));
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in pairs {
        map.serialize_entry(&name, &value)?;
    }
    map.end()
}

/// Reads options by their names; those that are not there are at their defaults.
///
/// # Errors
/// Those of the format, an option that there is not, or a value of another kind.
pub fn deserialize<'de, D: Deserializer<'de>, O: Options>(deserializer: D) -> Result<O, D::Error> {
    let mut given = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let mut options = O::default();
    let (mut names, mut wrong) = (Vec::new(), None);
    options.each(&mut |mut option| {
        let name = option.full_name();
        if let Some(value) = given.remove(&name)
            && !option.value.set(value.clone())
        {
            let is = option.value.get();
            wrong.get_or_insert(format!("{name} = {value} is not of the kind of {is}"));
        }
        names.push(name);
    });
    if let Some(name) = given.keys().next() {
        return Err(D::Error::custom(unknown("option", name, names.iter().map(String::as_str))));
    }
    wrong.map_or(Ok(options), |wrong| Err(D::Error::custom(wrong)))
}

/// Makes what has [`Options`] serde's.
#[doc(hidden)]
#[macro_export]
macro_rules! options_by_name {
    ([$($generics:tt)*] $name:ty) => {
        impl<$($generics)*> $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::serialize_options(self, to)
            }
        }
        impl<'de, $($generics)*> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::deserialize_options(from)
            }
        }
    };
}
