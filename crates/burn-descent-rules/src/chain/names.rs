//! The names of the options of a chain.

use crate::Bound;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The transforms met so far: a name that comes again gets a number.
#[derive(Debug, Default)]
pub struct Names(Vec<&'static str>);

impl Names {
    /// `name.` or `name_2.`, to stand in front of options.
    fn prefix(&mut self, name: &'static str) -> String {
        self.0.push(name);
        match self.0.iter().filter(|known| **known == name).count() {
            1 => format!("{name}."),
            number => format!("{name}_{number}."),
        }
    }

    /// The bounds with the name in front of their options.
    pub(super) fn bounds(&mut self, name: &'static str, own: Vec<Bound>) -> Vec<Bound> {
        let prefix = self.prefix(name);
        let named =
            |bound: Bound| Bound { option: format!("{prefix}{}", bound.option).into(), ..bound };
        own.into_iter().map(named).collect()
    }

    pub(super) fn write(
        &mut self,
        name: &'static str,
        transform: &impl Serialize,
        options: &mut Map<String, Value>,
    ) {
        let prefix = self.prefix(name);
        if let Ok(Value::Object(own)) = serde_json::to_value(transform) {
            options
                .extend(own.into_iter().map(|(option, value)| (prefix.clone() + &option, value)));
        }
    }

    pub(super) fn read<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        options: &mut Map<String, Value>,
    ) -> Result<T, serde_json::Error> {
        let prefix = self.prefix(name);
        let (mut own, mut others) = (Map::new(), Map::new());
        for (option, value) in core::mem::take(options) {
            match option.strip_prefix(&prefix) {
                Some(option) => own.insert(option.to_owned(), value),
                None => others.insert(option, value),
            };
        }
        *options = others;
        serde_json::from_value(Value::Object(own))
    }
}
