//! The table of optimizers, one row each: command lines, tests, benchmarks and the README read it.
//!
//! ```
//! use burn_descent::registry;
//!
//! let optimizer = registry::build("adamw", &[("beta1", "0.95")])?;
//! assert_eq!(optimizer.name(), "adamw");
//! assert_eq!(registry::find("adamw")?.lr, 1e-3);
//!
//! let error = registry::build("adamv", &[]).unwrap_err();
//! assert!(error.to_string().contains("did you mean `adam`?"));
//! let error = registry::build("adamw", &[("beta", "0.95")]).unwrap_err();
//! assert!(error.to_string().contains("did you mean `beta1`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Methods that move the weights themselves, such as [`Lbfgs`](crate::Lbfgs), are no optimizers and have a
//! table of their own, [`SEARCHES`]; a [`Method`] is one or the other.
//!
//! This is here with the feature `registry`: a table of all optimizers compiles all of them, which takes minutes.
//!
//! A rule of your own is found by its name too, once it is [added](add). A [`Selection`] is a name with
//! options as a file has them.

mod lookup;
mod method;
mod searches;
mod selection;

use burn_descent_engine::{Build, Fused};
use burn_descent_rules::optimizers::*;
use burn_descent_rules::{
    Explanation, Fields, OptionError, Paper, Rule, from_pairs, names, to_pairs,
};

pub use burn_descent_rules::Value;
pub use lookup::{NameTaken, RegistryError, UnknownOptimizer, add, build, find, rows};
pub use method::Method;
pub use searches::{SEARCHES, SearchRow};
pub use selection::Selection;

/// Makes an optimizer of options by name.
type Make = fn(&[(&str, &str)]) -> Result<Fused, OptionError>;

/// Explains a rule of options by name.
type Explain = fn(&[(&str, &str)]) -> Result<Explanation, OptionError>;

/// One optimizer.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name on the command line, in tests and in files: `adamw`.
    pub name: &'static str,
    /// Its name in prose: `AdamW`.
    pub title: &'static str,
    /// Where it is from.
    pub paper: Paper,
    /// The learning rate to begin with, with all options at their defaults.
    pub lr: f64,
    build: Make,
    explain: Explain,
    options: fn() -> Vec<(String, String)>,
    state: fn() -> Vec<&'static str>,
}

impl Row {
    /// The row of a rule.
    pub const fn of<U: Rule>(lr: f64) -> Self {
        Self {
            name: U::NAME,
            title: U::TITLE,
            paper: U::PAPER,
            lr,
            build: |options| Ok(from_pairs::<U>(options)?.build()?),
            explain: |options| Ok(Explanation::of(&from_pairs::<U>(options)?)),
            options: || to_pairs(&U::default()),
            state: || names(U::default().start().lanes()),
        }
    }

    /// The optimizer with options given by name, the others at their defaults.
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn build(&self, options: &[(&str, &str)]) -> Result<Fused, OptionError> {
        (self.build)(options)
    }

    /// What the optimizer does with these options, and what it costs: formula, operations, memory
    /// and traffic, told by the graph of its rule.
    ///
    /// ```
    /// let page = burn_descent::registry::find("lion")?.explain(&[("beta1", "0.95")])?;
    /// assert_eq!(page.formula[1], "m ← beta2·m + one_beta2·t1");
    /// assert_eq!(page.bytes_read() + page.bytes_written(), 20);
    /// println!("{page}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn explain(&self, options: &[(&str, &str)]) -> Result<Explanation, OptionError> {
        (self.explain)(options)
    }

    /// Name and default of each option.
    pub fn options(&self) -> Vec<(String, String)> {
        (self.options)()
    }

    /// The names of the states with default options: each is one number a weight.
    pub fn state(&self) -> Vec<&'static str> {
        (self.state)()
    }
}

/// The optimizers of this crate.
pub const ROWS: &[Row] = &[
    Row::of::<Sgd>(0.1),
    Row::of::<Nesterov>(0.01),
    Row::of::<AdaGrad>(0.05),
    Row::of::<Ftrl>(0.05),
    Row::of::<RmsProp>(0.001),
    Row::of::<Adam>(0.001),
    Row::of::<AdamW>(0.001),
    Row::of::<Lion>(0.0001),
    Row::of::<SignSgd>(0.001),
    Row::of::<Tiger>(0.001),
    Row::of::<Lamb>(0.01),
    Row::of::<Lars>(1.0),
    Row::of::<NovoGrad>(0.01),
    Row::of::<Fromage>(0.01),
    Row::of::<Nero>(0.05),
    Row::of::<AdamP>(0.001),
    Row::of::<AdamH>(0.0025),
    Row::of::<Sgdp>(0.1),
    Row::of::<StableSpam>(0.001),
    #[cfg(feature = "matrix")]
    Row::of::<Muon>(0.02),
    #[cfg(feature = "matrix")]
    Row::of::<NorMuon>(0.02),
    #[cfg(feature = "matrix")]
    Row::of::<AdaMuon>(0.02),
    #[cfg(feature = "matrix")]
    Row::of::<AdaGO>(0.05),
    #[cfg(feature = "matrix")]
    Row::of::<Dion2>(0.01),
    #[cfg(feature = "matrix")]
    Row::of::<Scion>(0.01),
    #[cfg(feature = "matrix")]
    Row::of::<Soap>(0.003),
    #[cfg(feature = "matrix")]
    Row::of::<SPlus>(0.1),
    #[cfg(feature = "matrix")]
    Row::of::<Shampoo>(0.1),
    #[cfg(feature = "matrix")]
    Row::of::<ScalableShampoo>(0.001),
    #[cfg(feature = "matrix")]
    Row::of::<Dash>(0.001),
    #[cfg(feature = "matrix")]
    Row::of::<Kron>(0.0003),
    #[cfg(feature = "matrix")]
    Row::of::<PsgdPro>(0.003),
    #[cfg(feature = "matrix")]
    Row::of::<Galore>(0.01),
    #[cfg(feature = "matrix")]
    Row::of::<Apollo>(0.01),
    Row::of::<Adafactor>(0.01),
    Row::of::<Came>(0.0002),
    Row::of::<AdamMini>(0.001),
    Row::of::<Sm3>(0.1),
    Row::of::<Racs>(0.02),
    Row::of::<Rprop>(0.01),
    Row::of::<Adopt>(0.001),
    Row::of::<AdEmaMix>(0.001),
    Row::of::<Adan>(0.001),
    Row::of::<Qhm>(0.1),
    Row::of::<AggMo>(0.1),
    Row::of::<Tam>(0.01),
    Row::of::<SgdSai>(0.001),
    Row::of::<Pid>(0.001),
    Row::of::<Asgd>(0.01),
    Row::of::<AdaMax>(0.002),
    Row::of::<NAdam>(0.002),
    Row::of::<RAdam>(0.001),
    Row::of::<AdaDelta>(1.0),
    Row::of::<AdaBelief>(0.001),
    Row::of::<AdaBound>(0.001),
    Row::of::<Yogi>(0.01),
    Row::of::<LaProp>(0.0004),
    Row::of::<QhAdam>(0.001),
    Row::of::<Madgrad>(0.01),
    Row::of::<GrokFastAdamW>(0.0001),
    Row::of::<AdamC>(0.001),
    Row::of::<AdamAtan2>(0.001),
    Row::of::<Grams>(0.001),
    Row::of::<DiffGrad>(0.001),
    Row::of::<AdaMod>(0.001),
    Row::of::<AdaTam>(0.001),
    Row::of::<AdaShift>(0.001),
    Row::of::<Swats>(0.001),
    Row::of::<AdaNorm>(0.001),
    Row::of::<Aida>(0.001),
    Row::of::<FAdam>(0.001),
    Row::of::<AdamG>(1.0),
    Row::of::<Amos>(0.01),
    Row::of::<AdaGC>(0.001),
    Row::of::<AdamS>(0.001),
    Row::of::<Adai>(0.1),
    Row::of::<AvaGrad>(0.1),
    Row::of::<AdSgd>(1.0),
    Row::of::<Padam>(0.01),
    Row::of::<AcProp>(0.001),
    Row::of::<SimplifiedAdEmaMix>(0.0001),
    Row::of::<OptimisticGd>(0.05),
    Row::of::<OptimisticAdam>(0.001),
    Row::of::<Pnm>(0.05),
    Row::of::<AdaPnm>(0.001),
    Row::of::<Ranger21>(0.001),
    Row::of::<AccSgd>(0.01),
    Row::of::<MSvag>(0.01),
    Row::of::<Mars>(0.003),
    Row::of::<ApolloDqn>(0.0001),
    Row::of::<Ano>(0.0001),
    Row::of::<ExAdam>(0.001),
    Row::of::<Kate>(0.001),
    Row::of::<Prodigy>(1.0),
    Row::of::<DAdaptAdam>(1.0),
    Row::of::<DAdaptSgd>(1.0),
    Row::of::<DAdaptAdaGrad>(1.0),
    Row::of::<DAdaptLion>(1.0),
    Row::of::<DAdaptAdan>(0.5),
    Row::of::<DoG>(1.0),
    Row::of::<DoWG>(1.0),
    Row::of::<Momo>(1.0),
    Row::of::<MomoAdam>(0.01),
    Row::of::<PolyakSgd>(1.0),
    Row::of::<Bcos>(0.001),
    Row::of::<AdaSmooth>(0.001),
    Row::of::<Vsgd>(0.01),
    Row::of::<Cocob>(1.0),
    Row::of::<ScheduleFreeSgd>(0.1),
    Row::of::<ScheduleFreeAdamW>(0.0025),
    Row::of::<ScheduleFreeRAdam>(0.0025),
    Row::of::<ScheduleFreePlus>(1.0),
    Row::of::<GpaAdamW>(0.001),
];
