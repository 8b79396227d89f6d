//! Which examples are for training and which for testing.

use crate::random::{Stream, order};
use anyhow::{Result, ensure};

/// Fewer examples than this cannot be split.
const FEWEST: usize = 10;

/// Row numbers to train on, four fifths, and to test with, one fifth.
pub(super) fn split(rows: usize, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    ensure!(rows >= FEWEST, "{rows} usable examples are too few, at least {FEWEST} are needed");
    let mut train = order(rows, seed, Stream::Split);
    let test = train.split_off(rows - (rows as f64 / 5.0).round() as usize);
    Ok((train, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fifth_by_seed() {
        let (train, test) = split(10_000, 7).unwrap();
        assert_eq!((train.len(), test.len()), (8_000, 2_000));
        assert_eq!(split(10_000, 7).unwrap().1, test);
        assert_ne!(split(10_000, 8).unwrap().1, test);
        assert!(split(3, 0).unwrap_err().to_string().contains("too few"));
    }
}
