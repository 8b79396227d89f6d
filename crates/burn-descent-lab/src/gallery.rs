//! `lab gallery`: the pictures of the documentation.

use crate::choice::{Choice, Choices};
use crate::findings::Findings;
use crate::made::Made;
use crate::numbers::short;
use crate::report::{Part, Report, Section, Table};
use crate::surface::{Tour, portrait, rates, reliefs, tours};
use crate::surfaces::{SURFACES, Surface};
use anyhow::{Result, ensure};
use burn_descent::registry::ROWS;
use burn_descent_examples::backend::Backend;
use burn_descent_examples::output::{check_writable, write_file};
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// Where it goes.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The folder of the documentation: gallery.md is written there, and a picture of each optimizer
    /// below gallery/
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// The optimizers to draw anew
    #[arg(long, value_name = "all|NAME,...", default_value = "all")]
    pub optimizers: Choices,
}

/// Draws optimizers on all functions, each with the learning rate that gets it furthest.
///
/// # Errors
/// If the device fails, or a file cannot be written.
pub fn run(args: &Args) -> Result<Findings> {
    let page = args.folder.join("gallery.md");
    check_writable(&page)?;
    ensure!(
        !page.exists() || fs::read_to_string(&page)?.starts_with(TITLE),
        "{}: it is there, and no gallery of the lab; take another folder",
        page.display()
    );
    let device = Backend::first()?.open()?;
    let surfaces: Vec<&'static Surface> = SURFACES.iter().collect();
    let choices = &args.optimizers.0;
    let tours = tours(&surfaces, choices, &rates(), None, &device)?;
    let reliefs = reliefs(&surfaces, &device)?;
    for (index, choice) in choices.iter().enumerate() {
        let svg = portrait(choice, index, &tours, &reliefs);
        let path = args.folder.join("gallery").join(choice.file_name() + ".svg");
        write_file(&path, |draft| Ok(fs::write(draft, &svg)?))?;
    }
    write_file(&page, |draft| Ok(fs::write(draft, text())?))?;
    let row = |(index, choice): (usize, &Choice)| {
        let end = |tour: &Tour| {
            let walked = &tour.walks[index];
            short(walked.path.end() - tour.surface.least)
        };
        core::iter::once(choice.to_string()).chain(tours.iter().map(end)).collect()
    };
    let names = surfaces.iter().map(|surface| surface.name.to_owned());
    let table = Table {
        columns: core::iter::once("optimizer".into()).chain(names).collect(),
        rows: choices.iter().enumerate().map(row).collect(),
    };
    let results = json!({ "columns": table.columns, "rows": table.rows });
    let section = Section {
        title: "How far above the least value each ends".into(),
        text: String::new(),
        parts: vec![Part::Table(table)],
    };
    let report = Report { title: "Gallery".into(), made: Made::default(), sections: vec![section] };
    Ok(Findings { report, results })
}

/// What `gallery.md` begins with.
const TITLE: &str = "# Gallery\n\n\
    Every optimizer on six functions, drawn by `cargo run --release --bin lab -- gallery docs`.\n";

/// `gallery.md`: every optimizer of the registry with its picture.
pub fn text() -> String {
    let mut text = String::from(TITLE)
        + "\
         Each walks with the learning rate, of 29 from 1e-5 to 100, that gets it furthest on the\n\
         function; Δf is how far above the least value it ends. The ring is where it starts, a dot a\n\
         step, a cross a minimum, and the dot that runs takes each step in the same time. All options\n\
         are at their defaults, which are made for networks and not for functions of two numbers.\n\n\
         | function | f(x, y) | what it shows | steps |\n|---|---|---|---:|\n";
    for Surface { title, formula, shows, steps, .. } in &SURFACES {
        let _ = writeln!(text, "| {title} | {formula} | {shows} | {steps} |");
    }
    for row in ROWS {
        let (name, title, paper) = (row.name, row.title, row.paper);
        let _ = write!(
            text,
            "\n## {title}\n\n`{name}` · [{}]({})\n\n![{title} on six functions](gallery/{name}.svg)\n",
            paper.cite,
            paper.url()
        );
    }
    text
}
