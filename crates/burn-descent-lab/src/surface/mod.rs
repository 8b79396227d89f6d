//! `lab surface`: optimizers on their way down.

mod pictures;
mod tour;
mod tune;

pub use pictures::{portrait, reliefs};
pub use tour::{Tour, tours};
pub use tune::{Walked, rates, tune};

use crate::choice::{Choice, Choices};
use crate::draw::Relief;
use crate::findings::Findings;
use crate::made::Made;
use crate::numbers::short;
use crate::report::{Axis, Chart, Line, Part, Picture, Report, Section, Table};
use crate::surfaces::{SURFACES, Surface, find};
use anyhow::{Result, ensure};
use burn::tensor::Device;
use burn_descent::rules::check_lr;
use burn_descent_examples::backend::Backend;
use pictures::together;
use serde_json::json;
use std::collections::BTreeSet;

/// Who walks where.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The functions [default: all in the list below]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = find)]
    pub functions: Vec<&'static Surface>,

    /// The optimizers, from the list below, each with options if wanted
    #[arg(
        long,
        value_name = "all|NAME[:OPTION=VALUE],...",
        default_value = "sgd,sgd:momentum=0.9,nesterov,adagrad,rmsprop,adam"
    )]
    pub optimizers: Choices,

    /// One learning rate for all [default: for each optimizer on each function the one that gets
    /// furthest, of 29 from 1e-5 to 100]
    #[arg(long, allow_negative_numbers = true)]
    pub lr: Option<f64>,

    /// The steps of each optimizer [default: enough to tell optimizers apart on the function]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub steps: Option<u32>,

    /// The backend, one of those this program was built with [default: the first of them]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<Backend>,
}

/// Walks, and draws a picture of each function with all optimizers, and of each optimizer with all
/// functions.
///
/// # Errors
/// If an option is not allowed, or the device fails.
pub fn run(args: &Args) -> Result<Findings> {
    let surfaces: Vec<&'static Surface> =
        if args.functions.is_empty() { SURFACES.iter().collect() } else { args.functions.clone() };
    let names: BTreeSet<&str> = surfaces.iter().map(|surface| surface.name).collect();
    ensure!(names.len() == surfaces.len(), "--functions names a function twice");
    let rates = match args.lr {
        Some(lr) => {
            check_lr("surface", lr)?;
            vec![lr]
        }
        None => rates(),
    };
    let device = args.backend.map_or_else(Backend::first, Ok)?.open()?;
    let choices = &args.optimizers.0;
    let tours = tours(&surfaces, choices, &rates, args.steps, &device)?;
    let mut sections = Vec::new();
    for tour in &tours {
        sections.push(on_a_function(tour, args.lr, &device)?);
    }
    let reliefs = reliefs(&surfaces, &device)?;
    for (index, choice) in choices.iter().enumerate() {
        sections.push(of_an_optimizer(choice, index, &tours, &reliefs));
    }
    let report =
        Report { title: "Optimizers on their way down".into(), made: Made::default(), sections };
    let results = tours.iter().map(|tour| tour.json(args.lr)).collect::<Vec<_>>();
    Ok(Findings { report, results: json!({ "rates": rates, "functions": results }) })
}

/// All optimizers on a function.
fn on_a_function(tour: &Tour, lr: Option<f64>, device: &Device) -> Result<Section> {
    let Tour { surface, steps, walks } = tour;
    let how = match lr {
        Some(lr) => format!("All with the learning rate {}", short(lr)),
        None => "Each with the learning rate that gets it furthest".into(),
    };
    Ok(Section {
        title: surface.title.into(),
        text: format!(
            "f(x, y) = {}. {} {how}, {steps} steps from the ring; a dot is a step, a cross a \
             minimum. Δf is how far above the least value it ends.",
            surface.formula, surface.shows
        ),
        parts: vec![
            Part::Picture(Picture {
                name: surface.name.into(),
                title: format!("Paths of optimizers on {}", surface.title),
                svg: together(tour, device)?,
            }),
            Part::Chart(values(surface, walks)),
            Part::Table(table(surface, walks)),
        ],
    })
}

/// An optimizer on all functions.
fn of_an_optimizer(choice: &Choice, index: usize, tours: &[Tour], reliefs: &[Relief]) -> Section {
    let paper = choice.method.paper();
    Section {
        title: choice.to_string(),
        text: format!("{}: {}, {}", choice.method.title(), paper.cite, paper.url()),
        parts: vec![Part::Picture(Picture {
            name: choice.file_name(),
            title: format!("Paths of {choice} on {} functions", tours.len()),
            svg: portrait(choice, index, tours, reliefs),
        })],
    }
}

/// What is below this is shown as this: the numbers have seven digits.
const FLOOR: f64 = 1e-12;

/// How high above the least value each is, step by step.
fn values(surface: &Surface, walks: &[Walked]) -> Chart {
    let line = |walked: &Walked| {
        let points = walked.path.values.iter().enumerate();
        let above = |(step, value): (usize, &f64)| {
            [Some(step as f64), Some((value - surface.least).max(FLOOR))]
        };
        Line::new(walked.choice.to_string(), points.map(above).collect())
    };
    Chart {
        name: format!("{}-values", surface.name),
        title: format!("{}: how far above the minimum", surface.title),
        x: Axis { name: "step".into(), logarithmic: false },
        y: Axis { name: "Δf, at least 1e-12".into(), logarithmic: true },
        lines: walks.iter().map(line).collect(),
    }
}

fn table(surface: &Surface, walks: &[Walked]) -> Table {
    let columns = ["optimizer", "lr", "end", "Δf", "to a minimum", "path"];
    let row = |walked: &Walked| {
        let (path, distance) = (&walked.path, walked.path.distance(surface));
        let left = path.points.iter().position(|point| !surface.has(*point));
        let what = match (path.diverged, left) {
            (true, _) => format!("diverges at step {}", path.points.len()),
            (false, Some(step)) => format!("leaves the picture at step {step}"),
            (false, None) => "stays in the picture".into(),
        };
        let [x, y] = path.points.last().map_or_else(Default::default, |point| point.map(short));
        vec![
            walked.choice.to_string(),
            short(walked.lr),
            format!("({x}, {y})"),
            short(path.end() - surface.least),
            short(distance),
            what,
        ]
    };
    Table { columns: columns.map(String::from).to_vec(), rows: walks.iter().map(row).collect() }
}
