//! From a name to an optimizer or a search.

use super::{Row, SEARCHES, SearchRow, UnknownOptimizer, find};
use crate::{Builder, Descent};
use burn_descent_rules::{OptionError, Paper};

/// What a [`Descent`](crate::Descent) is built around: an optimizer, or a search that moves the weights itself.
///
/// ```
/// use burn_descent::registry::Method;
///
/// for (name, option) in [("adamw", ("beta1", "0.95")), ("lbfgs", ("history_size", "10"))] {
///     let method = Method::find(name)?;
///     let walk = method.walk(&[option])?.lr(method.lr());
/// #   drop(walk);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// An optimizer: its steps take gradients.
    Optimizer(&'static Row),
    /// A search: its steps take the loss.
    Search(&'static SearchRow),
}

/// What both kinds of rows have.
macro_rules! either {
    ($self:ident, $row:ident => $what:expr) => {
        match $self {
            Self::Optimizer($row) => $what,
            Self::Search($row) => $what,
        }
    };
}

impl Method {
    /// The method of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(name: &str) -> Result<Self, UnknownOptimizer> {
        match SEARCHES.iter().find(|row| row.name == name) {
            Some(row) => Ok(Self::Search(row)),
            None => find(name).map(Self::Optimizer),
        }
    }

    /// Its name on the command line and in files.
    pub fn name(self) -> &'static str {
        either!(self, row => row.name)
    }

    /// Its name in prose.
    pub fn title(self) -> &'static str {
        either!(self, row => row.title)
    }

    /// Where it is from.
    pub fn paper(self) -> Paper {
        either!(self, row => row.paper)
    }

    /// The learning rate to begin with.
    pub fn lr(self) -> f64 {
        either!(self, row => row.lr)
    }

    /// Name and default of each option.
    pub fn options(self) -> Vec<(String, String)> {
        either!(self, row => row.options())
    }

    /// Starts to build a `Descent` with options given by name, the others at their defaults.
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn walk(self, options: &[(&str, &str)]) -> Result<Builder, OptionError> {
        match self {
            Self::Optimizer(row) => Ok(Descent::builder(row.build(options)?)),
            Self::Search(row) => Ok(Descent::search(row.build(options)?)),
        }
    }
}
