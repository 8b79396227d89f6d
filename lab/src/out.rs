//! What was found, on the terminal and in a folder.

use crate::findings::Findings;
use crate::page;
use crate::report::{Part, Report, Table};
use anyhow::{Context, Result, ensure};
use burn_descent_examples::output::{check_writable, write_file};
use burn_descent_examples::report::say;
use clap::Args;
use comfy_table::{CellAlignment, presets::UTF8_HORIZONTAL_ONLY};
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
        check_writable(&folder.join("report.html")).context("--out")
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

/// Prints the tables of a report.
pub fn print(report: &Report) {
    for section in &report.sections {
        for part in &section.parts {
            if let Part::Table(table) = part {
                say(format_args!("\n{}", section.title));
                say(in_columns(table));
            }
        }
    }
}

/// Writes `results.json`, `report.json` and `report.html`, each of them whole or not at all.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, findings: &Findings) -> Result<()> {
    let text = |name: &str, text: String| {
        write_file(&folder.join(name), |draft| Ok(fs::write(draft, text)?))
    };
    text("results.json", serde_json::to_string_pretty(&findings.results)? + "\n")?;
    text("report.json", serde_json::to_string_pretty(&findings.report)? + "\n")?;
    text("report.html", page::html(&findings.report)?)
}

/// A table for the terminal: what is a number in all rows is aligned on the right.
fn in_columns(table: &Table) -> comfy_table::Table {
    let mut lines = comfy_table::Table::new();
    lines.load_preset(UTF8_HORIZONTAL_ONLY);
    lines.set_header(&table.columns);
    lines.add_rows(&table.rows);
    for (index, column) in lines.column_iter_mut().enumerate() {
        if table.is_numeric(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines
}
