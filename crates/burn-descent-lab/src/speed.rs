//! `lab speed`: what `speed --json` and its peers have measured, as bars.

use crate::draw::{Bar, Bars, Group};
use crate::findings::Findings;
use crate::made::Made;
use crate::report::{Part, Picture, Report, Section, Table};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What was measured.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// What `speed --json` printed, and what tests/peers/torch_speed.py did with `--json`
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// The optimizer to draw
    #[arg(long, value_name = "NAME", default_value = "adamw")]
    pub optimizer: String,

    /// Our backend to draw [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,

    /// The threads to draw [default: the most that were measured]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Our ways to take a step, by what `speed` calls them.
const WAYS: [&str; 5] = ["passes", "nothing", "module", "descent", "clip_norm"];

/// A row of such a file, ours or a peer's.
#[derive(Clone, Debug, Deserialize)]
struct Row {
    list: String,
    optimizer: String,
    backend: String,
    through: String,
    threads: usize,
    ms: f64,
    floor_ms: Option<f64>,
    burn_ms: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    machine: String,
    rows: Vec<Row>,
}

/// How long something took, by the name that its bar has.
type Time = (String, f64);

/// Draws the times of a step, list by list.
///
/// # Errors
/// A file that cannot be read, or that holds nothing of the optimizer.
pub fn run(args: &Args) -> Result<Findings> {
    let mut machine = String::new();
    let mut rows = Vec::new();
    for path in &args.files {
        let file = read(path)?;
        if machine.is_empty() {
            machine = file.machine;
        }
        rows.extend(file.rows);
    }
    let there = kinds(&rows);
    rows.retain(|row| row.optimizer == args.optimizer && row.ms.is_finite() && row.ms >= 0.0);
    let threads = args.threads.or(rows.iter().map(|row| row.threads).max()).unwrap_or(0);
    rows.retain(|row| row.threads == threads);
    // A peer's row knows nothing of our ways to take a step.
    let is_ours = |row: &Row| WAYS.contains(&row.through.as_str());
    let first = rows.iter().find(|row| is_ours(row)).map(|row| row.backend.clone());
    let backend = args.backend.clone().or(first).unwrap_or_default();
    rows.retain(|row| !is_ours(row) || row.backend == backend);
    ensure!(rows.iter().any(is_ours), "these files have no row of that; they have {there}");
    let mut lists: Vec<&str> = Vec::new();
    for row in &rows {
        if !lists.contains(&row.list.as_str()) {
            lists.push(&row.list);
        }
    }
    let times: Vec<(&str, Vec<Time>)> =
        lists.into_iter().map(|list| (list, times(&rows, list))).collect();
    let subtitle = format!("{machine}, {threads} threads; the median of steps taken in turns");
    let bars = Bars {
        title: format!("One step of {}", args.optimizer),
        subtitle: subtitle.trim_start_matches([',', ' ']).into(),
        groups: times.iter().map(|(list, times)| group(list, times)).collect(),
    };
    Ok(Findings { results: results(&times), report: report(&bars, &times) })
}

fn read(path: &Path) -> Result<File> {
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(name)?;
    serde_json::from_str(&text)
        .with_context(|| format!("{}: not what `speed --json` prints", path.display()))
}

/// The optimizers, backends and threads of rows of ours.
fn kinds(rows: &[Row]) -> String {
    let ours = rows.iter().filter(|row| WAYS.contains(&row.through.as_str()));
    let kinds = ours.map(|row| {
        let Row { optimizer, backend, threads, .. } = row;
        format!("`{optimizer}` on `{backend}` with {threads} threads")
    });
    let kinds: BTreeSet<String> = kinds.collect();
    if kinds.is_empty() { "none".into() } else { Vec::from_iter(kinds).join(", ") }
}

/// The floor, ours, the peers', burn-optim's.
fn times(rows: &[Row], list: &str) -> Vec<Time> {
    let rows = || rows.iter().filter(|row| row.list == list);
    let of = |through: &'static str| rows().filter(move |row| row.through == through);
    let least = |times: &mut dyn Iterator<Item = f64>| times.reduce(f64::min);
    let mut found = Vec::new();
    let floor = least(&mut rows().filter_map(|row| row.floor_ms));
    found.extend(floor.map(|ms| ("loop by hand (floor)".to_owned(), ms)));
    for (through, title) in [("descent", "Descent"), ("module", "ModuleOptimizer")] {
        found.extend(of(through).map(|row| (format!("{title}, {}", row.backend), row.ms)));
    }
    for (through, title) in [("fused", "fused"), ("foreach", "foreach")] {
        found.extend(of(through).map(|row| (format!("{} {title}", row.backend), row.ms)));
    }
    found.extend(
        of("descent")
            .filter_map(|row| row.burn_ms.map(|ms| (format!("burn-optim, {}", row.backend), ms))),
    );
    found
}

/// The colours, by what a bar stands for: the floor, ours, all others.
fn color(name: &str) -> usize {
    match name.split([' ', ',']).next() {
        Some("loop") => 7,
        Some("Descent" | "ModuleOptimizer") => 2,
        Some("burn-optim") => 1,
        _ => 0,
    }
}

fn group(list: &str, times: &[Time]) -> Group {
    let floor = times.first().map_or(f64::NAN, |(_, ms)| *ms);
    let bar = |(name, ms): &Time| Bar {
        name: name.clone(),
        value: *ms,
        text: format!("{} · {:.2}×", milliseconds(*ms), ms / floor),
        color: color(name),
    };
    Group { title: list.into(), bars: times.iter().map(bar).collect() }
}

fn milliseconds(ms: f64) -> String {
    if ms >= 1.0 { format!("{ms:.1} ms") } else { format!("{:.0} µs", 1e3 * ms) }
}

fn results(times: &[(&str, Vec<Time>)]) -> Value {
    let list = |(list, times): &(&str, Vec<Time>)| {
        let times = times.iter().map(|(name, ms)| json!({ "name": name, "ms": ms }));
        json!({ "list": list, "times": times.collect::<Vec<_>>() })
    };
    json!({ "lists": times.iter().map(list).collect::<Vec<_>>() })
}

fn report(bars: &Bars, times: &[(&str, Vec<Time>)]) -> Report {
    let rows = times.iter().flat_map(|(list, times)| {
        times.iter().map(|(name, ms)| vec![(*list).to_owned(), name.clone(), milliseconds(*ms)])
    });
    let table =
        Table { columns: ["list", "by", "time"].map(String::from).into(), rows: rows.collect() };
    let picture = Picture { name: "speed".into(), title: bars.title.clone(), svg: bars.svg() };
    Report {
        title: bars.title.clone(),
        made: Made::default(),
        sections: vec![Section {
            title: "Times".into(),
            text: format!("{}. × is of the first bar of each list.", bars.subtitle),
            parts: vec![Part::Picture(picture), Part::Table(table)],
        }],
    }
}
