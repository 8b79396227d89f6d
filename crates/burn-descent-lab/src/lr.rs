//! `lab lr`: which learning rate? The range tests of optimizers over one another.

use crate::choice::{Choice, Choices};
use crate::findings::Findings;
use crate::made::Made;
use crate::numbers::short;
use crate::progress::bar;
use crate::report::{Axis, Chart, Line, Part, Report, Section, Table};
use crate::training::Bench;
use anyhow::{Context, Result};
use burn_descent::{RangeCurve, RangePoint, RangeTest};
use burn_descent_examples::args::{Common, Data, Machine};
use burn_descent_examples::recipe::{BatchSize, Hidden, Recipe};
use burn_descent_examples::task::Task;
use serde_json::{Value, json};

/// Which optimizers, on what.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The optimizers, from the list below, each with options if wanted
    #[arg(
        long,
        value_name = "all|NAME[:OPTION=VALUE],...",
        default_value = "sgd,nesterov,adagrad,rmsprop,adam,lion"
    )]
    pub optimizers: Choices,

    /// The learning rate of the first step
    #[arg(long, value_name = "LR", default_value_t = 1e-6, allow_negative_numbers = true)]
    pub from: f64,

    /// The learning rate of the last step, if the loss has not diverged before
    #[arg(long, value_name = "LR", default_value_t = RangeTest::new().max_lr, allow_negative_numbers = true)]
    pub to: f64,

    /// How many steps there are between them
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub steps: u64,

    /// What to train: classifier or regression
    #[arg(long, value_name = "TASK", default_value = "classifier")]
    pub task: Task,

    /// Examples in a batch
    #[arg(long, value_name = "all|N", default_value = "128")]
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

    /// Who computes.
    #[command(flatten)]
    pub machine: Machine,
}

/// Runs the range test of each optimizer, all from the same weights and over the same batches.
///
/// # Errors
/// If an option is not allowed, the data cannot be read, or a step is refused.
pub fn run(args: &Args) -> Result<Findings> {
    let test = RangeTest::new().min_lr(args.from).max_lr(args.to).steps(args.steps);
    let choices = &args.optimizers.0;
    let recipes = choices.iter().map(|choice| recipe(args, choice));
    let recipes = recipes.collect::<Result<Vec<_>>>()?;
    let first = recipes.first().context("there is no optimizer")?;
    let (backend, device) = args.machine.open()?;
    let bench = Bench::new(first.source.load(args.task, args.seed)?, &device);
    let progress = bar(choices.len() as u64, "range tests");
    let curves = recipes.iter().zip(choices).map(|(recipe, choice)| {
        progress.set_message(choice.to_string());
        let plan = recipe.plan(bench.classroom().len());
        let learner = bench.learner(recipe, 1)?;
        let batches = bench.classroom().endless(&plan);
        let loss = |model: &_, batch: &_| plan.loss(model, batch);
        let curve = test.run(&learner.descent, &learner.model, batches, loss)?;
        progress.inc(1);
        Ok(curve)
    });
    let curves: Vec<RangeCurve> = curves.collect::<Result<_>>()?;
    progress.finish_and_clear();
    let text = format!(
        "{} on {}: {} steps, each with a greater learning rate than the one before, from the same \
         weights and over the same batches of {}; the losses are smoothed. A rate to begin with is \
         one where the loss falls fastest, or a tenth of where it is least.",
        args.task.program(),
        first.source.name(),
        args.steps,
        first.batch_size.of(bench.classroom().len()),
    );
    let section = Section {
        title: "Loss against the learning rate".into(),
        text,
        parts: vec![Part::Chart(chart(choices, &curves)), Part::Table(table(choices, &curves))],
    };
    let report = Report {
        title: "Which learning rate?".into(),
        made: Made::default(),
        sections: vec![section],
    };
    let tests: Vec<Value> = choices.iter().zip(&curves).map(|(c, curve)| json(c, curve)).collect();
    let results = json!({ "task": args.task.program(), "backend": backend.name, "tests": tests });
    Ok(Findings { report, results })
}

fn recipe(args: &Args, choice: &Choice) -> Result<Recipe> {
    let common = Common {
        data: args.data.clone(),
        optimizer: Some(choice.to_string().parse()?),
        batch_size: Some(args.batch_size),
        hidden: Some(args.hidden.clone()),
        seed: Some(args.seed),
        ..Common::default()
    };
    Recipe::new(args.task, &common, None)
}

/// What counts is the way down: a line ends where it is as far above the first loss as the best of
/// all falls below it.
fn chart(choices: &[Choice], curves: &[RangeCurve]) -> Chart {
    let losses = curves.iter().flat_map(|curve| &curve.points).map(|point| point.smoothed);
    let least = losses.fold(f64::INFINITY, f64::min);
    let line = |(choice, curve): (&Choice, &RangeCurve)| {
        let top = settled(curve).first().map_or(0.0, |first| 2.0 * first.smoothed - least);
        let shown = curve.points.iter().take_while(|point| point.smoothed <= top);
        let points = shown.map(|point| [Some(point.lr), Some(point.smoothed)]);
        Line::new(choice.to_string(), points.collect())
    };
    Chart {
        name: "learning-rates".into(),
        title: "Loss against the learning rate".into(),
        x: Axis { name: "learning rate".into(), logarithmic: true },
        y: Axis { name: "loss, smoothed".into(), logarithmic: false },
        lines: choices.iter().zip(curves).map(line).collect(),
    }
}

fn table(choices: &[Choice], curves: &[RangeCurve]) -> Table {
    let columns = ["optimizer", "falls fastest", "least / 10", "registry", "the loss"];
    let rate = |lr: Option<f64>| lr.map_or("none".into(), short);
    let row = |(choice, curve): (&Choice, &RangeCurve)| {
        vec![
            choice.to_string(),
            rate(curve.suggestion()),
            rate(curve.minimum_over_ten()),
            short(choice.method.lr()),
            course(curve),
        ]
    };
    Table {
        columns: columns.map(String::from).to_vec(),
        rows: choices.iter().zip(curves).map(row).collect(),
    }
}

/// The points whose average is of more than a few losses.
fn settled(curve: &RangeCurve) -> &[RangePoint] {
    &curve.points[curve.points.len() / 10..]
}

/// The share of its fall that a loss may lose again and still be at its least.
const AT_ITS_LEAST: f64 = 0.1;

/// How the smoothed loss goes, as the chart shows it.
fn course(curve: &RangeCurve) -> String {
    let points = settled(curve);
    let least = points.iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed));
    let (Some(first), Some(least), Some(last)) = (points.first(), least, points.last()) else {
        return "is not finite from the first step on".into();
    };
    let fall = first.smoothed - least.smoothed;
    let lost = last.smoothed - least.smoothed;
    let way = if fall > 0.0 {
        let fell = [first.smoothed, least.smoothed].map(short).join(" to ");
        format!("falls from {fell} at {}", short(least.lr))
    } else {
        format!("never falls below {}", short(first.smoothed))
    };
    let (end, at) = (short(last.smoothed), short(last.lr));
    if curve.diverged {
        format!("{way}, diverges after {at}")
    } else if fall > 0.0 && lost <= AT_ITS_LEAST * fall {
        format!("{way}, stays there up to {at}: a greater --to may find more")
    } else {
        format!("{way}, ends at {end} at {at}: too great, though it does not diverge")
    }
}

fn json(choice: &Choice, curve: &RangeCurve) -> Value {
    json!({
        "optimizer": choice.to_string(),
        "suggestion": curve.suggestion(),
        "minimum_over_ten": curve.minimum_over_ten(),
        "diverged": curve.diverged,
        "points": curve.points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(smoothed: &[f64], diverged: bool) -> RangeCurve {
        let point = |(power, smoothed): (i32, &f64)| RangePoint {
            lr: 10_f64.powi(power),
            loss: *smoothed,
            smoothed: *smoothed,
        };
        RangeCurve { points: (-3..).zip(smoothed).map(point).collect(), diverged }
    }

    #[test]
    fn the_table_says_what_the_chart_shows() {
        for (smoothed, diverged, expected) in [
            (
                &[2.3, 1.0, 0.4, 0.41][..],
                false,
                "falls from 2.3 to 0.4 at 0.1, stays there up to 1",
            ),
            (
                &[2.3, 0.5, 2.3, 2.3],
                false,
                "falls from 2.3 to 0.5 at 0.01, ends at 2.3 at 1: too great",
            ),
            (&[2.3, 0.5, 9.0], true, "falls from 2.3 to 0.5 at 0.01, diverges after 0.1"),
            (&[2.3, 2.4, 2.5], false, "never falls below 2.3, ends at 2.5 at 0.1: too great"),
            (&[2.3, 90.0], true, "never falls below 2.3, diverges after 0.01"),
            (&[], true, "is not finite from the first step on"),
        ] {
            let found = course(&curve(smoothed, diverged));
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
