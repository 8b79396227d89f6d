//! The examples as burn's data loader.

use crate::data::{Batch, OnDevice};
use crate::random::{Stream, order};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Examples that are on a device already, in the order of the seed and the epoch: a run that goes on
/// meets them as one that never stopped.
pub(crate) struct Loader {
    examples: OnDevice,
    batch_size: usize,
    /// The seed of the orders; none if the order does not matter.
    seed: Option<u64>,
    /// The next epoch, from 1.
    epoch: AtomicU64,
}

impl Loader {
    /// For training, from an epoch on.
    pub(crate) fn train(examples: OnDevice, batch_size: usize, seed: u64, epoch: u64) -> Self {
        Self { examples, batch_size, seed: Some(seed), epoch: epoch.into() }
    }

    /// For evaluation.
    pub(crate) fn test(examples: OnDevice, batch_size: usize) -> Self {
        Self { examples, batch_size, seed: None, epoch: 1.into() }
    }

    fn with(&self, examples: OnDevice) -> Arc<dyn DataLoader<Batch>> {
        let epoch = self.epoch.load(Ordering::Relaxed).into();
        Arc::new(Self { examples, batch_size: self.batch_size, seed: self.seed, epoch })
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let (n, epoch) = (self.num_items(), self.epoch.fetch_add(1, Ordering::Relaxed));
        let order = match self.seed {
            Some(seed) => order(n, seed, Stream::Epoch(epoch)),
            None => (0..n).collect(),
        };
        Box::new(Epoch { batches: self.examples.batches(&order, self.batch_size), seen: 0, n })
    }

    fn num_items(&self) -> usize {
        self.examples.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        self.with(self.examples.to_device(&device.clone().inner()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        self.with(self.examples.slice(start..end))
    }
}

/// Once through the examples.
struct Epoch<I> {
    batches: I,
    seen: usize,
    n: usize,
}

impl<I: Iterator<Item = Batch>> Iterator for Epoch<I> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        self.seen += batch.len();
        Some(Ok(batch))
    }
}

impl<I: Iterator<Item = Batch>> DataLoaderIterator<Batch> for Epoch<I> {
    fn progress(&self) -> Progress {
        Progress::new(self.seen, self.n, Some("examples".into()))
    }
}
