//! A run, from flags to report.

use crate::args::{Common, Flags, one_line};
use crate::backend::Backend;
use crate::checkpoint::{self, Checkpoint, Position};
use crate::data::Dataset;
use crate::model::Mlp;
use crate::plot;
use crate::recipe::Recipe;
use crate::report::{self, Progress, say};
use crate::task::Task;
use crate::train::{Classroom, Learner, Plan};
use anyhow::{Context, Result, ensure};
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use std::process::ExitCode;

/// Epochs, if nobody says how many.
pub(crate) const EPOCHS: u64 = 20;

/// What is wrong with input or flags, in one line on stderr, ends a program with this status.
const BAD_INPUT: u8 = 2;

/// The program of a task.
pub fn main(task: Task) -> ExitCode {
    exit(Flags::parse_for(task), |flags| run(task, flags))
}

/// Runs a program with its flags. What is wrong with them is said in one line.
pub(crate) fn exit<F>(
    flags: Result<F, clap::Error>,
    run: impl FnOnce(&F) -> Result<()>,
) -> ExitCode {
    let flags = match flags {
        Ok(flags) => flags,
        Err(text) if !text.use_stderr() => {
            let _ = text.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&one_line(&error)),
    };
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{error:#}")),
    }
}

fn refuse(error: &str) -> ExitCode {
    let line: Vec<&str> = error.split_whitespace().collect();
    eprintln!("error: {}", line.join(" "));
    ExitCode::from(BAD_INPUT)
}

fn run(task: Task, flags: &Flags) -> Result<()> {
    // What can be wrong is looked at before anything takes time.
    let saved = flags.resume.as_deref().map(Checkpoint::open).transpose()?;
    let position = saved.as_ref().map(|saved| &saved.position);
    let recipe = Recipe::new(task, &flags.common, position.map(|position| &position.recipe))?;
    let rule = recipe.rule()?;
    flags.plot.as_deref().map(plot::check).transpose()?;
    flags.save.as_deref().map(|folder| checkpoint::check(folder, &recipe)).transpose()?;
    let Prepared { backend, device, data, model } =
        prepare(&flags.common, &recipe, position.map(|position| position.data))?;

    let (mut learner, mut position) = match saved {
        None => {
            let optimizer = ModuleOptimizer::from(rule.clone());
            let position = Position::start(recipe, data.checksum());
            (Learner { model, optimizer, rule }, position)
        }
        Some(saved) => {
            let mut position = saved.position.clone();
            position.recipe = recipe;
            (saved.learner(model, rule)?, position)
        }
    };
    let done = position.history.len();
    let total = flags.common.epochs.unwrap_or(EPOCHS.max(done as u64));
    ensure!(
        total >= done as u64,
        "the save has {done} epochs: --epochs is the total, it cannot be {total}"
    );

    let classroom = Classroom::new(data, &device);
    train(&mut learner, &mut position, &classroom, total)?;

    if let Some(folder) = &flags.save {
        checkpoint::save(folder, &learner, &position)?;
    }
    if let Some(path) = &flags.plot {
        plot::draw(path, &report::title(&position), &position.history)?;
    }
    say(report::table(&position, backend, classroom.len(), done));
    if flags.json {
        say(report::json(&position, backend));
    }
    Ok(())
}

/// What training begins with, on the device.
pub(crate) struct Prepared {
    pub(crate) backend: Backend,
    pub(crate) device: Device,
    pub(crate) data: Dataset,
    pub(crate) model: Mlp,
}

/// Opens the device, loads the data, and makes the network that fits it. `saved` is the checksum of
/// the data of a save that is to go on.
pub(crate) fn prepare(flags: &Common, recipe: &Recipe, saved: Option<u32>) -> Result<Prepared> {
    if let Some(threads) = flags.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("--threads")?;
    }
    let backend = flags.backend.map_or_else(Backend::first, Ok)?;
    let device = backend.open()?;
    let data = recipe.source.load(recipe.task, recipe.seed)?;
    ensure!(
        saved.is_none_or(|saved| saved == data.checksum()),
        "the data is not that of the save: it was made with other rows or columns"
    );
    data.notes.iter().for_each(say);
    let (inputs, outputs) = (data.train.inputs.width, data.train.targets.width);
    let widths = [&[inputs], &recipe.hidden.0[..], &[outputs]].concat();
    let model = Mlp::new(&widths, recipe.seed, &device.clone().autodiff())?;
    Ok(Prepared { backend, device, data, model })
}

/// Trains from a position to a number of epochs in all.
fn train(
    learner: &mut Learner,
    position: &mut Position,
    classroom: &Classroom,
    total: u64,
) -> Result<()> {
    let recipe = &position.recipe;
    let (task, examples) = (recipe.task, classroom.len());
    let batch_size = recipe.batch_size.of(examples);
    let plan = Plan { task, lr: recipe.lr, batch_size, seed: recipe.seed };
    let done = position.history.len() as u64;
    let progress = Progress::new(task, done, total, examples);
    for number in done + 1..=total {
        let before = (number - done - 1) * examples as u64;
        let watch = |seen: usize, loss| progress.step(before + seen as u64, loss);
        let epoch = learner.epoch(classroom, &plan, number, watch)?;
        progress.epoch(number, &epoch);
        position.history.push(epoch);
        position.steps += examples.div_ceil(batch_size) as u64;
    }
    Ok(())
}
