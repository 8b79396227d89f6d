//! The searches that move the weights themselves, by name.

use crate::own::search::Search;
use crate::{BarzilaiBorwein, ConjugateGradient, Lbfgs, SteepestDescent};
use burn_descent_rules::{OptionError, Options, Paper, set_pairs, to_pairs};
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
    /// Where it is from.
    pub paper: Paper,
    /// The learning rate to begin with.
    pub lr: f64,
    build: Make,
    options: fn() -> Vec<(String, String)>,
}

impl SearchRow {
    const fn of<S: Search + Options>(
        name: &'static str,
        title: &'static str,
        paper: Paper,
    ) -> Self {
        Self {
            name,
            title,
            paper,
            lr: 1.0,
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
pub const SEARCHES: &[SearchRow] = &[
    SearchRow::of::<Lbfgs>(
        "lbfgs",
        "L-BFGS",
        Paper::at("Liu & Nocedal 1989", "https://doi.org/10.1007/BF01589116"),
    ),
    SearchRow::of::<ConjugateGradient>(
        "conjugate_gradient",
        "Nonlinear conjugate gradients",
        Paper::at("Hager & Zhang 2005", "https://doi.org/10.1137/030601880"),
    ),
    SearchRow::of::<BarzilaiBorwein>(
        "barzilai_borwein",
        "Barzilai-Borwein",
        Paper::at("Barzilai & Borwein 1988", "https://doi.org/10.1093/imanum/8.1.141"),
    ),
    SearchRow::of::<SteepestDescent>(
        "steepest_descent",
        "Gradient descent with backtracking",
        Paper::at("Armijo 1966", "https://doi.org/10.2140/pjm.1966.16.1"),
    ),
];
