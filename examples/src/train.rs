//! Down the loss, epoch by epoch.

use crate::data::{Batch, Dataset, Encoder, Examples, Matrix, OnDevice};
use crate::detail::Detail;
use crate::model::Network;
use crate::random::{Stream, order};
use crate::task::{Evaluation, Task};
use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use burn_descent::{Descent, DescentError, Observer, Refused, Report};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Losses are read from the device after this many steps at the latest ...
const MOST_PENDING: usize = 256;

/// ... or after this time, because somebody may be watching.
const PATIENCE: Duration = Duration::from_millis(100);

/// Rows that are evaluated at a time.
pub(crate) const EVALUATED_AT_ONCE: usize = 4096;

/// The network and the walk that trains it.
pub struct Learner {
    /// The network, at the weights to train.
    pub model: Network,
    /// All else that changes from step to step.
    pub descent: Descent,
    /// Is the step of what is left over taken at the end of each epoch?
    pub flush: bool,
    /// Where what comes of each step is written.
    pub log: Option<Box<dyn Observer>>,
}

/// What is to be done with the examples.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What the network is trained for.
    pub task: Task,
    /// The learning rate.
    pub lr: f64,
    /// How many examples make a batch.
    pub batch_size: usize,
    /// The order of the examples follows from it.
    pub seed: u64,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of the training examples, each at the weights that met it.
    pub train_loss: f64,
    /// The mean loss of the test examples, at the weights to evaluate.
    pub test_loss: f64,
    /// R² or accuracy on the test examples.
    pub score: Option<f64>,
    /// The time the training took, without evaluation.
    pub seconds: f64,
}

/// A training whose loss is not a number any more.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the {which} loss is {loss:?} in epoch {epoch}: the training diverges, try a smaller --lr than {lr:?}"
)]
pub struct Diverged {
    /// `training` or `test`.
    pub which: &'static str,
    /// Infinite or NaN.
    pub loss: f64,
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The learning rate.
    pub lr: f64,
}

fn finite(which: &'static str, loss: f64, epoch: u64, plan: &Plan) -> Result<(), Diverged> {
    let diverged = Diverged { which, loss, epoch, lr: plan.lr };
    loss.is_finite().then_some(()).ok_or(diverged)
}

/// The training examples on a device, and the test examples.
#[derive(Debug)]
pub struct Classroom {
    train: OnDevice,
    test: Examples,
    encoder: Encoder,
    device: Device,
}

impl Classroom {
    /// Moves the training examples to a device.
    pub fn new(data: Dataset, device: &Device) -> Self {
        let train = OnDevice::new(&data.train, device);
        Self { train, test: data.test, encoder: data.encoder, device: device.clone() }
    }

    /// What the numbers of the examples stand for.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// How many training examples there are.
    pub fn len(&self) -> usize {
        self.train.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.train.is_empty()
    }

    /// Batches of the first epoch, the second, and so on without end.
    pub fn endless(&self, plan: &Plan) -> impl Iterator<Item = Batch> {
        let Plan { seed, batch_size, .. } = *plan;
        (1..).flat_map(move |epoch| {
            let order = order(self.len(), seed, Stream::Epoch(epoch));
            self.train.batches(&order, batch_size)
        })
    }
}

impl Plan {
    /// The mean loss of a batch, to be differentiated.
    pub fn loss(&self, model: &Network, batch: &Batch) -> Tensor<1> {
        let Batch { inputs, targets } = batch.clone();
        let outputs = model.forward(Tensor::from_inner(inputs));
        let targets = Tensor::from_inner(targets.cast(outputs.dtype()));
        self.task.loss(outputs, targets)
    }
}

impl Learner {
    /// One epoch, counted from 1. `watch` is told of the losses as they are read: the number of
    /// examples seen in this epoch, their mean loss, and the learning rate.
    ///
    /// # Errors
    /// [`Diverged`] if the loss is not a number any more; or if a step is refused, the log cannot be written, or the
    /// device fails.
    pub fn epoch(
        &mut self,
        classroom: &Classroom,
        plan: &Plan,
        epoch: u64,
        mut watch: impl FnMut(usize, f64, f64),
    ) -> Result<Epoch> {
        let begin = Instant::now();
        let n = classroom.len();
        let order = order(n, plan.seed, Stream::Epoch(epoch));
        let (mut losses, mut seen) = (Losses::default(), 0);
        for batch in classroom.train.batches(&order, plan.batch_size) {
            let size = batch.len();
            let (loss, lr) = self.step(plan, &batch)?;
            losses.push(loss, size);
            seen += size;
            if losses.due() || seen == n {
                let mean = losses.read()?;
                finite("training", mean, epoch, plan)?;
                watch(seen, mean, lr);
            }
        }
        if self.flush {
            let model = core::mem::take(&mut self.model);
            let flushed = self.descent.flush(model);
            self.model = self.stepped(flushed, None)?.0;
        }
        let (train_loss, seconds) = (losses.mean(), begin.elapsed().as_secs_f64());
        // For some optimizers the weights to evaluate are not those that are trained.
        let evaluated = self.descent.evaluate(&self.model);
        let Evaluation { loss, score } =
            evaluate(&evaluated, plan.task, &classroom.test, &classroom.device)?;
        finite("test", loss, epoch, plan)?;
        Ok(Epoch { train_loss, test_loss: loss, score, seconds })
    }

    /// What the mean loss of the test examples does not say of them.
    ///
    /// # Errors
    /// If the device fails.
    pub fn detail(&self, classroom: &Classroom, loss: f64) -> Result<Detail> {
        let Classroom { test, encoder, device, .. } = classroom;
        let evaluated = self.descent.evaluate(&self.model);
        let outputs = outputs(&evaluated, &test.inputs, test.targets.width, device)?;
        Ok(Detail::new(&encoder.target, loss, &outputs, &test.targets))
    }

    /// A step on a batch, or a part of one: its loss and the learning rate.
    ///
    /// # Errors
    /// If the step is refused, or the log cannot be written.
    pub fn step(&mut self, plan: &Plan, batch: &Batch) -> Result<(Tensor<1>, f64)> {
        if self.descent.evaluates_loss() {
            return self.search(plan, batch);
        }
        let loss = plan.loss(&self.model, batch);
        let gradients = loss.backward();
        let loss = loss.inner();
        // The walk works in place on weights that nobody else holds.
        let model = core::mem::take(&mut self.model);
        let told = burn_descent::Batch::new().weight(batch.len() as f64).loss(loss.clone());
        let stepped = self.descent.step_weighted(model, gradients, told);
        let report;
        (self.model, report) = self.stepped(stepped, Some(&loss))?;
        let lr = report.learning_rates.first().map_or(plan.lr, |(_, lr)| *lr);
        Ok((loss, lr))
    }

    /// A step of a method that evaluates the loss as often as it likes.
    fn search(&mut self, plan: &Plan, batch: &Batch) -> Result<(Tensor<1>, f64)> {
        let model = core::mem::take(&mut self.model);
        let searched = self.descent.step_with(model, |model| plan.loss(model, batch));
        let (stepped, loss) = match searched {
            Ok((model, report, loss)) => (Ok((model, report)), Some(loss)),
            Err(refused) => (Err(refused), None),
        };
        let report;
        (self.model, report) = self.stepped(stepped, loss.as_ref())?;
        let lr = report.learning_rates.first().map_or(plan.lr, |(_, lr)| *lr);
        Ok((loss.expect("it was not refused"), lr))
    }

    /// What came of a step, once it is in the log, with the loss of its batch.
    fn stepped(
        &mut self,
        stepped: Result<(Network, Report), Refused<Network>>,
        loss: Option<&Tensor<1>>,
    ) -> Result<(Network, Report)> {
        let (model, mut report) = stepped.map_err(DescentError::from)?;
        if let Some(log) = &mut self.log
            && (loss.is_some() || report.stepped)
        {
            report.loss = loss.map(|loss| loss.clone().into());
            log.observe(&report).context("--log")?;
        }
        Ok((model, report))
    }
}

/// Evaluates a network, in burn's form for validation.
pub(crate) fn evaluate(
    model: &Network,
    task: Task,
    test: &Examples,
    device: &Device,
) -> Result<Evaluation> {
    let outputs = outputs(model, &test.inputs, test.targets.width, device)?;
    Ok(task.evaluate(&outputs, &test.targets))
}

/// The outputs of a network, so many a row.
pub(crate) fn outputs(
    model: &Network,
    inputs: &Matrix,
    width: usize,
    device: &Device,
) -> Result<Matrix> {
    let Matrix { values, width: inputs } = inputs;
    let mut outputs = Vec::with_capacity(values.len() / inputs * width);
    for rows in values.chunks(EVALUATED_AT_ONCE * inputs) {
        let rows = TensorData::new(rows.to_vec(), [rows.len() / inputs, *inputs]);
        let output = model.forward(Tensor::from_data(rows, device));
        outputs.extend(read(output)?);
    }
    Ok(Matrix::new(outputs, width))
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
        let losses = Tensor::cat(core::mem::take(&mut self.pending), 0);
        let losses = losses.try_into_vec_as::<f64>().context(FAILED)?;
        for (loss, size) in losses.into_iter().zip(self.sizes.drain(..)) {
            self.sum += loss * size as f64;
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
    tensor.try_into_vec_as::<f32>().context(FAILED)
}

const FAILED: &str = "the device failed";
