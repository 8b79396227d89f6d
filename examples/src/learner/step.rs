//! The network as a `Learner` takes it.

use crate::data::Batch;
use crate::model::Network;
use crate::task::Task;
use burn::tensor::Tensor;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

impl Network {
    /// The outputs for a batch as burn's metrics take them.
    pub(crate) fn classify(&self, inputs: Tensor<2>, targets: Tensor<2>) -> ClassificationOutput {
        let outputs = self.forward(inputs);
        let loss = Task::Classification.loss(outputs.clone(), targets.clone());
        let classes = targets.argmax(1).squeeze_dim(1);
        ClassificationOutput::new(loss, outputs, classes)
    }
}

impl TrainStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let Batch { inputs, targets } = batch;
        let output = self.classify(Tensor::from_inner(inputs), Tensor::from_inner(targets));
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch.inputs, batch.targets)
    }
}
