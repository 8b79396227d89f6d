//! An optimizer in a file.

use super::{RegistryError, build};
use burn_descent_engine::Fused;
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An optimizer by name with some of its options, as a configuration file has it: TOML, JSON or any
/// other format of serde.
///
/// ```
/// use burn_descent::registry::Selection;
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     optimizer: Selection,
/// }
///
/// let config: Config = toml::from_str(
///     r#"
///     [optimizer]
///     name = "adamw"
///     beta2 = 0.95
///     amsgrad = true
///     "#,
/// )?;
/// let adamw = config.optimizer.build()?;
/// assert!(adamw.options().contains(&("beta2".into(), "0.95".into())));
///
/// let config: Config = toml::from_str(r#"optimizer = { name = "adamw", beta = 0.95 }"#)?;
/// let error = config.optimizer.build().unwrap_err();
/// assert!(error.to_string().contains("did you mean `beta1`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The structs of options are serde's too, with all options or some: `AdamW` reads `{"beta2": 0.95}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Its name in the registry.
    pub name: String,
    /// Options by name; the others are at their defaults.
    #[serde(flatten)]
    pub options: BTreeMap<String, Value>,
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Switch(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// A number.
    Number(f64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(switch) => switch.fmt(f),
            Self::Whole(whole) => whole.fmt(f),
            Self::Number(number) => write!(f, "{number:?}"),
        }
    }
}

impl Value {
    fn read(text: &str) -> Option<Self> {
        let switch = text.parse().ok().map(Self::Switch);
        let whole = || text.parse().ok().map(Self::Whole);
        switch.or_else(whole).or_else(|| text.parse().ok().map(Self::Number))
    }
}

impl Selection {
    /// An optimizer with all of its options.
    pub fn of(optimizer: &Fused) -> Self {
        let options = optimizer.options().iter();
        let read = |(name, text): &(String, String)| Some((name.clone(), Value::read(text)?));
        Self { name: optimizer.name().to_owned(), options: options.filter_map(read).collect() }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// If there is none of this name, or it has no such option, or its value is not allowed.
    pub fn build(&self) -> Result<Fused, RegistryError> {
        let text = |(name, value): (&String, &Value)| (name.clone(), value.to_string());
        let options: Vec<(String, String)> = self.options.iter().map(text).collect();
        let pairs: Vec<_> = options.iter().map(|(name, text)| (&**name, &**text)).collect();
        build(&self.name, &pairs)
    }
}
