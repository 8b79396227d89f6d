//! Chance, as a function of the seed: each use has a stream of its own, so that none depends on
//! how often another was asked, and the order of epoch 5 is the same in a run that was resumed.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What chance is used for.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// The generated data.
    Data,
    /// Which examples are for training and which for testing.
    Split,
    /// The weights to begin with.
    Weights,
    /// The order of the examples in an epoch, counted from 1.
    Epoch(u64),
}

/// The random numbers of one stream.
pub fn rng(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match stream {
        Stream::Data => 0,
        Stream::Split => 1,
        Stream::Weights => 2,
        Stream::Epoch(epoch) => epoch.wrapping_add(2),
    });
    rng
}

/// The numbers `0..n` in the order of a stream.
pub fn order(n: usize, seed: u64, stream: Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut rng(seed, stream));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_its_own_order_and_keeps_it() {
        let epoch = |seed, epoch| order(100, seed, Stream::Epoch(epoch));
        assert_eq!(epoch(1, 5), epoch(1, 5));
        assert_ne!(epoch(1, 5), epoch(1, 6));
        assert_ne!(epoch(1, 5), epoch(2, 5));
        let mut sorted = epoch(1, 5);
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
    }
}
