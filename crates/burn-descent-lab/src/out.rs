//! What was found, on the terminal and in a folder.

use crate::findings::Findings;
use crate::report::{Part, Report};
use crate::{draw, page, terminal};
use anyhow::{Context, Result, bail, ensure};
use burn_descent_examples::output::{check_writable, write_file};
use burn_descent_examples::report::say;
use clap::Args;
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

/// Where what was found goes: the flags that every command has.
#[derive(Args, Clone, Debug, Default)]
pub struct Out {
    /// Write results.json, report.html with its report.json, and the pictures into this folder
    #[arg(long, value_name = "DIR", global = true, help_heading = "Results")]
    pub out: Option<PathBuf>,

    /// Print the object of results.json instead of tables
    #[arg(long, global = true, help_heading = "Results")]
    pub json: bool,
}

impl Out {
    /// Finds out, before anything takes time, whether the folder can be written to.
    ///
    /// # Errors
    /// If not, with the reason.
    pub fn check(&self) -> Result<()> {
        let Some(folder) = &self.out else { return Ok(()) };
        ensure!(!folder.is_file(), "--out {}: it is a file, not a folder", folder.display());
        let page = folder.join("report.html");
        check_writable(&page).context("--out")?;
        let ours = page.exists().then(|| page::is_one(&fs::read(&page).unwrap_or_default()));
        let foreign = match ours {
            Some(false) => Some("report.html"),
            None => ["results.json", "report.json"].into_iter().find(|f| folder.join(f).exists()),
            Some(true) => None,
        };
        match foreign {
            Some(file) => bail!(
                "--out {}: there is a {file} that is not of the lab; take another folder",
                folder.display()
            ),
            None => Ok(()),
        }
    }

    /// Prints what was found, and writes it into the folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn publish(&self, findings: &Findings) -> Result<()> {
        if let Some(folder) = &self.out {
            write(folder, findings)?;
        }
        if self.json {
            say(&findings.results);
            return Ok(());
        }
        print(&findings.report);
        if let Some(folder) = &self.out {
            say(format_args!("\n{}", folder.join("report.html").display()));
        }
        Ok(())
    }
}

/// Prints the tables of a report, as wide as the terminal is.
pub fn print(report: &Report) {
    let width = terminal::width();
    for section in &report.sections {
        for part in &section.parts {
            if let Part::Table(table) = part {
                say(format_args!("\n{}", terminal::paragraph(&section.title, width)));
                say(terminal::table(table, width));
            }
        }
    }
}

/// Writes `results.json`, `report.json`, `report.html`, and each chart and picture as SVG and PNG;
/// each file whole or not at all.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, findings: &Findings) -> Result<()> {
    let file = |name: &str, content: &[u8]| {
        write_file(&folder.join(name), |draft| Ok(fs::write(draft, content)?))
    };
    for part in findings.report.sections.iter().flat_map(|section| &section.parts) {
        let (name, svg) = match part {
            Part::Table(_) => continue,
            Part::Chart(chart) => (&chart.name, Cow::Owned(draw::chart(chart))),
            Part::Picture(picture) => (&picture.name, Cow::Borrowed(&picture.svg)),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ensure!(name.chars().all(plain) && !name.is_empty(), "`{name}` cannot be a file's name");
        file(&format!("{name}.svg"), svg.as_bytes())?;
        file(&format!("{name}.png"), &draw::png(&svg).with_context(|| name.clone())?)?;
    }
    file("results.json", (serde_json::to_string(&findings.results)? + "\n").as_bytes())?;
    file("report.json", (serde_json::to_string(&findings.report)? + "\n").as_bytes())?;
    file("report.html", page::html(&findings.report)?.as_bytes())
}
