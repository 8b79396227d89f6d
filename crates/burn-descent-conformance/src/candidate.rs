//! What is to be held to the laws.

#[cfg(feature = "registry")]
use burn_descent::registry::Row;
use burn_descent::rules::{Explanation, Rule};
use burn_descent::{Build, Fused, InvalidOption};

/// An optimizer, and what the laws have to know of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The optimizer.
    pub optimizer: Fused,
    /// A learning rate with which it descends.
    pub lr: f64,
    /// What it does and costs, as its rule says.
    pub page: Explanation,
}

impl Candidate {
    /// A rule with its options.
    ///
    /// # Errors
    /// The first option that is not allowed.
    pub fn of<U: Rule>(rule: &U, lr: f64) -> Result<Self, InvalidOption> {
        Ok(Self { optimizer: rule.clone().build()?, lr, page: Explanation::of(rule) })
    }

    /// A row of the registry with its defaults.
    #[cfg(feature = "registry")]
    pub fn of_row(row: &Row) -> Self {
        let optimizer = row.build(&[]).expect("defaults are allowed");
        let page = row.explain(&[]).expect("defaults are allowed");
        Self { optimizer, lr: row.lr, page }
    }

    /// Does the rule make something of whole matrices? Then tensor operations step it on every device.
    pub fn sees_whole(&self) -> bool {
        self.page.formula.iter().any(|line| line.contains("whole("))
    }
}
