//! The network on one of several devices.

use crate::data::Batch;
use crate::model::Network;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

/// A copy of the network that has a share of each batch. burn-train adds the gradients of all copies;
/// of losses divided by their number, the sum is the gradient of the mean loss of the whole batch.
#[derive(Module, Debug)]
pub(super) struct Replica {
    network: Network,
    #[module(skip)]
    copies: usize,
}

impl Replica {
    pub(super) fn new(network: Network, copies: usize) -> Self {
        Self { network, copies }
    }

    pub(super) fn into_network(self) -> Network {
        self.network
    }
}

impl TrainStep for Replica {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let Batch { inputs, targets } = batch;
        let output = self.network.classify(Tensor::from_inner(inputs), Tensor::from_inner(targets));
        let share = output.loss.clone() / self.copies as f64;
        TrainOutput::new(self, share.backward(), output)
    }
}

impl InferenceStep for Replica {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        InferenceStep::step(&self.network, batch)
    }
}
