//! The searches that move the weights themselves, by name.

use super::{BarzilaiBorwein, ConjugateGradient, Lbfgs, Search, SteepestDescent};
use burn_descent_rules::{OptionError, Options, set_pairs, to_pairs};
use std::sync::Arc;

/// Makes a search of options by name.
type Make = fn(&[(&str, &str)]) -> Result<Arc<dyn Search>, OptionError>;

/// A search that moves the weights itself, in [`SEARCHES`].
#[derive(Clone, Copy, Debug)]
pub struct SearchRow {
    /// Its name on the command line and in files: `lbfgs`.
    pub name: &'static str,
    /// Its name in prose: `L-BFGS`.
    pub title: &'static str,
    build: Make,
    options: fn() -> Vec<(String, String)>,
}

impl SearchRow {
    const fn of<S: Search + Options>(name: &'static str, title: &'static str) -> Self {
        Self {
            name,
            title,
            build: |options| {
                let mut search = S::default();
                let owner = search.name();
                set_pairs(&mut search, owner, options)?;
                search.check()?;
                Ok(Arc::new(search))
            },
            options: || to_pairs(&S::default()),
        }
    }

    /// The search with options given by name, the others at their defaults.
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn build(&self, options: &[(&str, &str)]) -> Result<Arc<dyn Search>, OptionError> {
        (self.build)(options)
    }

    /// Name and default of each option.
    pub fn options(&self) -> Vec<(String, String)> {
        (self.options)()
    }
}

/// The searches of this crate that move the weights themselves.
///
/// ```
/// use burn_descent::{Descent, registry::SEARCHES};
///
/// let lbfgs = SEARCHES.iter().find(|row| row.name == "lbfgs").expect("it is one of them");
/// let walk = Descent::search(lbfgs.build(&[("history_size", "10")])?);
/// assert!(lbfgs.build(&[("history", "10")]).is_err());
/// # drop(walk);
/// # Ok::<(), burn_descent::OptionError>(())
/// ```
pub static SEARCHES: &[SearchRow] = &[
    SearchRow::of::<Lbfgs>("lbfgs", "L-BFGS"),
    SearchRow::of::<ConjugateGradient>("conjugate_gradient", "Nonlinear conjugate gradients"),
    SearchRow::of::<BarzilaiBorwein>("barzilai_borwein", "Barzilai-Borwein"),
    SearchRow::of::<SteepestDescent>("steepest_descent", "Gradient descent with backtracking"),
];
