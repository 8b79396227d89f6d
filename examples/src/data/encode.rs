//! A table as numbers: standardised columns, words as one column a value.

use super::split::split;
use super::table::{Column, Table};
use super::{Dataset, Examples, Matrix};
use crate::task::Task;
use anyhow::{Result, bail, ensure};

/// A column of words with more different values is left out.
const MOST_WORDS: usize = 20;

/// A target with more different values is a number to predict.
const MOST_CLASSES: usize = 1000;

/// Which columns of a table to use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    /// What to predict.
    pub(super) target: &'a str,
    /// Columns not to use.
    pub(super) drop: &'a [String],
    /// The only columns to use, unless empty.
    pub(super) features: &'a [String],
}

/// What a column gives a row.
enum Encoding<'a> {
    /// Its number, standardised.
    Number(Vec<f64>),
    /// A 1 in the place of its word.
    Word(Vec<&'a str>),
}

/// The examples in a table: rows without a missing value, a fifth of them to judge by.
pub(super) fn encode(table: &Table, choice: Choice, task: Task, seed: u64) -> Result<Dataset> {
    let target = table.column(choice.target)?;
    let mut notes = Vec::new();
    let features = features(table, choice, &mut notes)?;

    let used = || features.iter().map(|(column, _)| *column).chain([target]);
    let complete = |row: &usize| used().all(|column| column.values[*row].is_some());
    let rows: Vec<usize> = (0..table.rows).filter(complete).collect();
    match table.rows - rows.len() {
        0 => {}
        1 => notes.push("dropped 1 row with missing values".into()),
        n => notes.push(format!("dropped {n} rows with missing values")),
    }
    let (train, test) = split(rows.len(), seed)?;
    let in_table = |part: Vec<usize>| part.into_iter().map(|i| rows[i]).collect::<Vec<_>>();
    let (train, test) = (in_table(train), in_table(test));

    let inputs: Vec<_> = features.iter().map(|(c, e)| numbers(c, e, &train)).collect();
    let inputs = beside(&inputs, table.rows);
    let targets = match task {
        Task::Regression => number_target(target, &train)?,
        Task::Classification => class_target(target, &rows, table.rows)?,
    };
    for (matrix, what) in [(&inputs, "a column"), (&targets, "the target")] {
        let finite = rows.iter().all(|row| {
            matrix.values[row * matrix.width..][..matrix.width].iter().all(|v| v.is_finite())
        });
        ensure!(finite, "{what} has numbers too large to standardise");
    }
    let examples =
        |rows: &[usize]| Examples { inputs: inputs.select(rows), targets: targets.select(rows) };
    Ok(Dataset { train: examples(&train), test: examples(&test), notes })
}

/// The columns to learn from; tells of those that cannot be used.
fn features<'a>(
    table: &'a Table,
    choice: Choice,
    notes: &mut Vec<String>,
) -> Result<Vec<(&'a Column, Encoding<'a>)>> {
    for name in choice.drop.iter().chain(choice.features) {
        table.column(name)?;
        ensure!(
            name != choice.target,
            "`{name}` is the target: it cannot be dropped or learned from"
        );
    }
    let chosen = |column: &&Column| {
        column.name != choice.target
            && !choice.drop.contains(&column.name)
            && (choice.features.is_empty() || choice.features.contains(&column.name))
    };
    let mut features = Vec::new();
    for column in table.columns.iter().filter(chosen) {
        let mut leave_out = |why: String| notes.push(format!("left out `{}`: {why}", column.name));
        match column.numbers() {
            Ok(numbers) if numbers.iter().all(|number| number.is_nan()) => {
                leave_out("it has no values".into());
            }
            Ok(numbers) => features.push((column, Encoding::Number(numbers))),
            Err(_) => match column.distinct(0..table.rows) {
                words if words.len() == table.rows => {
                    leave_out("text with another value in each row".into());
                }
                words if words.len() > MOST_WORDS => leave_out(format!(
                    "text with {} different values, more than {MOST_WORDS}",
                    words.len()
                )),
                words => features.push((column, Encoding::Word(words))),
            },
        }
    }
    ensure!(!features.is_empty(), "there is no column to learn `{}` from", choice.target);
    Ok(features)
}

/// A column's numbers for every row of the table, standardised on the training rows.
fn numbers(column: &Column, encoding: &Encoding, train: &[usize]) -> Matrix {
    match encoding {
        Encoding::Number(numbers) => Matrix::new(standardise(numbers, train), 1),
        Encoding::Word(words) => {
            // A row whose word is missing is not used: what stands there does not matter.
            let place = |word: &Option<String>| {
                word.as_deref().and_then(|word| words.iter().position(|w| *w == word)).unwrap_or(0)
            };
            let places: Vec<usize> = column.values.iter().map(place).collect();
            Matrix::one_hot(&places, words.len())
        }
    }
}

/// Less the mean of the training rows, divided by their standard deviation.
fn standardise(numbers: &[f64], train: &[usize]) -> Vec<f32> {
    let n = train.len() as f64;
    let mean = train.iter().map(|row| numbers[*row]).sum::<f64>() / n;
    let variance = train.iter().map(|row| (numbers[*row] - mean).powi(2)).sum::<f64>() / n;
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    numbers.iter().map(|number| ((number - mean) / deviation) as f32).collect()
}

/// Matrices of the same number of rows, side by side.
fn beside(matrices: &[Matrix], rows: usize) -> Matrix {
    let width = matrices.iter().map(|matrix| matrix.width).sum();
    let mut values = Vec::with_capacity(rows * width);
    for row in 0..rows {
        for matrix in matrices {
            values.extend_from_slice(&matrix.values[row * matrix.width..][..matrix.width]);
        }
    }
    Matrix::new(values, width)
}

fn number_target(target: &Column, train: &[usize]) -> Result<Matrix> {
    let name = &target.name;
    match target.numbers() {
        Err(text) => bail!("the target `{name}` is not numeric: it has the value `{text}`"),
        Ok(_) if target.distinct(train.iter().copied()).len() < 2 => {
            bail!("the target `{name}` has the same value in every row: there is nothing to learn")
        }
        Ok(numbers) => Ok(Matrix::new(standardise(&numbers, train), 1)),
    }
}

fn class_target(target: &Column, rows: &[usize], all: usize) -> Result<Matrix> {
    let (name, classes) = (&target.name, target.distinct(rows.iter().copied()));
    ensure!(
        classes.len() > 1,
        "the target `{name}` has one class only: there is nothing to tell apart"
    );
    ensure!(
        classes.len() <= MOST_CLASSES,
        "the target `{name}` has {} different values, {MOST_CLASSES} at most: is it one for `regression`?",
        classes.len()
    );
    let class = |row: usize| {
        target.values[row]
            .as_deref()
            .and_then(|v| classes.iter().position(|c| *c == v))
            .unwrap_or(0)
    };
    Ok(Matrix::one_hot(&(0..all).map(class).collect::<Vec<_>>(), classes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Table;

    /// Twelve rows, the last without a number.
    fn table() -> Table {
        let row = |i: usize| format!("{i},{},id{i},{}\n", ["red", "blue"][i % 2], i * 2);
        let rows: String = (0..11).map(row).collect();
        Table::parse(format!("n,color,id,y\n{rows},red,id11,3\n").as_bytes()).unwrap()
    }

    fn choice<'a>(target: &'a str, drop: &'a [String], features: &'a [String]) -> Choice<'a> {
        Choice { target, drop, features }
    }

    fn error(choice: Choice, task: Task) -> String {
        encode(&table(), choice, task, 0).unwrap_err().to_string()
    }

    #[test]
    fn numbers_are_standardised_on_the_training_rows_and_words_get_a_column_each() {
        let data = encode(&table(), choice("y", &[], &[]), Task::Regression, 0).unwrap();
        assert_eq!((data.train.inputs.len(), data.test.inputs.len()), (9, 2));
        assert_eq!(data.train.inputs.width, 3, "a number and two colors");
        for column in [data.train.inputs.rows().map(|r| r[0]).collect(), data.train.targets.values]
        {
            let column: Vec<f32> = column;
            let mean = column.iter().sum::<f32>() / 9.0;
            let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 9.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5);
        }
        assert!(data.train.inputs.rows().all(|row| row[1] + row[2] == 1.0));
        let notes = data.notes.join("; ");
        assert!(notes.contains("`id`: text with another value in each row"), "{notes}");
        assert!(notes.contains("dropped 1 row "), "{notes}");
    }

    #[test]
    fn text_of_many_kinds_is_left_out() {
        let rows: String = (0..40).map(|i| format!("{i},w{},c{}\n", i % 21, i % 20)).collect();
        let table = Table::parse(format!("y,many,few\n{rows}").as_bytes()).unwrap();
        let data = encode(&table, choice("y", &[], &[]), Task::Regression, 0).unwrap();
        assert_eq!(data.train.inputs.width, 20);
        assert_eq!(data.notes, ["left out `many`: text with 21 different values, more than 20"]);
    }

    #[test]
    fn columns_are_chosen() {
        let [n, color] = ["n", "color"].map(|name| vec![name.to_string()]);
        let width = |drop: &[String], features: &[String]| {
            let data = encode(&table(), choice("y", drop, features), Task::Regression, 0).unwrap();
            data.train.inputs.width
        };
        assert_eq!(width(&n, &[]), 2);
        assert_eq!(width(&[], &n), 1);
        assert!(error(choice("y", &n, &n), Task::Regression).contains("no column to learn"));
        assert!(
            error(choice("color", &color, &[]), Task::Classification).contains("is the target")
        );
    }

    #[test]
    fn targets_that_cannot_be_learned_are_refused() {
        assert!(error(choice("color", &[], &[]), Task::Regression).contains("not numeric"));
        let same: String = (0..12).map(|i| format!("{i},a,1\n")).collect();
        let same = Table::parse(format!("n,class,one\n{same}").as_bytes()).unwrap();
        let error = |target, task| {
            encode(&same, choice(target, &[], &[]), task, 0).unwrap_err().to_string()
        };
        assert!(error("class", Task::Classification).contains("one class only"));
        assert!(error("one", Task::Regression).contains("same value"));
    }
}
