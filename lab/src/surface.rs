//! `lab surface`: optimizers on their way down.

use crate::choice::{Choice, Choices};
use crate::draw::{Panel, Panels, Relief, Trail};
use crate::findings::Findings;
use crate::numbers::short;
use crate::progress::bar;
use crate::report::{Axis, Chart, Line, Part, Picture, Report, Section, Table};
use crate::surfaces::{SURFACES, Surface, find};
use crate::tune::{Walked, rates, tune};
use anyhow::{Result, ensure};
use burn::tensor::Device;
use burn_descent::rules::check_lr;
use burn_descent_examples::backend::Backend;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// More walks than this are drawn beside one another, each by itself.
const TOGETHER: usize = 10;

/// Who walks where.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The functions to walk on [default: all]: bowl, rosenbrock, beale, himmelblau, rastrigin,
    /// saddle
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = find)]
    pub functions: Vec<&'static Surface>,

    /// The optimizers, each with options if need be; `all` are all that there are
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

    /// The steps of each walk [default: as many as tell optimizers apart on the function]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub steps: Option<u32>,

    /// The backend, one of those this program was built with [default: the first of them]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<Backend>,
}

/// What came of the walks on a surface.
#[derive(Clone, Debug)]
pub struct Tour {
    /// Where.
    pub surface: &'static Surface,
    /// How many steps each had.
    pub steps: u32,
    /// The walks.
    pub walks: Vec<Walked>,
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
        Report { title: "Optimizers on their way down".into(), command: String::new(), sections };
    let results = tours.iter().map(|tour| tour.json(args.lr)).collect::<Vec<_>>();
    Ok(Findings { report, results: json!({ "rates": rates, "functions": results }) })
}

/// Every optimizer on every surface, with the best of the rates.
///
/// # Errors
/// If a rate is not allowed, or the device fails.
pub fn tours(
    surfaces: &[&'static Surface],
    choices: &[Choice],
    rates: &[f64],
    steps: Option<u32>,
    device: &Device,
) -> Result<Vec<Tour>> {
    let steps = |surface: &Surface| steps.unwrap_or(surface.steps);
    let bar = bar(surfaces.iter().map(|surface| u64::from(steps(surface))).sum(), "walking");
    let tours = surfaces.iter().map(|&surface| {
        bar.set_message(surface.name);
        let steps = steps(surface);
        let walks = tune(surface, choices, rates, steps, device, || bar.inc(1))?;
        Ok(Tour { surface, steps, walks })
    });
    let tours = tours.collect();
    bar.finish_and_clear();
    tours
}

/// Surfaces from above, small enough to stand beside one another.
///
/// # Errors
/// If the device fails.
pub fn reliefs(surfaces: &[&'static Surface], device: &Device) -> Result<Vec<Relief>> {
    let relief = |surface: &&'static Surface| Relief::new(surface, [230.0, 200.0], 36, device);
    surfaces.iter().map(relief).collect()
}

impl Tour {
    fn json(&self, lr: Option<f64>) -> Value {
        let Self { surface, steps, walks } = self;
        let walks = walks.iter().map(|walked| {
            json!({
                "optimizer": walked.choice.to_string(),
                "lr": walked.lr,
                "tuned": lr.is_none(),
                "diverged": walked.path.diverged,
                "points": walked.path.points,
                "values": walked.path.values,
            })
        });
        json!({
            "name": surface.name,
            "formula": surface.formula,
            "start": surface.start,
            "minima": surface.minima,
            "least": surface.least,
            "steps": steps,
            "walks": walks.collect::<Vec<_>>(),
        })
    }
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

/// The picture of a function: all walks in one, or each by itself where they are many.
fn together(tour: &Tour, device: &Device) -> Result<String> {
    let Tour { surface, steps, walks } = tour;
    let alone = walks.len() > TOGETHER;
    let (size, cells) = if alone { ([180.0, 156.0], 40) } else { ([560.0, 480.0], 90) };
    let relief = Relief::new(surface, size, cells, device)?;
    let trails = walks.iter().enumerate().map(|(color, walked)| {
        let color = if alone { 1 } else { color };
        (walked, Trail { points: &walked.path.points, color })
    });
    let panels: Vec<Panel> = if alone {
        let panel = |(walked, trail): (&Walked, _)| Panel {
            title: walked.choice.to_string(),
            note: note(surface, walked),
            relief: &relief,
            trails: vec![trail],
        };
        trails.map(panel).collect()
    } else {
        let trails = trails.map(|(_, trail)| trail).collect();
        vec![Panel { title: String::new(), note: String::new(), relief: &relief, trails }]
    };
    let legend = walks.iter().map(|walked| [walked.choice.to_string(), note(surface, walked)]);
    Ok(Panels {
        title: surface.title.into(),
        subtitle: format!("{},  {steps} steps", surface.formula),
        columns: if alone { 4 } else { 1 },
        panels,
        axes: !alone,
        legend: if alone { Vec::new() } else { legend.collect() },
    }
    .svg())
}

/// An optimizer on all functions.
fn of_an_optimizer(choice: &Choice, index: usize, tours: &[Tour], reliefs: &[Relief]) -> Section {
    let paper = choice.row.paper;
    Section {
        title: choice.to_string(),
        text: format!("{}: {}, {}", choice.row.title, paper.cite, paper.url),
        parts: vec![Part::Picture(Picture {
            name: choice.file_name(),
            title: format!("Paths of {choice} on {} functions", tours.len()),
            svg: portrait(choice, index, tours, reliefs),
        })],
    }
}

/// The picture of an optimizer, whose place among the walks of each tour is `index`.
pub fn portrait(choice: &Choice, index: usize, tours: &[Tour], reliefs: &[Relief]) -> String {
    let panels = tours.iter().zip(reliefs).filter_map(|(tour, relief)| {
        let walked = tour.walks.get(index)?;
        Some(Panel {
            title: tour.surface.title.into(),
            note: note(tour.surface, walked),
            relief,
            trails: vec![Trail { points: &walked.path.points, color: 1 }],
        })
    });
    Panels {
        title: choice.row.title.into(),
        subtitle: format!("{choice} · {}", choice.row.paper.cite),
        columns: 3,
        panels: panels.collect(),
        axes: false,
        legend: Vec::new(),
    }
    .svg()
}

/// The learning rate of a walk, and what came of it.
fn note(surface: &Surface, walked: &Walked) -> String {
    let end = if walked.path.diverged {
        "diverges".into()
    } else {
        format!("Δf {}", short(walked.path.end() - surface.least))
    };
    format!("lr {}, {end}", short(walked.lr))
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
