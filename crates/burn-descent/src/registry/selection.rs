//! An optimizer in a file, or on a command line.

use super::{RegistryError, Row, find};
use burn_descent_engine::Fused;
use burn_descent_rules::{Explanation, OptionError, Value};
use core::fmt;
use core::str::FromStr;
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
///
/// As one word, for command lines, it is `sgd:momentum=0.9:nesterov=true`:
///
/// ```
/// use burn_descent::registry::Selection;
///
/// let momentum: Selection = "sgd:momentum=0.9".parse()?;
/// assert_eq!(momentum.to_string(), "sgd:momentum=0.9");
/// assert_eq!(momentum.build()?.name(), "sgd");
///
/// let error = "sgd:momentum".parse::<Selection>().unwrap_err();
/// assert!(error.to_string().contains("must be OPTION=VALUE"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Its name in the registry.
    pub name: String,
    /// Options by name; the others are at their defaults.
    #[serde(flatten)]
    pub options: BTreeMap<String, Value>,
}

/// The value that a text says, if it says one.
fn read(text: &str) -> Option<Value> {
    let flag = text.parse().ok().map(Value::Flag);
    let whole = || text.parse().ok().map(Value::Whole);
    let number = || text.parse().ok().map(Value::Number);
    let is_word = |text: &&str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let word = || Some(text).filter(is_word).map(|word| Value::Word(word.into()));
    flag.or_else(whole).or_else(number).or_else(word).filter(|_| !text.is_empty())
}

impl Selection {
    /// An optimizer with all of its options.
    pub fn of(optimizer: &Fused) -> Self {
        let options = optimizer.options().iter();
        let read = |(name, text): &(String, String)| Some((name.clone(), read(text)?));
        Self { name: optimizer.name().to_owned(), options: options.filter_map(read).collect() }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// If there is none of this name, or it has no such option, or its value is not allowed.
    pub fn build(&self) -> Result<Fused, RegistryError> {
        self.of_row(Row::build)
    }

    /// What the optimizer does with these options, and what it costs.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn explain(&self) -> Result<Explanation, RegistryError> {
        self.of_row(Row::explain)
    }

    /// What its row makes of its options.
    fn of_row<T>(
        &self,
        make: impl FnOnce(&Row, &[(&str, &str)]) -> Result<T, OptionError>,
    ) -> Result<T, RegistryError> {
        let options = self.pairs();
        let pairs: Vec<_> = options.iter().map(|(name, text)| (&**name, &**text)).collect();
        Ok(make(find(&self.name)?, &pairs)?)
    }

    /// Name and text of each option.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.options.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
    }
}

impl FromStr for Selection {
    type Err = RegistryError;

    /// Reads it as it is [displayed](fmt::Display). Whether there is such an optimizer is seen when it
    /// is [built](Self::build).
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let mut words = text.trim().split(':');
        let name = words.next().unwrap_or_default().trim().to_owned();
        let mut options = BTreeMap::new();
        for word in words {
            let (word, text) = (word.to_owned(), text.to_owned());
            let pair = word.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let pair = pair.and_then(|(name, value)| Some((name.to_owned(), read(value)?)));
            let Some((name, value)) = pair else { return Err(RegistryError::Word { word, text }) };
            if options.insert(name, value).is_some() {
                return Err(RegistryError::Twice { word, text });
            }
        }
        Ok(Self { name, options })
    }
}

/// `sgd:momentum=0.9:nesterov=true`
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.options.iter().try_for_each(|(name, value)| write!(f, ":{name}={value}"))
    }
}
