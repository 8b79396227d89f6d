//! What is timed.

use burn_descent::Fused;
use burn_descent::registry::{RegistryError, Selection};
use burn_descent::rules::Explanation;
use core::fmt;

/// An optimizer with its options.
#[derive(Clone, Debug)]
pub struct Choice {
    selection: Selection,
    page: Explanation,
    pub(super) optimizer: Fused,
}

impl Choice {
    /// The optimizer that is selected.
    ///
    /// # Errors
    /// If there is none of this name, or it has no such option, or its value is not allowed.
    pub fn new(selection: Selection) -> Result<Self, RegistryError> {
        let (page, optimizer) = (selection.explain()?, selection.build()?);
        Ok(Self { selection, page, optimizer })
    }

    /// Bytes that a step reads and writes of each weight.
    pub(super) fn moved(&self) -> usize {
        self.page.bytes_read() + self.page.bytes_written()
    }

    /// How many states a weight has.
    pub(super) fn states(&self) -> usize {
        self.page.states.len()
    }

    /// How many numbers of each weight are read for a sum, before those of the step itself.
    pub(super) fn summed(&self) -> usize {
        self.page.summed.iter().map(Vec::len).sum()
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selection.fmt(f)
    }
}
