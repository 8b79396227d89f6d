//! What a network sees of a row, and what it predicts: kept in a save, to predict new rows.

use super::Matrix;
use super::layout::number;
use super::scale::Scale;
use super::table::{Column, Key, Table};
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How examples become numbers, and numbers predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// What the network sees.
    pub inputs: Inputs,
    /// What it predicts.
    pub target: Coding,
}

/// What a network sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inputs {
    /// Columns of a table.
    Columns(Vec<Coding>),
    /// So many pixels of an image.
    Pixels(usize),
}

/// A column and what its values are for a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The name of the column.
    pub column: String,
    /// What its values are.
    pub code: Code,
}

/// What the values of a column are for a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// A number, standardised.
    Number(Scale),
    /// A 1 in the place of one of these words.
    Words(Vec<String>),
}

/// Rows of a table as numbers.
pub(super) struct Encoded {
    pub(super) matrix: Matrix,
    /// Which rows they are: those without a gap.
    pub(super) rows: Vec<usize>,
    /// Why others have none, a reason a column.
    pub(super) gaps: BTreeMap<String, usize>,
}

impl Encoder {
    /// How many numbers an example has, and how many its target.
    pub fn widths(&self) -> [usize; 2] {
        let inputs = match &self.inputs {
            Inputs::Columns(codings) => codings.iter().map(|coding| coding.code.width()).sum(),
            Inputs::Pixels(pixels) => *pixels,
        };
        [inputs, self.target.code.width()]
    }
}

impl Coding {
    pub(super) fn new(column: impl Into<String>, code: Code) -> Self {
        Self { column: column.into(), code }
    }
}

impl Code {
    /// One of classes that are numbered from 0.
    pub(super) fn numbered(classes: usize) -> Self {
        Self::Words((0..classes).map(|class| class.to_string()).collect())
    }

    /// How many numbers stand for a value.
    pub fn width(&self) -> usize {
        match self {
            Self::Number(_) => 1,
            Self::Words(words) => words.len(),
        }
    }

    /// The words; none for numbers.
    pub fn words(&self) -> &[String] {
        match self {
            Self::Number(_) => &[],
            Self::Words(words) => words,
        }
    }

    /// How much of a column's unit is 1 for the network.
    pub fn unit(&self) -> f64 {
        match self {
            Self::Number(scale) => scale.deviation,
            Self::Words(_) => 1.0,
        }
    }
}

/// The numbers of those rows of a table that have a value in each of the columns, which the network
/// knows.
///
/// # Errors
/// If a column is not there, or has a value that must be a number and is none, or one that is too far
/// from the others.
pub(super) fn encode<'a>(
    codings: impl IntoIterator<Item = &'a Coding>,
    table: &Table,
    rows: impl IntoIterator<Item = usize>,
) -> Result<Encoded> {
    let readers = codings.into_iter().map(|coding| Reader::new(coding, table));
    let readers = readers.collect::<Result<Vec<_>>>()?;
    let width = readers.iter().map(|reader| reader.code.width()).sum();
    let mut encoded =
        Encoded { matrix: Matrix::new(Vec::new(), width), rows: Vec::new(), gaps: BTreeMap::new() };
    let values = &mut encoded.matrix.values;
    for row in rows {
        let begin = values.len();
        let mut gaps = BTreeSet::new();
        for reader in &readers {
            gaps.extend(reader.add(table, row, values)?);
        }
        if gaps.is_empty() {
            encoded.rows.push(row);
        } else {
            values.truncate(begin);
            gaps.into_iter().for_each(|gap| *encoded.gaps.entry(gap).or_default() += 1);
        }
    }
    Ok(encoded)
}

/// A column that is being encoded.
struct Reader<'a> {
    column: &'a Column,
    code: &'a Code,
    places: BTreeMap<Key<'a>, usize>,
}

impl<'a> Reader<'a> {
    fn new(coding: &'a Coding, table: &'a Table) -> Result<Self> {
        let Coding { column, code } = coding;
        let places = code.words().iter().enumerate().map(|(place, word)| (Key::new(word), place));
        Ok(Self { column: table.column(column)?, code, places: places.collect() })
    }

    /// Adds the numbers of a row, or says why there are none.
    fn add(&self, table: &Table, row: usize, to: &mut Vec<f32>) -> Result<Option<String>> {
        let name = &self.column.name;
        let Some(value) = self.column.values[row].as_deref() else {
            return Ok(Some(format!("`{name}` is missing")));
        };
        match self.code {
            Code::Number(scale) => {
                let place = || table.place(self.column, row);
                let Some(number) = number(value) else {
                    bail!(
                        "`{name}` must be a number, and is {}; --missing says what is none",
                        place()
                    )
                };
                let number = scale.apply(number);
                ensure!(
                    number.is_finite(),
                    "the column `{name}` cannot be standardised: {} is too far from the others",
                    place()
                );
                to.push(number);
            }
            Code::Words(words) => {
                let Some(place) = self.places.get(&Key::new(value)) else {
                    return Ok(Some(format!("`{name}` is a word that training did not meet")));
                };
                to.extend((0..words.len()).map(|word| f32::from(u8::from(word == *place))));
            }
        }
        Ok(None)
    }
}
