//! `lab schedules`: what the learning rate does.

use crate::findings::Findings;
use crate::made::Made;
use crate::numbers::short;
use crate::report::{Axis, Chart, Line, Part, Report, Section, Table};
use anyhow::Result;
use burn_descent::Schedule;
use burn_descent::schedules::{
    Anneal, Cosine, CosineRestarts, Cyclic, Exponential, Height, InverseSqrt, Linear, MultiStep,
    Noam, OneCycle, Polynomial, ReduceOnPlateau, Rex, StepDecay, WarmupStableDecay,
};
use serde_json::{Value, json};

/// Points of a line.
const POINTS: u64 = 400;

/// How often the reduction on a plateau is told a metric.
const LOOKS: u64 = 100;

/// What is to be drawn.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The steps of a training
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=1_000_000_000))]
    pub steps: u64,
}

/// A schedule of a training of so many steps, whose rate is 1 at its greatest or where it begins.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How it is written, with `n` for the steps.
    pub code: &'static str,
    /// Makes it.
    pub make: fn(u64) -> Box<dyn Schedule>,
}

/// Schedules that are looked at together.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What they are.
    pub title: &'static str,
    /// What is to be seen.
    pub text: &'static str,
    /// The schedules.
    pub rows: &'static [Row],
}

macro_rules! rows {
    (|$n:ident| $($schedule:expr),* $(,)?) => {
        &[$(Row { code: stringify!($schedule), make: |$n| Box::new($schedule) }),*]
    };
}

/// Every schedule of burn-descent.
pub static FAMILIES: [Family; 5] = [
    Family {
        title: "Down to an end",
        text: "The shape decides how long the rate stays high. All reach the end at the last step.",
        rows: rows! { |n|
            Linear::new(1.0, n),
            Cosine::new(1.0, n),
            Cosine::new(1.0, n).exponent(2.0).end(0.1),
            Polynomial::new(1.0, n, 2.0),
            Polynomial::new(1.0, n, 0.5),
            Rex::new(1.0, n),
        },
    },
    Family {
        title: "Down without an end",
        text: "Nothing in them depends on how long the training is.",
        rows: rows! { |n|
            InverseSqrt::new(1.0, n / 10),
            Exponential::new(1.0, 0.5).every(n / 5),
            Exponential::new(1.0, 0.5).every(n / 5).end(0.2),
        },
    },
    Family {
        title: "Down in stairs",
        text: "A drop lets the weights settle in the valley that a high rate has found.",
        rows: rows! { |n|
            StepDecay::new(1.0, n / 4).factor(0.5),
            MultiStep::new(1.0, [n / 2, 3 * n / 4]).factor(0.3),
            Exponential::new(1.0, 0.8).every(n / 10).staircase(true),
        },
    },
    Family {
        title: "Up first",
        text: "A warmup keeps the first steps small, while averages of gradients know little.",
        rows: rows! { |n|
            Cosine::new(1.0, n - n / 10).warmup(n / 10),
            WarmupStableDecay::new(1.0, n / 10, n / 2, n - n / 10 - n / 2),
            OneCycle::new(1.0, n),
            OneCycle::new(1.0, n).rise(0.45).fall(0.9).anneal(Anneal::Linear),
            Noam::new(1, n / 10).scale(((n / 10) as f64).sqrt()),
        },
    },
    Family {
        title: "Again and again",
        text: "A rate that rises again leaves a valley that was not the best. Any two can follow \
               one another or be multiplied.",
        rows: rows! { |n|
            CosineRestarts::new(1.0, n / 7).mult(2),
            Cyclic::new(0.1, 1.0, n / 8),
            Cyclic::new(0.1, 1.0, n / 8).height(Height::Halving),
            1.0.then(n / 2, Linear::new(1.0, n / 2)).times(0.8),
        },
    },
];

/// Draws every schedule.
///
/// # Errors
/// If a schedule of the table is not allowed with so many steps.
pub fn run(args: &Args) -> Result<Findings> {
    let n = args.steps;
    let mut sections = Vec::new();
    let mut results = Vec::new();
    for family in &FAMILIES {
        let lines = family.rows.iter().map(|row| row.line(n)).collect::<Result<Vec<_>>>()?;
        results.extend(lines.iter().map(result));
        sections.push(section(family.title, family.text, lines));
    }
    let lines = plateau(n);
    results.extend(lines.iter().map(result));
    let text = "Not a function of the step: it waits until a metric stops getting better. Here it is \
                told one a hundred times, which falls for the first third of the training, and then stands still.";
    sections.push(section("When it does not get better", text, lines));
    Ok(Findings {
        report: Report {
            title: "Schedules of the learning rate".into(),
            made: Made::default(),
            sections,
        },
        results: json!({ "steps": n, "schedules": results }),
    })
}

impl Row {
    fn line(&self, n: u64) -> Result<Line> {
        let schedule = (self.make)(n);
        schedule.check()?;
        let points = steps(n).map(|step| [Some(step as f64), Some(schedule.at(step))]);
        Ok(Line::new(self.code, points.collect()))
    }
}

/// The reduction on a plateau, and the metric that it looks at.
fn plateau(n: u64) -> Vec<Line> {
    let metric = |step: u64| 0.3 + 0.7 * (1.0 - step as f64 / (n as f64 / 3.0)).max(0.0);
    let mut schedule = ReduceOnPlateau::new(1.0).factor(0.5);
    let looks = (0..=LOOKS).map(|look| look * n / LOOKS);
    let (lr, metrics) = looks
        .map(|step| {
            let x = Some(step as f64);
            ([x, Some(schedule.observe(metric(step)))], [x, Some(metric(step))])
        })
        .unzip();
    vec![Line::new("ReduceOnPlateau::new(1.0).factor(0.5)", lr), Line::new("the metric", metrics)]
}

/// Steps from the first to the one after the last.
fn steps(n: u64) -> impl Iterator<Item = u64> {
    let points = POINTS.min(n);
    (0..=points).map(move |point| (u128::from(point) * u128::from(n) / u128::from(points)) as u64)
}

fn section(title: &str, text: &str, lines: Vec<Line>) -> Section {
    let table = table(&lines);
    let chart = Chart {
        name: title.to_lowercase().replace(' ', "-"),
        title: title.into(),
        x: Axis { name: "step".into(), logarithmic: false },
        y: Axis { name: "learning rate".into(), logarithmic: false },
        lines,
    };
    let parts = vec![Part::Chart(chart), Part::Table(table)];
    Section { title: title.into(), text: text.into(), parts }
}

/// The rate at each quarter of the way.
fn table(lines: &[Line]) -> Table {
    let columns = ["schedule", "start", "1/4", "1/2", "3/4", "end"];
    let row = |line: &Line| {
        let last = line.points.len() - 1;
        let at = |quarter: usize| line.points[quarter * last / 4][1].map_or("none".into(), short);
        core::iter::once(line.name.clone()).chain((0..=4).map(at)).collect()
    };
    Table { columns: columns.map(String::from).to_vec(), rows: lines.iter().map(row).collect() }
}

fn result(line: &Line) -> Value {
    json!({ "name": line.name, "points": line.points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn any_number_of_steps_can_be_drawn() {
        for steps in [10, 11, 400, 1_000_000_000] {
            let findings = run(&Args { steps }).unwrap();
            assert_eq!(findings.report.sections.len(), FAMILIES.len() + 1);
        }
        let rows = || FAMILIES.iter().flat_map(|family| family.rows);
        let greatest = |row: &Row| {
            let schedule = (row.make)(1000);
            (0..=1000).map(|step| schedule.at(step)).fold(0.0, f64::max)
        };
        assert!(rows().all(|row| greatest(row) <= 1.0 + 1e-9));
    }

    #[test]
    fn every_schedule_is_drawn() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = folder.join("../burn-descent-rules/src/schedules");
        let sources = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let sources: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
        let implementations = sources.lines().filter_map(|line| line.split_once("Schedule for "));
        let names = implementations
            .map(|(_, name)| name.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned());
        let code: String =
            FAMILIES.iter().flat_map(|family| family.rows).map(|row| row.code).collect();
        for name in names.filter(|name| name != "f64" && name != "Box") {
            // What combines two is called as a method.
            let (new, method) = (format!("{name}::new"), format!(".{}(", name.to_lowercase()));
            assert!(code.contains(&new) || code.contains(&method), "{name}");
        }
    }
}
