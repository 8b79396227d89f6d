//! Optimizers as they are chosen on the command line.

use anyhow::{Error, Result, ensure};
use burn_descent::Builder;
use burn_descent::registry::{self, Method, Selection};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// An optimizer with options: `adam`, or `sgd:momentum=0.9:nesterov=true`.
///
/// ```
/// use burn_descent_lab::choice::Choice;
///
/// let momentum: Choice = "sgd:momentum=0.9".parse()?;
/// assert_eq!(momentum.method.name(), "sgd");
/// assert_eq!(momentum.to_string(), "sgd:momentum=0.9");
///
/// let error = "sgd:momentun=0.9".parse::<Choice>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `momentum`?"));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the registry says of it.
    pub method: Method,
    /// Options that are not at their defaults.
    pub options: Vec<(String, String)>,
}

impl Choice {
    /// A method with options, given by name.
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn new(method: Method, options: Vec<(String, String)>) -> Result<Self> {
        let choice = Self { method, options };
        choice.walk()?;
        Ok(choice)
    }

    /// A walk by it.
    ///
    /// # Errors
    /// None, for the options have been looked at.
    pub fn walk(&self) -> Result<Builder> {
        let pairs = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(self.method.walk(&pairs.collect::<Vec<_>>())?)
    }

    /// Its name as that of a file: `sgd-momentum-0.9`.
    pub fn file_name(&self) -> String {
        self.to_string().replace([':', '='], "-")
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let selection: Selection = text.parse()?;
        Self::new(Method::find(&selection.name)?, selection.pairs())
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method.name())?;
        self.options.iter().try_for_each(|(name, value)| write!(f, ":{name}={value}"))
    }
}

/// The names of all optimizers, to be read.
pub fn names() -> String {
    let searches = registry::SEARCHES.iter().map(|row| row.name);
    registry::rows().map(|row| row.name).chain(searches).collect::<Vec<_>>().join(", ")
}

/// Several of them: separated by commas, or `all` of the registry at their defaults.
#[derive(Clone, Debug)]
pub struct Choices(pub Vec<Choice>);

impl FromStr for Choices {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let choices: Vec<Choice> = if text == "all" {
            let all = registry::rows().map(Method::Optimizer);
            all.map(|method| Choice::new(method, Vec::new())).collect::<Result<_>>()?
        } else {
            text.split(',').map(str::parse).collect::<Result<_>>()?
        };
        let mut names = BTreeSet::new();
        for choice in &choices {
            ensure!(names.insert(choice.to_string()), "`{choice}` is there twice");
        }
        Ok(Self(choices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_descent::registry::ROWS;

    #[test]
    fn all_are_all() {
        assert_eq!("all".parse::<Choices>().unwrap().0.len(), ROWS.len());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Choices>().unwrap_err().to_string();
        assert!(error("adamv").contains("did you mean `adam`?"));
        assert!(error("").contains("the optimizers are sgd"));
        assert!(error("adam,sgd,adam").contains("`adam` is there twice"));
        assert!(error("sgd:momentum").contains("OPTION=VALUE"));
        assert!(error("sgd:momentum=2").contains("momentum = 2 is not allowed"));
        assert!(error("sgd:momentum=0.9:momentum=0.8").contains("has been set"));
    }
}
