//! Examples to train on, and examples to test with.

mod encode;
mod encoder;
mod file;
mod generated;
mod idx;
mod layout;
mod matrix;
mod new_rows;
mod on_device;
mod scale;
mod source;
mod split;
mod table;
mod text;

pub use encoder::{Code, Coding, Encoder, Inputs};
pub use layout::Layout;
pub use matrix::Matrix;
pub use new_rows::NewRows;
pub use on_device::{Batch, OnDevice};
pub use scale::Scale;
pub use source::{Source, Wish};

use anyhow::Result;

/// Inputs and what should come of them, row by row.
#[derive(Clone, Debug)]
pub struct Examples {
    /// One row an example.
    pub inputs: Matrix,
    /// One row an example: a number, or a 1 in the column of its class.
    pub targets: Matrix,
}

/// Examples to train on, and others to test with.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What the optimizer sees.
    pub train: Examples,
    /// What it does not see: a fifth, chosen by the seed, unless the files say which.
    pub test: Examples,
    /// What the numbers stand for.
    pub encoder: Encoder,
    /// What was done to the data that its owner should know, a line each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// How many numbers an example has, and how many its target.
    pub fn widths(&self) -> [usize; 2] {
        [self.train.inputs.width, self.train.targets.width]
    }

    /// The training examples alone, a fifth of them kept to test with: what is chosen with these has
    /// not seen the test examples.
    ///
    /// # Errors
    /// If they are too few.
    pub fn for_choosing(&self, seed: u64) -> Result<Self> {
        let Examples { inputs, targets } = &self.train;
        let (train, test) = split::split(inputs.len(), seed)?;
        let examples = |rows: &[usize]| Examples {
            inputs: inputs.select(rows),
            targets: targets.select(rows),
        };
        let (train, test) = (examples(&train), examples(&test));
        Ok(Self { train, test, ..self.clone() })
    }

    /// Tells these numbers from others: a save goes on with the data that it was made with.
    pub fn checksum(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        for examples in [&self.train, &self.test] {
            for matrix in [&examples.inputs, &examples.targets] {
                crc.update(&(matrix.width as u64).to_le_bytes());
                crc.update(&(matrix.len() as u64).to_le_bytes());
                matrix.values.iter().for_each(|value| crc.update(&value.to_le_bytes()));
            }
        }
        crc.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn the_test_examples_have_no_part_in_choosing() {
        let data = Source::Generated.load(Task::Classification, 0).unwrap();
        let choosing = data.for_choosing(0).unwrap();
        assert_eq!((choosing.train.inputs.len(), choosing.test.inputs.len()), (6_400, 1_600));
        let mut rows: Vec<_> =
            choosing.train.inputs.rows().chain(choosing.test.inputs.rows()).collect();
        let mut train: Vec<_> = data.train.inputs.rows().collect();
        let order = |a: &&[f32], b: &&[f32]| a.partial_cmp(b).unwrap();
        rows.sort_by(order);
        train.sort_by(order);
        assert_eq!(rows, train);
    }
}
