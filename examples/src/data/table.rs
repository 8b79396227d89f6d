//! A CSV file as columns of text, told apart into numbers and words.

use super::layout::{Layout, Name, Records, number};
use super::{file, text};
use anyhow::{Context, Result};
use burn_descent::rules::unknown;
use std::collections::BTreeMap;
use std::path::Path;

/// A table of text.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// The number of each row's line in the file.
    pub(super) lines: Vec<u64>,
    /// What was found that its owner should know.
    pub(super) notes: Vec<String>,
}

/// A column: a value a row, `None` where it is missing.
pub(super) struct Column {
    pub(super) name: String,
    /// Has it none in the file?
    pub(super) unnamed: bool,
    pub(super) values: Vec<Option<String>>,
    /// What stands where one is missing, the first that is not nothing.
    pub(super) mark: Option<String>,
}

/// Of values that are the same number, as 1 and 1.0, there is one. Numbers come first, by size, then
/// words, by the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    /// Bits in the order of size.
    Number(i64),
    Word(&'a str),
}

impl<'a> Key<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let order = |number: f64| {
            // -0 is 0.
            let bits = (number + 0.0).to_bits() as i64;
            bits ^ (((bits >> 63) as u64) >> 1) as i64
        };
        number(text).map_or(Self::Word(text), |number| Self::Number(order(number)))
    }
}

impl Table {
    /// Reads a CSV file.
    pub(super) fn open(path: &Path, layout: &Layout) -> Result<Self> {
        let bytes = file::read(path)?;
        Self::parse(&bytes, layout).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(bytes: &[u8], layout: &Layout) -> Result<Self> {
        Ok(Self::new(layout.read(text::decode(bytes)?)?, layout))
    }

    /// The table in a file's rows.
    pub(super) fn new(records: Records, layout: &Layout) -> Self {
        let Records { names, rows, separator, mut notes } = records;
        let empty = |Name { name, unnamed }| Column {
            name,
            unnamed,
            values: Vec::with_capacity(rows.len()),
            mark: None,
        };
        let mut columns: Vec<Column> = names.into_iter().map(empty).collect();
        let mut lines = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            for (column, value) in columns.iter_mut().zip(&row) {
                let missing = layout.is_missing(value);
                if missing && !value.is_empty() && column.mark.is_none() {
                    column.mark = Some(value.into());
                }
                column.values.push((!missing).then(|| value.into()));
            }
            lines.push(line);
        }
        if separator != ',' {
            notes.extend(columns.iter_mut().filter_map(Column::without_decimal_commas));
        }
        Self { columns, lines, notes }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Result<&Column> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        self.columns
            .iter()
            .find(|column| column.name == name)
            .with_context(|| unknown("column", name, names()))
    }

    /// What a column has in a row, and where that is: `` `x` in line 7 ``.
    pub(super) fn place(&self, column: &Column, row: usize) -> String {
        let value = column.values[row].as_deref().unwrap_or("");
        format!("`{value}` in line {}", self.lines[row])
    }
}

impl Column {
    /// The values as numbers, or the first row in which there is none; missing ones are NaN.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, usize> {
        let number = |(row, value): (usize, &Option<String>)| match value {
            None => Ok(f64::NAN),
            Some(text) => number(text).ok_or(row),
        };
        self.values.iter().enumerate().map(number).collect()
    }

    /// How many values are there, and how many of them are numbers.
    pub(super) fn count(&self) -> (usize, usize) {
        let there = self.values.iter().flatten();
        (there.clone().count(), there.filter(|value| number(value).is_some()).count())
    }

    /// The different values in some rows, each as it is spelled first.
    pub(super) fn distinct(&self, rows: impl Iterator<Item = usize>) -> Vec<&str> {
        let mut values: BTreeMap<Key, &str> = BTreeMap::new();
        for value in rows.filter_map(|row| self.values[row].as_deref()) {
            values.entry(Key::new(value)).or_insert(value);
        }
        values.into_values().collect()
    }

    /// Writes 1,5 as 1.5 if that makes the values numbers, and says so.
    fn without_decimal_commas(&mut self) -> Option<String> {
        let with_point = |text: &str| match text.split_once(',') {
            Some((whole, part)) if !text.contains('.') => format!("{whole}.{part}"),
            _ => text.to_string(),
        };
        let example = self.values.iter().flatten().find(|text| number(text).is_none())?.clone();
        if !self.values.iter().flatten().all(|text| number(&with_point(text)).is_some()) {
            return None;
        }
        self.values.iter_mut().flatten().for_each(|text| *text = with_point(text));
        Some(format!("`{}`: the commas are decimal, as in `{example}`", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Table {
        Table::parse(text.as_bytes(), &Layout::default()).unwrap()
    }

    #[test]
    fn values_are_missing_numbers_or_words() {
        let table = parse("n,w\n10,x\n?,\n 9,y\n");
        let [n, w] = ["n", "w"].map(|name| table.column(name).unwrap());
        let numbers = n.numbers().unwrap();
        assert!(numbers[0] == 10.0 && numbers[1].is_nan() && numbers[2] == 9.0);
        assert_eq!(n.distinct(0..3), ["9", "10"]);
        assert_eq!((w.numbers(), table.place(w, 2)), (Err(0), "`y` in line 4".into()));
    }

    #[test]
    fn a_number_is_the_same_in_any_spelling() {
        let table = parse("n\n1.0\n1\n-0\n0.0\n1e0\n-2\n-1.5\nb\na\n");
        let distinct = table.columns[0].distinct(0..table.rows());
        assert_eq!(distinct, ["-2", "-1.5", "-0", "1.0", "a", "b"]);
    }

    #[test]
    fn commas_may_be_decimal_where_they_separate_nothing() {
        let table = parse("x;y;z\n1,5;a;1,2,3\n-2;b,c;4\n");
        assert_eq!(table.columns[0].numbers(), Ok(vec![1.5, -2.0]));
        assert!(table.columns[1].numbers().is_err() && table.columns[2].numbers().is_err());
        assert!(table.notes.iter().any(|note| note.contains("`x`") && note.contains("`1,5`")));
    }

    #[test]
    fn columns_are_found_or_suggested() {
        let table = parse("price,carat\n1,2\n");
        let error = format!("{:#}", table.column("prize").err().unwrap());
        assert!(error.contains("did you mean `price`?"), "{error}");
    }
}
