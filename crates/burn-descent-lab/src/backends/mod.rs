//! `lab backends`: the same training on every device, side by side.

mod shown;

use crate::choice::Choice;
use crate::findings::Findings;
use crate::progress;
use crate::training::Bench;
use anyhow::{Context, Result, ensure};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use burn_descent_examples::args::{Common, Data};
use burn_descent_examples::backend::Backend;
use burn_descent_examples::model::Network;
use burn_descent_examples::recipe::{BatchSize, Hidden, Recipe};
use burn_descent_examples::task::Task;
use burn_descent_examples::train::Learner;
use serde::Serialize;
use serde_json::json;
use std::time::Instant;

/// Which training, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The optimizer, with its options: sgd:momentum=0.9
    #[arg(long, value_name = "NAME", default_value = "adam")]
    pub optimizer: Choice,

    /// The backends, the one to compare with first [default: all in this program that find a device]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub backends: Vec<Backend>,

    /// How many steps
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub steps: u64,

    /// The learning rate [default: the optimizer's in the registry]
    #[arg(long, allow_negative_numbers = true)]
    pub lr: Option<f64>,

    /// What to train: classifier or regression
    #[arg(long, value_name = "TASK", default_value = "classifier")]
    pub task: Task,

    /// Examples in a batch
    #[arg(long, value_name = "all|N", default_value = "32")]
    pub batch_size: BatchSize,

    /// The widths of the hidden layers; `none` makes a linear model
    #[arg(long, value_name = "N,...", default_value = "64,64")]
    pub hidden: Hidden,

    /// The seed of all that is random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// What to learn from.
    #[command(flatten)]
    pub data: Data,
}

/// A training on one backend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Track {
    /// Where.
    pub backend: &'static str,
    /// The loss of each step, before it.
    pub losses: Vec<f64>,
    /// The seconds of each step, until its loss was read.
    pub seconds: Vec<f64>,
    /// The greatest difference of a weight from the first backend's, after each step.
    pub differences: Vec<f64>,
}

/// Trains on every device, step by step in turn.
///
/// # Errors
/// If a backend that was asked for is not there, no backend is, or a step fails.
pub fn run(args: &Args) -> Result<Findings> {
    let recipe = recipe(args)?;
    let Backends { present, absent } = Backends::open(&args.backends)?;
    let data = recipe.source.load(recipe.task, recipe.seed)?;
    let benches =
        present.iter().map(|(_, device)| Bench::new(data.clone(), device)).collect::<Vec<_>>();
    let plan = recipe.plan(data.train.inputs.len());
    let mut batches: Vec<_> =
        benches.iter().map(|bench| bench.classroom().endless(&plan)).collect();
    let mut learners =
        benches.iter().map(|bench| bench.learner(&recipe, 1)).collect::<Result<Vec<_>>>()?;
    let mut tracks: Vec<Track> = present.iter().map(|(backend, _)| Track::new(backend)).collect();

    let bar = progress::bar(args.steps, "backends");
    for _ in 0..args.steps {
        let mut first: Option<Vec<f32>> = None;
        for ((track, learner), batches) in tracks.iter_mut().zip(&mut learners).zip(&mut batches) {
            let batch = batches.next().context("there is no example")?;
            let begin = Instant::now();
            let (loss, _) = learner.step(&plan, &batch)?;
            let loss = read(loss)?[0];
            track.seconds.push(begin.elapsed().as_secs_f64());
            track.losses.push(loss.into());
            let weights = weights(learner)?;
            track
                .differences
                .push(difference(first.get_or_insert_with(|| weights.clone()), &weights));
        }
        bar.inc(1);
        if tracks.iter().any(|track| track.diverged()) {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(Findings {
        report: shown::report(args, &tracks, &absent),
        results: json!({ "optimizer": args.optimizer.to_string(), "tracks": tracks, "absent": absent }),
    })
}

fn recipe(args: &Args) -> Result<Recipe> {
    let common = Common {
        data: args.data.clone(),
        optimizer: Some(args.optimizer.to_string().parse()?),
        lr: args.lr,
        batch_size: Some(args.batch_size),
        hidden: Some(args.hidden.clone()),
        seed: Some(args.seed),
        ..Common::default()
    };
    Recipe::new(args.task, &common, None)
}

/// The backends to train on.
#[derive(Default)]
struct Backends {
    /// Those that there are, with their devices.
    present: Vec<(Backend, Device)>,
    /// Why others are not: those that nobody asked for.
    absent: Vec<String>,
}

impl Backends {
    /// Those that are asked for; all that find a device if there are none.
    fn open(asked: &[Backend]) -> Result<Self> {
        let mut backends = Self::default();
        for backend in asked {
            let twice = backends.present.iter().any(|(other, _)| other.name == backend.name);
            ensure!(!twice, "--backends: `{}` is there twice", backend.name);
            backends.present.push((*backend, backend.open()?));
        }
        if asked.is_empty() {
            for backend in Backend::compiled() {
                match backend.open() {
                    Ok(device) => backends.present.push((*backend, device)),
                    Err(reason) => backends.absent.push(format!("{reason:#}")),
                }
            }
            let Self { present, absent } = &backends;
            ensure!(!present.is_empty(), "there is no device: {}", absent.join("; "));
        }
        Ok(backends)
    }
}

impl Track {
    fn new(backend: &Backend) -> Self {
        Self { backend: backend.name, losses: vec![], seconds: vec![], differences: vec![] }
    }

    fn diverged(&self) -> bool {
        self.losses.last().is_some_and(|loss| !loss.is_finite())
    }
}

/// All weights of a network, in the order of its layers.
fn weights(learner: &Learner) -> Result<Vec<f32>> {
    struct Weights(Vec<Result<Vec<f32>>>);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(read(param.val()));
        }
    }
    let mut weights = Weights(Vec::new());
    Network::visit(&learner.model, &mut weights);
    Ok(weights.0.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().context("the device failed")
}

/// The greatest difference; NaN where one is.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    greatest(a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()))
}

/// The greatest of numbers that are not negative; NaN where one is.
fn greatest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |greatest, x| if x > greatest || x.is_nan() { x } else { greatest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_do_not_hide_what_is_not_a_number() {
        assert_eq!(difference(&[1.0, 2.0], &[1.0, 2.5]), 0.5);
        assert!(difference(&[1.0, f32::NAN], &[1.0, 2.5]).is_nan());
        assert!(difference(&[f32::NAN, 1.0], &[1.0, 2.5]).is_nan());
    }
}
