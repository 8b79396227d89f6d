//! A table as examples: standardised columns, words as one column a value.

use super::encoder::{Code, Coding, Encoded, Encoder, Inputs, encode};
use super::scale::Scale;
use super::split::split;
use super::table::{Column, Table};
use super::{Dataset, Examples};
use crate::task::Task;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A column of words with more different values is left out.
const MOST_WORDS: usize = 20;

/// A target with more different values is a number to predict.
const MOST_CLASSES: usize = 1000;

/// So many columns are named where values are missing.
const MOST_NAMED: usize = 5;

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

/// What a column is for the network before its numbers are known.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Words,
}

/// The examples in a table: rows without a missing value, a fifth of them to test with.
pub(super) fn examples(table: &Table, choice: Choice, task: Task, seed: u64) -> Result<Dataset> {
    let target = table.column(choice.target)?;
    let mut notes = table.notes.clone();
    let features = features(table, choice, &mut notes)?;

    let used = || features.iter().map(|(column, _)| *column).chain([target]);
    let complete = |row: &usize| used().all(|column| column.values[*row].is_some());
    let rows: Vec<usize> = (0..table.rows()).filter(complete).collect();
    let dropped = dropped(table.rows() - rows.len(), used());
    notes.extend(dropped.clone());
    let split = split(rows.len(), seed);
    let (train, test) = match dropped {
        Some(dropped) => split.context(dropped)?,
        None => split?,
    };
    let in_table = |part: Vec<usize>| part.into_iter().map(|i| rows[i]).collect::<Vec<_>>();
    let (train, test) = (in_table(train), in_table(test));

    let code = match task {
        Task::Regression => number_target(table, target, &train)?,
        Task::Classification => class_target(target, &rows)?,
    };
    let inputs = features.iter().map(|(column, kind)| {
        let code = match kind {
            Kind::Number => Code::Number(scale(column, &train)?),
            Kind::Words => words(column.distinct(0..table.rows())),
        };
        Ok(Coding::new(&column.name, code))
    });
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let target = Coding::new(&target.name, code);
    let part = |rows: Vec<usize>| -> Result<Examples> {
        let Encoded { matrix: targets, .. } = encode([&target], table, rows.iter().copied())?;
        let Encoded { matrix: inputs, .. } = encode(&inputs, table, rows)?;
        Ok(Examples { inputs, targets })
    };
    let (train, test) = (part(train)?, part(test)?);
    let encoder = Encoder { inputs: Inputs::Columns(inputs), target };
    Ok(Dataset { train, test, encoder, notes })
}

/// Says how many rows have missing values, and where.
fn dropped<'a>(rows: usize, used: impl Iterator<Item = &'a Column>) -> Option<String> {
    let missing = |column: &Column| column.values.iter().filter(|value| value.is_none()).count();
    let mut missing: Vec<(usize, &Column)> =
        used.map(|column| (missing(column), column)).filter(|(n, _)| *n > 0).collect();
    missing.sort_by_key(|(n, _)| Reverse(*n));
    let more = if missing.len() > MOST_NAMED { ", ..." } else { "" };
    let named = missing.iter().take(MOST_NAMED).map(|(n, column)| {
        let mark = column.mark.as_ref().map_or(String::new(), |mark| format!(" ({mark})"));
        format!("{n} in `{}`{mark}", column.name)
    });
    let named = named.collect::<Vec<_>>().join(", ") + more;
    match rows {
        0 => None,
        1 => Some(format!("dropped 1 row with missing values: {named}")),
        n => Some(format!("dropped {n} rows with missing values: {named}")),
    }
}

/// The columns to learn from; tells of those that cannot be used.
fn features<'a>(
    table: &'a Table,
    choice: Choice,
    notes: &mut Vec<String>,
) -> Result<Vec<(&'a Column, Kind)>> {
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
        let name = &column.name;
        let (there, numbers) = column.count();
        let kind = match column.numbers() {
            Ok(_) if there == 0 => Err("it has no values".into()),
            Ok(numbers) if column.unnamed && number_rows(&numbers) => {
                Err("it has no name, and numbers the rows".into())
            }
            Ok(_) => Ok(Kind::Number),
            Err(row) => {
                let text = format!("text, because of {}", table.place(column, row));
                let hint = match numbers * 2 >= there {
                    true => "; if that is a missing value: --missing",
                    false => "",
                };
                match column.distinct(0..table.rows()).len() {
                    words if words == there => {
                        Err(format!("{text}, with another value in each row{hint}"))
                    }
                    words if words > MOST_WORDS => Err(format!(
                        "{text}, with {words} different values, more than {MOST_WORDS}{hint}"
                    )),
                    _ => {
                        if !hint.is_empty() {
                            notes.push(format!("took `{name}` for words: {text}{hint}"));
                        }
                        Ok(Kind::Words)
                    }
                }
            }
        };
        match kind {
            Ok(kind) => features.push((column, kind)),
            Err(why) => notes.push(format!("left out `{name}`: {why}")),
        }
    }
    ensure!(
        !features.is_empty(),
        "there is no column to learn `{}` from{}",
        choice.target,
        notes.iter().map(|note| format!("; {note}")).collect::<String>()
    );
    Ok(features)
}

/// Are these whole numbers, another one in each row?
fn number_rows(numbers: &[f64]) -> bool {
    let different: BTreeSet<i64> = numbers.iter().map(|number| *number as i64).collect();
    numbers.iter().all(|number| number.fract() == 0.0) && different.len() == numbers.len()
}

fn words(words: Vec<&str>) -> Code {
    Code::Words(words.into_iter().map(Into::into).collect())
}

/// The scale of the numbers in some rows.
fn scale(column: &Column, rows: &[usize]) -> Result<Scale> {
    let numbers = column.numbers().unwrap_or_default();
    Scale::of(rows.iter().map(|row| numbers[*row]))
        .with_context(|| format!("the column `{}` cannot be standardised", column.name))
}

fn number_target(table: &Table, target: &Column, train: &[usize]) -> Result<Code> {
    let name = &target.name;
    if let Err(row) = target.numbers() {
        bail!(
            "the target `{name}` is not numeric: it has the value {}; if that is a missing value: --missing",
            table.place(target, row)
        );
    }
    ensure!(
        target.distinct(train.iter().copied()).len() > 1,
        "the target `{name}` has the same value in every row: there is nothing to learn"
    );
    Ok(Code::Number(scale(target, train)?))
}

fn class_target(target: &Column, rows: &[usize]) -> Result<Code> {
    let (name, classes) = (&target.name, target.distinct(rows.iter().copied()));
    let n = classes.len();
    ensure!(n > 1, "the target `{name}` has one class only: there is nothing to tell apart");
    let many = |what: &str| {
        anyhow!("the target `{name}` has {n} different values{what}: is it one for `regression`?")
    };
    ensure!(n <= MOST_CLASSES, many(&format!(", {MOST_CLASSES} at most")));
    ensure!(n * 2 <= rows.len(), many(&format!(" in {} rows, one or two of each", rows.len())));
    Ok(words(classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::layout::Layout;

    fn parse(text: &str) -> Table {
        Table::parse(text.as_bytes(), &Layout::default()).unwrap()
    }

    /// Twelve rows, the last without a number.
    fn table() -> Table {
        let row = |i: usize| format!("{i},{},id{i},{}\n", ["red", "blue"][i % 2], i * 2);
        let rows: String = (0..11).map(row).collect();
        parse(&format!("n,color,id,y\n{rows},red,id11,3\n"))
    }

    fn choice<'a>(target: &'a str, drop: &'a [String], features: &'a [String]) -> Choice<'a> {
        Choice { target, drop, features }
    }

    fn all(target: &str) -> Choice<'_> {
        choice(target, &[], &[])
    }

    fn error(table: &Table, choice: Choice, task: Task) -> String {
        format!("{:#}", examples(table, choice, task, 0).unwrap_err())
    }

    #[test]
    fn numbers_are_standardised_on_the_training_rows_and_words_get_a_column_each() {
        let data = examples(&table(), all("y"), Task::Regression, 0).unwrap();
        assert_eq!((data.train.inputs.len(), data.test.inputs.len()), (9, 2));
        assert_eq!(data.train.inputs.width, 3, "a number and two colors");
        assert_eq!(data.encoder.widths(), [3, 1]);
        for column in [data.train.inputs.rows().map(|r| r[0]).collect(), data.train.targets.values]
        {
            let column: Vec<f32> = column;
            let mean = column.iter().sum::<f32>() / 9.0;
            let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 9.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5);
        }
        assert!(data.train.inputs.rows().all(|row| row[1] + row[2] == 1.0));
        let notes = data.notes.join("; ");
        assert!(
            notes
                .contains("`id`: text, because of `id0` in line 2, with another value in each row"),
            "{notes}"
        );
        assert!(notes.contains("dropped 1 row with missing values: 1 in `n`"), "{notes}");
    }

    #[test]
    fn text_is_told_with_the_value_and_the_line_that_made_it_so() {
        let rows: String = (0..40).map(|i| format!("{i},w{},c{}\n", i % 21, i % 20)).collect();
        let table = parse(&format!("y,many,few\n{rows}"));
        let data = examples(&table, all("y"), Task::Regression, 0).unwrap();
        assert_eq!(data.train.inputs.width, 20);
        let note = "left out `many`: text, because of `w0` in line 2, with 21 different values, more \
                    than 20";
        assert_eq!(data.notes, [note]);

        let stray = |at: usize, of: usize| if at == 7 { "x".into() } else { (at % of).to_string() };
        let rows: String =
            (0..40).map(|i| format!("{i},{},{}\n", stray(i, 30), stray(i, 3))).collect();
        let data =
            examples(&parse(&format!("y,a,b\n{rows}")), all("y"), Task::Regression, 0).unwrap();
        for (note, begin) in data.notes.iter().zip(["left out `a`: ", "took `b` for words: "]) {
            assert!(note.starts_with(begin) && note.contains("`x` in line 9"), "{note}");
            assert!(note.ends_with("if that is a missing value: --missing"), "{note}");
        }
    }

    #[test]
    fn a_column_without_a_name_that_numbers_the_rows_is_left_out() {
        let rows = |first: fn(usize) -> usize| {
            let row = |i| format!("{},{},{}\n", first(i), i % 7, i % 5);
            parse(&format!(",x,y\n{}", (0..20).map(row).collect::<String>()))
        };
        for first in [|i| i, |i| i + 1, |i| i * 7 % 20] {
            let data = examples(&rows(first), all("y"), Task::Regression, 0).unwrap();
            assert_eq!(data.train.inputs.width, 1);
            assert_eq!(data.notes, ["left out `1`: it has no name, and numbers the rows"]);
        }
        let data = examples(&rows(|i| i % 3), all("y"), Task::Regression, 0).unwrap();
        assert_eq!((data.train.inputs.width, data.notes.len()), (2, 0));
    }

    #[test]
    fn columns_that_cannot_be_standardised_are_refused_by_name() {
        let table = |x: fn(usize) -> f64| {
            let rows: String = (0..20).map(|i| format!("{:e},{}\n", x(i), i % 7)).collect();
            parse(&format!("x,y\n{rows}"))
        };
        for (x, expected) in [
            ((|i| if i % 2 == 0 { 1e300 } else { -1e300 }) as fn(usize) -> f64, "infinite"),
            (|i| i as f64 * 1e-170, "close together"),
            (|i| i as f64 * 1e-160, "close together"),
            (|i| if i == 3 { 1e200 } else { i as f64 }, ""),
        ] {
            let refused = error(&table(x), all("y"), Task::Regression);
            assert!(refused.contains("the column `x` cannot be standardised"), "{refused}");
            assert!(refused.contains(expected), "{refused}");
            let refused = error(&table(x), all("x"), Task::Regression);
            assert!(refused.contains("the column `x` cannot be standardised"), "{refused}");
        }
    }

    #[test]
    fn columns_are_chosen() {
        let [n, color] = ["n", "color"].map(|name| vec![name.to_string()]);
        let width = |drop: &[String], features: &[String]| {
            let choice = choice("y", drop, features);
            examples(&table(), choice, Task::Regression, 0).unwrap().train.inputs.width
        };
        assert_eq!(width(&n, &[]), 2);
        assert_eq!(width(&[], &n), 1);
        let none = error(&table(), choice("y", &n, &n), Task::Regression);
        assert!(none.contains("no column to learn"), "{none}");
        let target = error(&table(), choice("color", &color, &[]), Task::Classification);
        assert!(target.contains("is the target"), "{target}");
    }

    #[test]
    fn targets_that_cannot_be_learned_are_refused() {
        let text = error(&table(), all("color"), Task::Regression);
        assert!(text.contains("not numeric: it has the value `red` in line 2"), "{text}");
        let same: String =
            (0..12).map(|i| format!("{i},a,{},x{i}\n", ["1", "1.0"][i % 2])).collect();
        let same = parse(&format!("n,class,one,id\n{same}"));
        let refused = |target, task| error(&same, all(target), task);
        assert!(refused("class", Task::Classification).contains("one class only"));
        assert!(refused("one", Task::Classification).contains("one class only"));
        assert!(refused("one", Task::Regression).contains("same value"));
        for target in ["id", "n"] {
            assert!(
                refused(target, Task::Classification).contains("has 12 different values in 12")
            );
        }
        let missing: String =
            (0..30).map(|i| format!("{i},{}\n", if i < 5 { "1" } else { "NA" })).collect();
        let few = error(&parse(&format!("x,y\n{missing}")), all("y"), Task::Regression);
        assert!(
            few.contains("dropped 25 rows") && few.contains("25 in `y` (NA): 5 usable"),
            "{few}"
        );
    }
}
