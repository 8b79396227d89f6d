//! Rows to predict.

use super::encoder::{Coding, Encoded, Encoder, Inputs, encode};
use super::layout::Layout;
use super::table::Table;
use super::{Examples, Matrix, file, idx, text};
use anyhow::{Context, Result, ensure};
use csv::StringRecord;
use std::path::Path;

/// Rows to predict, as a file has them and as the network sees them.
#[derive(Clone, Debug)]
pub struct NewRows {
    /// The names of the file's columns; none for images.
    pub names: Vec<String>,
    /// Its rows; without a value for images.
    pub rows: Vec<StringRecord>,
    /// The rows that can be predicted.
    pub known: Vec<usize>,
    /// What the network sees of them.
    pub inputs: Matrix,
    /// Which of those that can be predicted have a target in the file, and what it is.
    pub targets: Option<(Vec<usize>, Matrix)>,
    /// What their owner should know, a line each.
    pub notes: Vec<String>,
}

impl NewRows {
    /// Reads a CSV file, or a file of images, as the network was trained with.
    ///
    /// # Errors
    /// If it cannot be read, lacks a column, or has text where there must be a number.
    pub fn open(path: &Path, layout: &Layout, encoder: &Encoder) -> Result<Self> {
        ensure!(!path.is_dir(), "{} is a folder, and must be a file", path.display());
        match &encoder.inputs {
            Inputs::Columns(columns) => {
                let bytes = file::read(path)?;
                Self::parse(&bytes, layout, columns, &encoder.target)
                    .with_context(|| path.display().to_string())
            }
            Inputs::Pixels(pixels) => {
                let inputs = idx::images(path)?;
                let (name, found) = (path.display(), inputs.width);
                ensure!(found == *pixels, "{name} has images of {found} pixels, not of {pixels}");
                Ok(Self {
                    names: Vec::new(),
                    rows: vec![StringRecord::new(); inputs.len()],
                    known: (0..inputs.len()).collect(),
                    inputs,
                    targets: None,
                    notes: Vec::new(),
                })
            }
        }
    }

    fn parse(bytes: &[u8], layout: &Layout, columns: &[Coding], target: &Coding) -> Result<Self> {
        let records = layout.read(text::decode(bytes)?)?;
        let names = records.names.iter().map(|name| name.name.clone()).collect();
        let rows: Vec<_> = records.rows.iter().map(|(_, row)| row.clone()).collect();
        let table = Table::new(records, layout);
        let Encoded { matrix: inputs, rows: known, gaps } = encode(columns, &table, 0..rows.len())?;
        let mut notes = table.notes.clone();
        notes.extend(gaps.iter().map(|(why, rows)| match rows {
            1 => format!("1 row is not predicted: {why}"),
            rows => format!("{rows} rows are not predicted: {why}"),
        }));
        let there = table.columns.iter().any(|column| column.name == target.column);
        let targets = match encode([target], &table, known.iter().copied()) {
            Ok(Encoded { matrix, rows, .. }) if there => {
                let place = |row: usize| known.binary_search(&row).unwrap_or_default();
                Some((rows.into_iter().map(place).collect(), matrix))
            }
            Err(error) if there => {
                notes.push(format!("the predictions are not evaluated: {error:#}"));
                None
            }
            _ => None,
        };
        Ok(Self { names, rows, known, inputs, targets, notes })
    }

    /// The predictions that can be evaluated, and what they should be.
    pub fn evaluated(&self, outputs: &Matrix) -> Option<Examples> {
        let (places, targets) = self.targets.as_ref().filter(|(places, _)| !places.is_empty())?;
        Some(Examples { inputs: outputs.select(places), targets: targets.clone() })
    }
}
