//! The training of `classifier` on several devices at once, here or on other hosts.
//!
//! burn-train is the engine: its strategies give each device a copy of the network and a share of
//! every batch. The optimizers are those of all programs.

mod flags;
mod place;
mod replica;
mod server;

pub use flags::Strategy;
pub use place::{Place, Places};
pub use server::Servers;

use crate::backend::Backend;
use crate::data::{Dataset, OnDevice};
use crate::learner::lines::Lines;
use crate::learner::loader::Loader;
use crate::learner::{Diverged, failed};
use crate::model::Network;
use crate::program::exit;
use crate::quietly::quietly;
use crate::recipe::{BatchSize, Recipe};
use crate::report::{say, show_score, tell};
use crate::task::{Evaluation, Task};
use crate::train::{EVALUATED_AT_ONCE, evaluate};
use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining};
use burn_descent::LrSchedule;
use flags::Flags;
use replica::Replica;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// The program.
pub fn main() -> ExitCode {
    exit(Flags::parse(), run)
}

fn run(flags: &Flags) -> Result<()> {
    let machine = &flags.common.machine;
    if let Some(address) = flags.serve {
        let (backend, _) = machine.open()?;
        return server::serve(backend, flags.device, address, flags.token.as_deref());
    }
    // What can be wrong is looked at before anything takes time.
    let recipe = Recipe::new(Task::Classification, &flags.common, None)?;
    let (backend, device) = machine.open()?;
    flags.strategy.check(backend)?;
    let data = recipe.source.load(recipe.task, recipe.seed)?;
    data.notes.iter().for_each(tell);
    let training = Training {
        share: share(recipe.batch_size, data.train.inputs.len(), flags.on.len())?,
        epochs: flags.common.epochs.unwrap_or(crate::position::EPOCHS),
        recipe: &recipe,
        data: &data,
        device: &device,
    };
    let places = Places::open(&flags.on, backend, flags.token.as_deref())?;
    let begin = Instant::now();
    let model = training.run(&places.devices, flags.strategy)?;
    let seconds = begin.elapsed().as_secs_f64();
    let Evaluation { loss, score } = evaluate(&model, recipe.task, &data.test, &device)?;
    ensure!(
        loss.is_finite(),
        "the test loss is {loss:?}: the training diverges, try a smaller --lr than {:?}",
        recipe.lr
    );
    let on = flags.on.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    say(format_args!(
        "{} on {on}: test loss {loss:.4}  accuracy {}  {seconds:.2} s",
        recipe.optimizer,
        show_score(score)
    ));
    Ok(())
}

/// A training for several devices.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// The examples.
    pub data: &'a Dataset,
    /// How many epochs.
    pub epochs: u64,
    /// How many examples of a batch each device has: see [`share`].
    pub share: usize,
    /// Where the examples are at first, and the network in the end: a device of this process.
    pub device: &'a Device,
}

/// How many examples of a batch each of some devices has.
///
/// # Errors
/// If they cannot have equally many.
pub fn share(batch_size: BatchSize, examples: usize, devices: usize) -> Result<usize> {
    let part = examples / devices;
    ensure!(part > 0, "{examples} examples are too few for {devices} devices");
    match batch_size {
        BatchSize::All => Ok(part),
        BatchSize::Rows(rows) => {
            let whole = rows.next_multiple_of(devices);
            ensure!(
                rows == whole,
                "--batch-size {rows} cannot be shared equally by {devices} devices: try {whole}"
            );
            Ok((rows / devices).min(part))
        }
    }
}

impl Training<'_> {
    /// Trains, and brings the network back. Each device has an equal part of the examples; those that
    /// are left over are not trained with.
    ///
    /// # Errors
    /// If a device fails or the training diverges.
    pub fn run(&self, devices: &[Device], strategy: Strategy) -> Result<Network> {
        let Self { recipe, data, epochs, share, device } = *self;
        let devices: Vec<Device> = devices.iter().map(|device| device.clone().autodiff()).collect();
        let part = data.train.inputs.len() / devices.len();
        let steps = (part.div_ceil(share) as u64).saturating_mul(epochs);
        let lr = LrSchedule::new(recipe.schedule(steps)?)?;
        let examples = OnDevice::new(&data.train, device).slice(0..part * devices.len());
        let train = Loader::train(examples, share, recipe.seed, 1);
        let test = Loader::test(OnDevice::new(&data.test, device), EVALUATED_AT_ONCE);

        let first = devices.first().context("there is no device to train on")?;
        let network = recipe.network(data.widths(), device)?.fork(first);
        let rule = recipe.rule()?;
        rule.check_alone()?;
        let optimizer = ModuleOptimizer::from(rule);
        let learner = Learner::new(Replica::new(network, devices.len()), optimizer, lr);
        let metrics = tempfile::tempdir().context("a folder for the metrics")?;
        let training = SupervisedTraining::new(metrics.path(), Arc::new(train), Arc::new(test))
            .num_epochs(epochs as usize)
            .metrics((LossMetric::new(), AccuracyMetric::new()))
            .early_stopping(Diverged)
            .with_application_logger(None)
            .renderer(Box::new(Lines::default()))
            .with_training_strategy(strategy.on(devices).into());
        let result = quietly(AssertUnwindSafe(|| training.launch(learner)))
            .map_err(|reason| anyhow!("the training failed: {reason}"))?;
        failed(result.error)?;
        Ok(result.model.into_network().fork(device))
    }
}

impl Strategy {
    /// burn-train's strategy on some devices; one device alone needs none.
    fn on(self, devices: Vec<Device>) -> ExecutionStrategy {
        if let [device] = &devices[..] {
            return ExecutionStrategy::single(device.clone());
        }
        match self.optim() {
            Some(optim) => ExecutionStrategy::multi(devices, optim),
            None => ExecutionStrategy::ddp(devices, flags::sum()),
        }
    }

    /// Finds out whether a backend has what the strategy needs: burn would panic.
    fn check(self, backend: Backend) -> Result<()> {
        ensure!(
            self.optim().is_some() || backend.name == "cuda",
            "--strategy ddp needs collective operations, which burn has for CUDA alone (NCCL), not \
             for `{}`: take main or sharded",
            backend.name
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_shared_equally() {
        assert_eq!(share(BatchSize::Rows(32), 8000, 2).unwrap(), 16);
        assert_eq!(share(BatchSize::All, 8001, 2).unwrap(), 4000);
        assert_eq!(share(BatchSize::Rows(32), 10, 2).unwrap(), 5);
        let error = share(BatchSize::Rows(33), 8000, 2).unwrap_err().to_string();
        assert!(error.contains("try 34"), "{error}");
        assert!(share(BatchSize::All, 1, 2).is_err());
    }
}
