//! Down the loss, epoch by epoch.

use crate::data::{Dataset, Examples, Matrix};
use crate::model::Mlp;
use crate::random::{Stream, order};
use crate::task::{Judgement, Task};
use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_descent::Fused;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Losses are read from the device after this many steps at the latest ...
const MOST_PENDING: usize = 256;

/// ... or after this time, because somebody may be watching.
const PATIENCE: Duration = Duration::from_millis(100);

/// Rows that are judged at a time.
const JUDGED_AT_ONCE: usize = 4096;

/// The network and the optimizer that trains it.
pub struct Learner {
    /// The network, at the weights to train.
    pub model: Mlp,
    /// What the optimizer remembers of each of them.
    pub optimizer: ModuleOptimizer,
    /// The optimizer.
    pub rule: Fused,
}

/// What is to be done with the examples.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What the network is trained for.
    pub task: Task,
    /// The learning rate.
    pub lr: f64,
    /// How many examples make a step.
    pub batch_size: usize,
    /// The order of the examples follows from it.
    pub seed: u64,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of the training examples, each at the weights that met it.
    pub train_loss: f64,
    /// The mean loss of the test examples, at the weights to judge.
    pub test_loss: f64,
    /// R² or accuracy on the test examples.
    pub score: Option<f64>,
    /// The time the training took, without judging.
    pub seconds: f64,
}

/// The training examples on a device, and the test examples.
#[derive(Debug)]
pub struct Classroom {
    inputs: Tensor<2>,
    targets: Tensor<2>,
    test: Examples,
    device: Device,
}

impl Classroom {
    /// Moves the training examples to a device.
    pub fn new(data: Dataset, device: &Device) -> Self {
        let Dataset { train, test, .. } = data;
        let (inputs, targets) = (train.inputs.tensor(device), train.targets.tensor(device));
        Self { inputs, targets, test, device: device.clone() }
    }

    /// How many training examples there are.
    pub fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row numbers on the device.
    fn indices(&self, order: &[usize]) -> Tensor<1, Int> {
        let order: Vec<i32> = order.iter().map(|row| *row as i32).collect();
        let n = order.len();
        Tensor::from_data(TensorData::new(order, [n]), &self.device)
    }
}

impl Learner {
    /// One epoch, counted from 1. `watch` is told of the losses as they are read: the number of
    /// examples seen in this epoch and their mean loss.
    ///
    /// # Errors
    /// If the loss is not a number any more, or the device fails.
    pub fn epoch(
        &mut self,
        classroom: &Classroom,
        plan: &Plan,
        epoch: u64,
        mut watch: impl FnMut(usize, f64),
    ) -> Result<Epoch> {
        let begin = Instant::now();
        let n = classroom.len();
        let order = classroom.indices(&order(n, plan.seed, Stream::Epoch(epoch)));
        let mut losses = Losses::default();
        for start in (0..n).step_by(plan.batch_size) {
            let rows = start..(start + plan.batch_size).min(n);
            let size = rows.len();
            let rows = order.clone().slice(rows);
            let batch = |all: &Tensor<2>| Tensor::from_inner(all.clone().select(0, rows.clone()));
            let loss = self.step(plan, batch(&classroom.inputs), batch(&classroom.targets));
            losses.push(loss, size);
            if losses.due() || start + size == n {
                let mean = losses.read()?;
                ensure!(
                    mean.is_finite(),
                    "the loss is {mean} in epoch {epoch}: the training diverges, \
                     try a smaller --lr than {}",
                    plan.lr
                );
                watch(start + size, mean);
            }
        }
        let (train_loss, seconds) = (losses.mean(), begin.elapsed().as_secs_f64());
        let Judgement { loss, score } =
            self.judge(plan.task, &classroom.test, &classroom.device)?;
        ensure!(
            loss.is_finite(),
            "the test loss is {loss} after epoch {epoch}: try a smaller --lr"
        );
        Ok(Epoch { train_loss, test_loss: loss, score, seconds })
    }

    /// One step on a batch: its loss.
    fn step(&mut self, plan: &Plan, inputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let loss = plan.task.loss(self.model.forward(inputs), targets);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        let loss = loss.inner();
        // The optimizer works in place on weights that nobody else holds.
        let model = core::mem::take(&mut self.model);
        self.model = self.optimizer.step(plan.lr, model, gradients);
        loss
    }

    /// Judges the weights to judge: for some optimizers they are not those that are trained.
    fn judge(&self, task: Task, test: &Examples, device: &Device) -> Result<Judgement> {
        let model = self.rule.evaluate(&self.model, &self.optimizer).valid();
        let Matrix { values, width } = &test.inputs;
        let mut outputs = Vec::with_capacity(test.targets.values.len());
        for rows in values.chunks(JUDGED_AT_ONCE * width) {
            let rows = TensorData::new(rows.to_vec(), [rows.len() / width, *width]);
            let output = model.forward(Tensor::from_data(rows, device));
            outputs.extend(read(output)?);
        }
        Ok(task.judge(&Matrix::new(outputs, test.targets.width), &test.targets))
    }
}

/// The losses of an epoch's steps: they stay on the device until a number of them is read at once,
/// because a device that is asked after each step stands still.
#[derive(Default)]
struct Losses {
    pending: Vec<Tensor<1>>,
    sizes: Vec<usize>,
    sum: f64,
    examples: usize,
    last_read: Option<Instant>,
}

impl Losses {
    fn push(&mut self, loss: Tensor<1>, size: usize) {
        self.pending.push(loss);
        self.sizes.push(size);
    }

    fn due(&mut self) -> bool {
        let last = *self.last_read.get_or_insert_with(Instant::now);
        self.pending.len() >= MOST_PENDING || last.elapsed() >= PATIENCE
    }

    /// The mean loss so far.
    fn read(&mut self) -> Result<f64> {
        let losses = read(Tensor::cat(core::mem::take(&mut self.pending), 0))?;
        for (loss, size) in losses.into_iter().zip(self.sizes.drain(..)) {
            self.sum += f64::from(loss) * size as f64;
            self.examples += size;
        }
        self.last_read = Some(Instant::now());
        Ok(self.mean())
    }

    fn mean(&self) -> f64 {
        self.sum / self.examples as f64
    }
}

/// A tensor's numbers on the host.
fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().context("the device failed")
}
