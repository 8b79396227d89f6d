//! From a name to a row, and to an optimizer.

use super::{ROWS, Row, SEARCHES};
use burn_descent_engine::Fused;
use burn_descent_rules::{OptionError, unknown};
use std::sync::{PoisonError, RwLock};

/// Those that have been added.
static ADDED: RwLock<Vec<&'static Row>> = RwLock::new(Vec::new());

/// Adds an optimizer of yours, to be found by its name in this process from now on.
///
/// ```
/// use burn_descent::{SignSgd, registry};
/// use burn_descent::rules::chain::{Chain, ScaleByLearningRate, Trace, Then};
///
/// type Momentum = Chain<Then<Trace, ScaleByLearningRate>>;
/// registry::add(registry::Row::of::<Momentum>(0.1))?;
/// let chain = registry::build("chain", &[("trace.momentum", "0.8")])?;
/// assert!(registry::add(registry::Row::of::<SignSgd>(0.1)).is_err());
/// # drop(chain);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there is one of this name.
pub fn add(row: Row) -> Result<(), NameTaken> {
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    if ROWS.iter().chain(added.iter().copied()).any(|known| known.name == row.name) {
        return Err(NameTaken(row.name));
    }
    added.push(Box::leak(Box::new(row)));
    Ok(())
}

/// All optimizers there are: [`ROWS`], then those that have been [added](add).
pub fn rows() -> impl Iterator<Item = &'static Row> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner).clone();
    ROWS.iter().chain(added)
}

/// The row of this name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<&'static Row, UnknownOptimizer> {
    rows().find(|row| row.name == name).ok_or_else(|| UnknownOptimizer { name: name.into() })
}

/// The optimizer of this name with options given by name, the others at their defaults.
///
/// # Errors
/// If there is none of this name, or it has no such option, or its value is not allowed.
pub fn build(name: &str, options: &[(&str, &str)]) -> Result<Fused, RegistryError> {
    Ok(find(name)?.build(options)?)
}

/// Why there is no optimizer by what was given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownOptimizer),
    /// An option that cannot be taken.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// A word of a [`Selection`](super::Selection) that cannot be read.
    #[error(
        "`{word}` in `{text}` must be OPTION=VALUE with a number, true or false, as in sgd:momentum=0.9"
    )]
    Word {
        /// The word.
        word: String,
        /// All of the text.
        text: String,
    },
    /// An option that a [`Selection`](super::Selection) has already.
    #[error("`{word}` in `{text}` sets an option that has been set")]
    Twice {
        /// The word.
        word: String,
        /// All of the text.
        text: String,
    },
}

/// There is no optimizer of this name; the message has the name that is nearest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", there_is_none(.name))]
pub struct UnknownOptimizer {
    /// The name that was given.
    pub name: String,
}

fn there_is_none(name: &str) -> String {
    let searches = || SEARCHES.iter().map(|row| row.name);
    if searches().any(|search| search == name) {
        return format!(
            "`{name}` is no optimizer: it evaluates the loss several times a step, and moves the weights itself"
        );
    }
    let names = rows().map(|row| row.name).chain(searches());
    unknown("optimizer", name, names) + MISSING
}

/// What a build has not.
const MISSING: &str = if cfg!(feature = "matrix") {
    ""
} else {
    "; optimizers of whole matrices, such as `muon`, need the feature `matrix` of burn-descent"
};

/// There is an optimizer of this name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is an optimizer `{0}` already, give yours another name")]
pub struct NameTaken(pub &'static str);
