//! A CSV file as columns of text, told apart into numbers and words.

use super::file;
use anyhow::{Context, Result, bail, ensure};
use burn_descent::rules::unknown;
use std::collections::BTreeSet;
use std::path::Path;

/// What stands for a value that is not known.
const MISSING: [&str; 6] = ["", "NA", "NaN", "nan", "null", "?"];

/// A table of text: the first line names the columns.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
}

/// A column: a value a row, `None` where it is missing.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Vec<Option<String>>,
}

impl Table {
    /// Reads a CSV file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::parse(&file::read(path)?).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let names: Vec<String> = reader.headers()?.iter().map(Into::into).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            bail!("two columns are called `{twice}`");
        }
        let empty = |name| Column { name, values: Vec::new() };
        let mut columns: Vec<Column> = names.into_iter().map(empty).collect();
        let mut rows = 0;
        for record in reader.records() {
            for (column, value) in columns.iter_mut().zip(&record?) {
                column.values.push((!MISSING.contains(&value)).then(|| value.into()));
            }
            rows += 1;
        }
        ensure!(rows > 0, "there is no row below the names of the columns");
        Ok(Self { columns, rows })
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Result<&Column> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        self.columns
            .iter()
            .find(|column| column.name == name)
            .with_context(|| unknown("column", name, names()))
    }
}

impl Column {
    /// The values as numbers, if all that are there are finite numbers; missing ones are NaN.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, &str> {
        self.values
            .iter()
            .map(|value| match value.as_deref() {
                None => Ok(f64::NAN),
                Some(text) => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => Ok(number),
                    _ => Err(text),
                },
            })
            .collect()
    }

    /// The different values in some rows: numbers by size, words by the alphabet.
    pub(super) fn distinct(&self, rows: impl Iterator<Item = usize>) -> Vec<&str> {
        let values: BTreeSet<&str> = rows.filter_map(|row| self.values[row].as_deref()).collect();
        let mut values: Vec<&str> = values.into_iter().collect();
        if self.numbers().is_ok() {
            let number = |text: &str| text.parse().unwrap_or(f64::NAN);
            values.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", Table::parse(text.as_bytes()).err().unwrap())
    }

    #[test]
    fn values_are_missing_numbers_or_words() {
        let table = Table::parse(b"n,w\n10,x\n?,\n 9,y\n").unwrap();
        let numbers = table.column("n").unwrap().numbers().unwrap();
        assert!(numbers[0] == 10.0 && numbers[1].is_nan() && numbers[2] == 9.0);
        assert_eq!(table.column("n").unwrap().distinct(0..3), ["9", "10"]);
        assert_eq!(table.column("w").unwrap().numbers(), Err("x"));
    }

    #[test]
    fn bad_tables_are_refused() {
        assert!(error("a,a\n1,2\n").contains("two columns are called `a`"));
        assert!(error("a,b\n").contains("no row"));
        assert!(error("a,b\n1\n").contains("line: 2"));
        let table = Table::parse(b"price,carat\n1,2\n").unwrap();
        let error = format!("{:#}", table.column("prize").err().unwrap());
        assert!(error.contains("did you mean `price`?"), "{error}");
    }
}
