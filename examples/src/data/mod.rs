//! Examples to train on and examples to judge by.

mod encode;
mod file;
mod generated;
mod idx;
mod matrix;
mod on_device;
mod source;
mod split;
mod table;

pub use matrix::Matrix;
pub use on_device::{Batch, OnDevice};
pub use source::{Source, Wish};

/// Inputs and what should come of them, row by row.
#[derive(Clone, Debug)]
pub struct Examples {
    /// One row an example.
    pub inputs: Matrix,
    /// One row an example: a number, or a 1 in the column of its class.
    pub targets: Matrix,
}

/// Examples to train on, and others to judge by.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What the optimizer sees.
    pub train: Examples,
    /// What it does not see: a fifth, chosen by the seed, unless the files say which.
    pub test: Examples,
    /// What was done to the data that its owner should know, a line each.
    pub notes: Vec<String>,
}

impl Dataset {
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
