//! `lab stopwatch`: where the seconds of a training go, with burn's optimizer and with ours.

use crate::findings::Findings;
use crate::made::Made;
use crate::numbers::short;
use crate::progress;
use crate::report::{Part, Report, Section, Table};
use crate::training::Bench;
use anyhow::{Context, Result, ensure};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};
use burn_descent::{Adam, Build, Descent};
use burn_descent_examples::args::{Common, Data};
use burn_descent_examples::backend::Backend;
use burn_descent_examples::model::Network;
use burn_descent_examples::recipe::{BatchSize, Hidden, Recipe};
use burn_descent_examples::task::Task;
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, Instant};

/// Which training.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Where to train [default: the first backend in this program]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<Backend>,

    /// How many epochs
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub epochs: u64,

    /// Examples in a batch
    #[arg(long, value_name = "all|N", default_value = "64")]
    pub batch_size: BatchSize,

    /// The widths of the hidden layers; `none` makes a linear model
    #[arg(long, value_name = "N,...", default_value = "128,64")]
    pub hidden: Hidden,

    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// What to learn from.
    #[command(flatten)]
    pub data: Data,
}

/// Seconds of a training, by what took them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// From a batch to its loss.
    pub forward: f64,
    /// From the loss to the gradients.
    pub backward: f64,
    /// From the gradients to the new weights.
    pub step: f64,
    /// The mean loss of the last epoch.
    pub loss: f64,
}

impl Seconds {
    /// All of them.
    pub fn all(&self) -> f64 {
        self.forward + self.backward + self.step
    }
}

/// A step by one optimizer.
type Step = Box<dyn FnMut(Network, Gradients) -> Result<Network>>;

/// Trains the classifier by Adam: burn-optim's, ours in burn's `ModuleOptimizer`, ours in `Descent`,
/// an epoch of each in turn.
///
/// # Errors
/// If the data cannot be read, there is no device, or it fails.
pub fn run(args: &Args) -> Result<Findings> {
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("--threads")?;
    }
    let recipe = recipe(args)?;
    let backend = args.backend.map_or_else(Backend::first, Ok)?;
    let device = backend.open()?;
    let bench = Bench::new(recipe.source.load(recipe.task, recipe.seed)?, &device);
    let plan = recipe.plan(bench.classroom().len());
    let steps_an_epoch = recipe.batch_size.batches(bench.classroom().len());
    let model = bench.learner(&recipe, args.epochs)?.model;

    let steps = steps(&model, plan.lr)?;
    let mut runs: Vec<_> = steps
        .into_iter()
        .map(|(name, step)| {
            (name, step, model.clone(), bench.classroom().endless(&plan), Seconds::default())
        })
        .collect();
    let bar = progress::bar(args.epochs, "stopwatch");
    for _ in 0..args.epochs {
        for (_, step, model, batches, seconds) in &mut runs {
            let mut losses = Vec::with_capacity(steps_an_epoch);
            for batch in batches.take(steps_an_epoch) {
                let (loss, forward) = time(&device, || Ok(plan.loss(model, &batch)))?;
                let (gradients, backward) = time(&device, || Ok(loss.backward()))?;
                losses.push(loss.inner());
                let before = core::mem::take(model);
                let (after, step) = time(&device, || step(before, gradients))?;
                *model = after;
                seconds.forward += forward.as_secs_f64();
                seconds.backward += backward.as_secs_f64();
                seconds.step += step.as_secs_f64();
            }
            seconds.loss = mean(losses)?;
            ensure!(seconds.loss.is_finite(), "the training diverges");
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let found: Vec<(&str, Seconds)> =
        runs.iter().map(|(name, .., seconds)| (*name, *seconds)).collect();
    Ok(Findings {
        report: report(args, backend, steps_an_epoch as u64 * args.epochs, &found),
        results: json!({
            "backend": backend.name,
            "epochs": args.epochs,
            "runs": found.iter().map(|(name, seconds)| json!({ "optimizer": name, "seconds": seconds })).collect::<Vec<_>>(),
        }),
    })
}

fn recipe(args: &Args) -> Result<Recipe> {
    let common = Common {
        data: args.data.clone(),
        optimizer: Some("adam".parse()?),
        batch_size: Some(args.batch_size),
        hidden: Some(args.hidden.clone()),
        ..Common::default()
    };
    Recipe::new(Task::Classification, &common, None)
}

/// Adam with one set of options, as three optimizers.
fn steps(model: &Network, lr: f64) -> Result<[(&'static str, Step); 3]> {
    let through = |mut optimizer: ModuleOptimizer| -> Step {
        Box::new(move |model, gradients| {
            let gradients = GradientsParams::from_grads(gradients, &model);
            Ok(optimizer.step(lr, model, gradients))
        })
    };
    let mut descent = Descent::builder(Adam::new().build()?).lr(lr).build(model)?;
    Ok([
        ("burn-optim's Adam", through(AdamConfig::new().with_epsilon(1e-8).init())),
        ("ours in ModuleOptimizer", through(Adam::new().build()?.into())),
        (
            "ours in Descent",
            Box::new(move |model, gradients| {
                let stepped = descent.step(model, gradients);
                Ok(stepped.map_err(burn_descent::DescentError::from)?.0)
            }),
        ),
    ])
}

/// Does some work, and waits for the device to have done it.
fn time<T>(device: &Device, work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let begin = Instant::now();
    let done = work()?;
    device.sync().context("the device failed")?;
    Ok((done, begin.elapsed()))
}

fn mean(losses: Vec<Tensor<1>>) -> Result<f64> {
    let losses: Vec<f32> = Tensor::cat(losses, 0).try_into_vec_as().context("the device failed")?;
    Ok(losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64)
}

fn report(args: &Args, backend: Backend, steps: u64, found: &[(&str, Seconds)]) -> Report {
    let columns = ["optimizer", "seconds", "forward", "backward", "step", "µs a step", "last loss"];
    let row = |(name, seconds): &(&str, Seconds)| {
        let share = |part: f64| format!("{} ({:.0} %)", short(part), 100.0 * part / seconds.all());
        vec![
            (*name).to_owned(),
            short(seconds.all()),
            share(seconds.forward),
            share(seconds.backward),
            share(seconds.step),
            short(1e6 * seconds.step / steps as f64),
            format!("{:.4}", seconds.loss),
        ]
    };
    Report {
        title: "Where the seconds go".into(),
        made: Made::default(),
        sections: vec![Section {
            title: "Adam three times".into(),
            text: format!(
                "The classifier for {} epochs of {} steps on {}, an epoch of each in turn, from the \
                 same first weights over the same batches.",
                args.epochs,
                steps / args.epochs,
                backend.name,
            ),
            parts: vec![Part::Table(Table {
                columns: columns.map(String::from).into(),
                rows: found.iter().map(row).collect(),
            })],
        }],
    }
}
