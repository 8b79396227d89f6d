//! What a command found: `results.json`, its pictures, and `report.html`, one file that needs
//! nothing else.

use crate::made::Made;
use serde::{Deserialize, Serialize};

/// What is shown of what a command found, from top to bottom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The headline.
    pub title: String,
    /// How it was found.
    pub made: Made,
    /// One after another.
    pub sections: Vec<Section>,
}

/// A part of a report, with a heading of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What is to be seen there, in a paragraph.
    pub text: String,
    /// What it shows.
    pub parts: Vec<Part>,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Part {
    /// Rows of text.
    Table(Table),
    /// Lines over a common axis.
    Chart(Chart),
    /// A picture drawn elsewhere, as SVG.
    Picture(Picture),
}

/// Rows of text, the first of them the names of the columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Does every row have a number in this column, or a dash?
    pub fn is_numeric(&self, column: usize) -> bool {
        let begins_as_number = |cell: &String| {
            let cell = cell.trim_start_matches(['-', '+', '±', '<', '>', '≤', '≥', ' ']);
            cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit()) || cell == "∞"
        };
        self.rows.iter().filter_map(|row| row.get(column)).all(begins_as_number)
    }
}

/// Lines over a common axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// The name of its files, without an extension: letters, digits, `-` and `_`.
    pub name: String,
    /// What the chart shows.
    pub title: String,
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// The lines.
    pub lines: Vec<Line>,
}

/// An axis of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Its name, with the unit.
    pub name: String,
    /// Equal ratios are equally far apart.
    pub logarithmic: bool,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it is, as in the legend.
    pub name: String,
    /// `[x, y]`; a `y` that is not finite is a gap (`null` in JSON).
    pub points: Vec<[Option<f64>; 2]>,
    /// What lies around the line, as between quartiles: `[x, lower, upper]`. Nothing as a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub band: Vec<[f64; 3]>,
}

impl Line {
    /// A line with nothing around it.
    pub fn new(name: impl Into<String>, points: Vec<[Option<f64>; 2]>) -> Self {
        Self { name: name.into(), points, band: Vec::new() }
    }
}

/// A picture drawn elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The name of its files, without an extension: letters, digits, `-` and `_`.
    pub name: String,
    /// What it shows, for those who cannot see it too.
    pub title: String,
    /// An SVG document.
    pub svg: String,
}
