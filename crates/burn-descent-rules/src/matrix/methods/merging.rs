//! Dimensions of a tensor made one.

use crate::{View, choice};

choice! {
    /// Which dimensions of a tensor are made one before each gets a factor.
    pub enum Merging {
        /// Each dimension has its own.
        Nothing = "none",
        /// Neighbours whose product is no longer than a block.
        Small = "small",
        /// The same with two peculiarities of pytorch_optimizer: a first dimension that is longer than a block gets one
        /// of 1 before it, which has a factor too; and what has become one dimension has none.
        PytorchOptimizer = "pytorch_optimizer",
    }
}

impl Merging {
    /// The dimensions of a tensor that is seen like this; none where there are no factors.
    pub(crate) fn of(self, view: View, dims: &[usize], most: u64) -> Vec<usize> {
        let vector = [view.len()];
        let dims = if view.is_vector() { &vector } else { dims };
        match self {
            Self::Nothing => dims.to_vec(),
            Self::Small => {
                let some = dims.iter().copied().filter(|dim| *dim != 1);
                Self::merged(Vec::new(), some, most)
            }
            Self::PytorchOptimizer => {
                let merged = Self::merged(vec![1], dims.iter().copied(), most);
                if merged.len() > 1 { merged } else { Vec::new() }
            }
        }
    }

    fn merged(first: Vec<usize>, dims: impl Iterator<Item = usize>, most: u64) -> Vec<usize> {
        let merged = dims.fold(first, |mut merged, dim| {
            match merged.last_mut() {
                Some(last) if (*last * dim) as u64 <= most => *last *= dim,
                _ => merged.push(dim),
            }
            merged
        });
        if merged.is_empty() { vec![1] } else { merged }
    }
}
