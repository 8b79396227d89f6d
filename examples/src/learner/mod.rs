//! The same training in burn's `Learner`.
//!
//! The optimizer, the schedule, the network and the data are what `classifier` has; the loop, the
//! dashboard, the metrics and the checkpoints are burn's.

mod checked;
mod flags;
mod folder;
pub(crate) mod lines;
pub(crate) mod loader;
mod run;
mod step;

use crate::data::{Dataset, OnDevice};
use crate::detail::Detail;
use crate::model::Network;
use crate::program::{Prepared, exit, prepare};
use crate::quietly::quietly;
use crate::recipe::Recipe;
use crate::report::{say, show_score};
use crate::task::{Evaluation, Task};
use crate::train::{EVALUATED_AT_ONCE, outputs};
use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric, Metric};
use burn::train::{EarlyStoppingStrategy, Learner, SupervisedTraining, TrainingError};
use checked::Checked;
use flags::Flags;
use lines::Lines;
use loader::Loader;
use run::Run;
use std::io::{IsTerminal, stdout};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The program.
pub fn main() -> ExitCode {
    exit(Flags::parse(), learn)
}

fn learn(flags: &Flags) -> Result<()> {
    // What can be wrong is looked at before anything takes time.
    let saved = match (&flags.dir, flags.resume) {
        (Some(folder), Some(epoch)) => {
            let run = Run::open(folder)?;
            folder::check_resume(folder, epoch)?;
            Some(run)
        }
        (Some(folder), None) => folder::check_new(folder).map(|()| None)?,
        (None, _) => None,
    };
    let task = Task::Classification;
    let recipe = Recipe::new(task, &flags.common, saved.as_ref().map(|saved| &saved.recipe))?;
    let Prepared { device, data, model, .. } =
        prepare(&flags.common, &recipe, saved.as_ref().map(|saved| saved.data))?;
    let run = Run::new(flags, saved, recipe, data.checksum())?;
    let lr = run.lr(data.train.inputs.len())?;
    let rule = run.recipe.rule()?;
    rule.check_alone()?;
    let optimizer = ModuleOptimizer::from(rule);
    let learner = Learner::new(model, optimizer, lr);

    let nowhere = tempfile::tempdir().context("a folder for the metrics")?;
    let folder = flags.dir.as_deref().unwrap_or(nowhere.path());
    run.save(folder)?;
    let training = training(flags, &run, &data, &device, folder);
    let result = quietly(AssertUnwindSafe(|| training.launch(learner)))
        .map_err(|reason| anyhow!("the training failed: {reason}"))?;
    failed(result.error)?;
    // The dashboard closes.
    drop(result.renderer);

    let outputs = outputs(&result.model, &data.test.inputs, data.test.targets.width, &device)?;
    let Evaluation { loss, score } = task.evaluate(&outputs, &data.test.targets);
    ensure!(
        loss.is_finite(),
        "the test loss is {loss:?}: the training diverges, try a smaller --lr than {:?}",
        run.recipe.lr
    );
    Detail::new(&data.encoder.target, loss, &outputs, &data.test.targets).tell_table();
    say(format_args!("test loss {loss:.4}  accuracy {}", show_score(score)));
    Ok(())
}

/// The error that ended a training, if one did.
pub(crate) fn failed(error: Option<Arc<TrainingError>>) -> Result<()> {
    error.map_or(Ok(()), |error| bail!("the training failed: {error}"))
}

/// The training as burn knows it.
fn training(
    flags: &Flags,
    run: &Run,
    data: &Dataset,
    device: &Device,
    folder: &Path,
) -> SupervisedTraining<Network> {
    let train = OnDevice::new(&data.train, device);
    let test = OnDevice::new(&data.test, device);
    let (batch_size, seed) = (run.recipe.batch_size.of(train.len()), run.recipe.seed);
    let next = flags.resume.unwrap_or(0) + 1;
    let train = Loader::train(train, batch_size, seed, next);
    let test = Loader::test(test, EVALUATED_AT_ONCE);
    let mut training = SupervisedTraining::new(folder, Arc::new(train), Arc::new(test))
        .num_epochs(run.epochs as usize)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .early_stopping(Diverged)
        .with_application_logger(None)
        .summary();
    if flags.dir.is_some() {
        let [model, optim, scheduler] =
            ["model", "optim", "scheduler"].map(|what| Checked::new(folder, what));
        training = training.with_custom_checkpointers(model, optim, scheduler);
    }
    if let Some(epoch) = flags.resume {
        training = training.checkpoint(epoch as usize);
    }
    if flags.no_dashboard || !stdout().is_terminal() {
        training = training.renderer(Box::new(Lines::default()));
    }
    training
}

/// Stops when the loss is not a number any more.
#[derive(Clone)]
pub(crate) struct Diverged;

impl EarlyStoppingStrategy for Diverged {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let loss = LossMetric::new().name();
        let loss = store.find_metric(&loss, epoch, Aggregate::Mean, &Split::Train);
        loss.is_some_and(|loss| !loss.is_finite())
    }
}
