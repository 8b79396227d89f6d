//! A run, from flags to report.

use crate::args::{Common, Flags};
use crate::backend::Backend;
use crate::data::Dataset;
use crate::explain::explain;
use crate::find_lr::find_lr;
use crate::help::one_line;
use crate::model::Network;
use crate::next::next;
use crate::position::Position;
use crate::predict::predict;
use crate::recipe::Recipe;
use crate::report::{self, Progress, say, tell};
use crate::save::{self, Save};
use crate::task::Task;
use crate::train::{Classroom, Learner, Plan};
use crate::{log, output, plot};
use anyhow::{Result, bail, ensure};
use burn::tensor::Device;
use burn_descent::registry::Method;
use std::path::Path;
use std::process::ExitCode;

/// What is wrong with input or flags, in one line on stderr, ends a program with this status.
const BAD_INPUT: u8 = 2;

/// The program of a task.
pub fn main(task: Task) -> ExitCode {
    exit(Flags::parse_for(task), |flags| run(task, flags))
}

/// Runs a program with its flags. What is wrong with them is said in one line.
pub fn exit<F>(flags: Result<F, clap::Error>, run: impl FnOnce(&F) -> Result<()>) -> ExitCode {
    let flags = match flags {
        Ok(flags) => flags,
        Err(text) if !text.use_stderr() => {
            let _ = text.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&one_line(&error)),
    };
    match (run(&flags), report::unsaid()) {
        (Err(error), _) => refuse(&format!("{error:#}")),
        (Ok(()), Some(error)) => refuse(&format!("the standard output cannot be written: {error}")),
        (Ok(()), None) => ExitCode::SUCCESS,
    }
}

fn refuse(error: &str) -> ExitCode {
    let line: Vec<&str> = error.split_whitespace().collect();
    eprintln!("error: {}", line.join(" "));
    ExitCode::from(BAD_INPUT)
}

fn run(task: Task, flags: &Flags) -> Result<()> {
    if let Some(name) = &flags.explain {
        tell(explain(&flags.common, name.as_deref())?);
        return Ok(());
    }
    if let Some(rows) = &flags.predict {
        return predict(task, flags, rows);
    }
    // What can be wrong is looked at before anything takes time.
    let saved = flags.resume.as_deref().map(Save::open).transpose()?;
    let before = saved.as_ref().map(|saved| &saved.position);
    let recipe = Recipe::new(task, &flags.common, before.map(|before| &before.recipe))?;
    output::check_distinct(&[
        ("--save", flags.save.as_deref()),
        ("--log", flags.log.as_deref()),
        ("--plot", flags.plot.as_deref()),
    ])?;
    flags.plot.as_deref().map(plot::check).transpose()?;
    flags.save.as_deref().map(save::check).transpose()?;
    flags.log.as_deref().map(log::check).transpose()?;
    let Prepared { backend, device, data, model } =
        prepare(&flags.common, &recipe, before.map(|before| before.data))?;
    if let (true, Ok(Method::Search(row))) = (flags.find_lr, Method::find(&recipe.optimizer)) {
        bail!("--find-lr: {} finds the lengths of its steps itself", row.name);
    }
    let mut position = Position::new(flags, recipe, data.checksum(), before)?;
    let mut descent = position.walk(&model, data.train.inputs.len())?;
    if flags.print_plan {
        tell(descent.plan());
        return Ok(());
    }
    let model = match saved {
        Some(saved) => saved.restore(&position, &mut descent, &model)?,
        None => model,
    };
    let mut learner = Learner { model, descent, flush: position.around.flush, log: None };
    let classroom = Classroom::new(data, &device);
    let plan = position.recipe.plan(classroom.len());
    if flags.find_lr {
        let optimizer = &position.recipe.optimizer;
        return find_lr(flags, optimizer, backend, &learner, &classroom, &plan);
    }

    if flags.resume.is_some() && flags.save.is_none() {
        tell("nothing of this training is kept: --save FILE.bpk would keep it");
    }
    let done = position.history.len();
    let log = flags.log.as_deref().map(|path| log::open(path, flags.resume.is_some()));
    learner.log = log.transpose()?;
    train(&mut learner, &mut position, &classroom, &plan, flags.save.as_deref())?;
    if let Some(path) = &flags.plot {
        plot::epochs(path, &report::title(&position), &position.history)?;
    }
    let loss = position.history.last().map_or(f64::NAN, |epoch| epoch.test_loss);
    let detail = learner.detail(&classroom, loss)?;
    let target = &classroom.encoder().target;
    tell(report::summary(&position, backend, classroom.len(), done, (target, &detail)));
    detail.tell_table();
    if std::env::args_os().len() == 1 {
        tell(next(task));
    }
    if flags.json {
        say(report::json(&position, backend, &detail));
    }
    Ok(())
}

/// What training begins with, on the device.
pub(crate) struct Prepared {
    pub(crate) backend: Backend,
    pub(crate) device: Device,
    pub(crate) data: Dataset,
    pub(crate) model: Network,
}

/// Opens the device, loads the data, and makes the network that fits it. `saved` is the checksum of
/// the data of a save that is to go on.
pub(crate) fn prepare(flags: &Common, recipe: &Recipe, saved: Option<u32>) -> Result<Prepared> {
    let (backend, device) = flags.machine.open()?;
    let data = recipe.source.load(recipe.task, recipe.seed)?;
    ensure!(
        saved.is_none_or(|saved| saved == data.checksum()),
        "the data is not that of the save: it was made with other rows or columns"
    );
    data.notes.iter().for_each(tell);
    let model = recipe.network(data.widths(), &device)?;
    Ok(Prepared { backend, device, data, model })
}

/// Trains from a position to its end, and saves after each epoch.
fn train(
    learner: &mut Learner,
    position: &mut Position,
    classroom: &Classroom,
    plan: &Plan,
    save: Option<&Path>,
) -> Result<()> {
    let (examples, done) = (classroom.len(), position.done());
    let batches = examples.div_ceil(plan.batch_size);
    let progress = Progress::new(plan.task, done, position.epochs, examples);
    let keep = |learner: &Learner, position: &Position| {
        save.map_or(Ok(()), |path| save::write(path, learner, position, classroom.encoder()))
    };
    if done == position.epochs {
        keep(learner, position)?;
    }
    for number in done + 1..=position.epochs {
        let before = (number - done - 1) * examples as u64;
        let watch = |seen: usize, loss, lr| progress.step(before + seen as u64, loss, lr);
        let epoch = learner.epoch(classroom, plan, number, watch)?;
        progress.epoch(number, &epoch);
        position.advance(epoch, batches, learner.descent.steps());
        keep(learner, position)?;
    }
    Ok(())
}
