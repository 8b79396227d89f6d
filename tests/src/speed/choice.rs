//! What is timed.

use burn_descent::Fused;
use burn_descent::registry::{RegistryError, Selection, find};
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
        let options = selection.pairs();
        let options: Vec<_> = options.iter().map(|(name, text)| (&**name, &**text)).collect();
        let row = find(&selection.name)?;
        let (page, optimizer) = (row.explain(&options)?, row.build(&options)?);
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
        let once: std::collections::BTreeSet<_> = self.page.reads.iter().collect();
        self.page.reads.len() - once.len()
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selection.fmt(f)
    }
}
