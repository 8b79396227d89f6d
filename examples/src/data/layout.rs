//! How a table is written down: separators, names, comments, and what stands for a missing value.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use csv::{ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What stands for a value that is not known, beside nothing at all, unless somebody says otherwise.
const MISSING: [&str; 17] = [
    "NA", "N/A", "#N/A", "#NA", "<NA>", "na", "n/a", "NaN", "nan", "NAN", "NULL", "Null", "null",
    "None", "-", ".", "?",
];

/// What may stand between values; the first where nothing speaks for another.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// So many lines say which separator it is.
const SAMPLE: usize = 100;

/// How a CSV file is read: flags, and kept in a save.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    /// The separator of the CSV file: a character, or `tab` [default: the one of , ; tab and | that
    /// fits]. With any but the comma, numbers may have a decimal comma: 1,5
    #[arg(long, value_name = "CHAR", value_parser = separator, help_heading = "Data")]
    pub separator: Option<char>,

    /// The CSV file has no line of names: the columns are called 1, 2, 3 ...
    #[arg(long, help_heading = "Data")]
    pub no_header: bool,

    /// The words for a missing value in the CSV file, beside an empty field.
    #[arg(
        long,
        help = "The words for a missing value in the CSV file, beside an empty field \
                [default: NA, N/A, #N/A, #NA, <NA>, na, n/a, NaN, nan, NAN, NULL, Null, null, None, -, ., ?]",
        value_name = "WORD,...",
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_parser = mark,
        help_heading = "Data"
    )]
    pub missing: Vec<String>,
}

/// The values in a file, row by row.
pub(super) struct Records {
    /// The names of the columns.
    pub(super) names: Vec<Name>,
    /// The rows, each with the number of its line in the file. All have as many values.
    pub(super) rows: Vec<(u64, StringRecord)>,
    /// What stands between the values.
    pub(super) separator: char,
    /// What was found that its owner should know.
    pub(super) notes: Vec<String>,
}

/// What a column is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Its name, or its number from 1 where it has none.
    pub(super) name: String,
    /// Has it none, while others may have?
    pub(super) unnamed: bool,
}

impl Layout {
    /// The same, with what is open as in a save.
    pub fn or(self, saved: &Self) -> Self {
        let missing = if self.missing.is_empty() { saved.missing.clone() } else { self.missing };
        Self {
            separator: self.separator.or(saved.separator),
            no_header: self.no_header || saved.no_header,
            missing,
        }
    }

    /// Does it stand for a value that is not known? Numbers are the same in any spelling.
    pub(super) fn is_missing(&self, value: &str) -> bool {
        let same =
            |mark: &str| mark == value || number(mark).is_some_and(|n| number(value) == Some(n));
        let usual = self.missing.is_empty() && MISSING.contains(&value);
        value.is_empty() || usual || self.missing.iter().any(|mark| same(mark))
    }

    /// Takes a text apart.
    pub(super) fn read(&self, text: &str) -> Result<Records> {
        let separator = self.separator.map_or_else(|| Ok(detect(text)), u8::try_from);
        let separator = separator.context("--separator must be a character of one byte")?;
        let mut rows = records(text, separator, usize::MAX)?;
        let mut notes = Vec::new();
        if separator != SEPARATORS[0] && self.separator.is_none() {
            notes.push(format!("values are separated by {}", show(separator)));
        }
        ensure!(!rows.is_empty(), "there is no row, and no names of columns");
        let names: Vec<Name> = if self.no_header {
            let number = |number: usize| Name { name: number.to_string(), unnamed: false };
            (1..=rows[0].1.len()).map(number).collect()
        } else {
            names(&rows.remove(0).1)
        };
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(&name.name)) {
            let hint = "; if the first line has no names: --no-header";
            bail!("two columns are called `{}`{hint}", twice.name);
        }
        if !self.no_header && names.iter().all(|name| number(&name.name).is_some()) {
            let note =
                "the first line has numbers for the names of columns; if it is a row: --no-header";
            notes.push(note.into());
        }
        ensure!(!rows.is_empty(), "there is no row below the names of the columns");
        for (line, row) in &rows {
            let (found, expected) = (row.len(), names.len());
            let values = if found == 1 { "value" } else { "values" };
            let columns = if expected == 1 { "column" } else { "columns" };
            ensure!(
                found == expected,
                "line {line} has {found} {values}, but there are {expected} {columns}, separated by {}",
                show(separator)
            );
        }
        Ok(Records { names, rows, separator: separator.into(), notes })
    }
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The names in the first line, which may begin as a comment does. pandas has its own word for none.
fn names(record: &StringRecord) -> Vec<Name> {
    let name = |(at, name): (usize, &str)| {
        let name = if at == 0 { name.trim_start_matches('#').trim_start() } else { name };
        let number = || (at + 1).to_string();
        Name {
            name: if name.is_empty() { number() } else { name.into() },
            unnamed: name.is_empty() || name.starts_with("Unnamed: "),
        }
    };
    record.iter().enumerate().map(name).collect()
}

/// The first records of a text with the numbers of their lines, but for comments: lines that begin
/// with `#` and do not come apart into as many values as the others.
fn records(text: &str, separator: u8, most: usize) -> Result<Vec<(u64, StringRecord)>> {
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let (mut records, mut line) = (Vec::new(), Lines::new(text));
    for record in reader.records().take(most) {
        let record = record?;
        let begin = record.position().map_or(0, |position| position.byte());
        records.push((line.at(begin as usize), record));
    }
    if declared(text).is_some() {
        records.remove(0);
    }
    let begins = |record: &StringRecord| record.get(0).is_some_and(|value| value.starts_with('#'));
    let first = records.iter().find(|(_, record)| !begins(record)).or(records.first());
    let width = first.map_or(0, |(_, record)| record.len());
    records.retain(|(_, record)| {
        let comment = begins(record) && (record.len() != width || width == 1);
        let blank = record.len() == 1 && width > 1 && record[0].is_empty();
        !comment && !blank
    });
    Ok(records)
}

/// The separator that the first line names, as Excel writes it: `sep=;`.
fn declared(text: &str) -> Option<u8> {
    let (separator, line) = text.strip_prefix("sep=")?.split_at_checked(1)?;
    (line.is_empty() || line.starts_with(['\r', '\n'])).then_some(separator.as_bytes()[0])
}

/// The numbers of lines, of places that come one after the other.
struct Lines<'a> {
    text: &'a [u8],
    place: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), place: 0, line: 1 }
    }

    /// The line of the first letter that is at a place or behind it.
    fn at(&mut self, place: usize) -> u64 {
        let behind = &self.text[place.min(self.text.len())..];
        let blank = behind.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let place = place + blank;
        let between = &self.text[self.place..place];
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.place = place;
        self.line
    }
}

/// Of the separators by which the first lines come apart into as many values each, and no quotation
/// mark is left, the one that makes the most; where none does, the one that makes the most of the
/// first line.
fn detect(text: &str) -> u8 {
    if let Some(separator) = declared(text) {
        return separator;
    }
    let of = |separator: &u8| {
        let records = records(text, *separator, SAMPLE).unwrap_or_default();
        let width = records.first().map_or(0, |(_, record)| record.len());
        let same = records.iter().all(|(_, record)| record.len() == width);
        let quoted = records.iter().flat_map(|(_, record)| record).any(|value| value.contains('"'));
        (same && width > 1, !quoted, width)
    };
    SEPARATORS.into_iter().rev().max_by_key(of).unwrap_or(SEPARATORS[0])
}

fn show(separator: u8) -> String {
    match separator {
        b'\t' => "tabs".into(),
        b' ' => "spaces".into(),
        other => format!("`{}`", char::from(other)),
    }
}

/// A word that stands for a missing value; a flag that comes next is none.
fn mark(text: &str) -> Result<String, String> {
    match text.starts_with("--") {
        true => Err("a word must come first, as in --missing NA,-999".into()),
        false => Ok(text.trim().into()),
    }
}

fn separator(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() && !"\"\r\n".contains(letter) => Ok(letter),
        _ => Err("it must be a character of ASCII, or `tab`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Records {
        Layout::default().read(text).unwrap()
    }

    fn names(records: &Records) -> Vec<&str> {
        records.names.iter().map(|name| &*name.name).collect()
    }

    fn rows(records: &Records) -> Vec<String> {
        let row = |(line, row): &(u64, StringRecord)| {
            format!("{line}:{}", row.iter().collect::<Vec<_>>().join("/"))
        };
        records.rows.iter().map(row).collect()
    }

    #[test]
    fn the_separator_is_the_one_that_fits() {
        for (text, separator) in [
            ("a,b\n1,2\n", ','),
            ("a;b;c\n1,5;2;3\n", ';'),
            ("a\tb\n1,2\t3\n4,5\t6\n", '\t'),
            ("a|b\n1|2\n", '|'),
            ("\"a;b\",c\n1,2\n", ','),
            ("a;\"b, c\"\n1;\"x, y\"\n", ';'),
            ("# made, by; hand\na;b\n1;2\n", ';'),
            ("a\n1\n", ','),
        ] {
            assert_eq!(read(text).separator, separator, "{text}");
        }
        let given = Layout { separator: Some(';'), ..Layout::default() };
        assert_eq!(names(&given.read("a,b;c\n1,2;3\n").unwrap()), ["a,b", "c"]);
    }

    #[test]
    fn the_first_line_may_name_the_separator() {
        let records = read("sep=;\r\na,b;c\r\n1,2;3\r\n");
        assert_eq!((records.separator, names(&records)), (';', vec!["a,b", "c"]));
        assert_eq!(rows(&records), ["3:1,2/3"]);
        assert_eq!(names(&read("sep=x,y\n1,2\n")), ["sep=x", "y"]);
    }

    #[test]
    fn comments_are_left_out_and_lines_counted() {
        let records =
            read("# one\n# two, three, four\n\na,b\n1,2\n\n# five\n\"x\ny\",4\r\n#N/A,6\n");
        assert_eq!(names(&records), ["a", "b"]);
        assert_eq!(rows(&records), ["5:1/2", "8:x\ny/4", "10:#N/A/6"]);
    }

    #[test]
    fn names_may_look_like_a_comment_or_be_missing() {
        assert_eq!(names(&read("# x,y\n1,2\n")), ["x", "y"]);
        assert_eq!(names(&read(",y\n1,2\n")), ["1", "y"]);
        let layout = Layout { no_header: true, ..Layout::default() };
        let records = layout.read("5,6\n1,2\n").unwrap();
        assert_eq!((names(&records), records.rows.len()), (vec!["1", "2"], 2));
        assert!(read("5,6\n1,2\n").notes[0].contains("--no-header"));
    }

    #[test]
    fn missing_values_are_the_usual_ones_or_those_given() {
        let usual = Layout::default();
        assert!(MISSING.into_iter().chain([""]).all(|mark| usual.is_missing(mark)));
        assert!(!usual.is_missing("-999") && !usual.is_missing("none"));
        let given = Layout { missing: vec!["-999".into(), "x".into()], ..Layout::default() };
        for (value, missing) in [("", true), ("-999.0", true), ("x", true), ("NA", false)] {
            assert_eq!(given.is_missing(value), missing, "{value}");
        }
    }

    #[test]
    fn bad_tables_are_refused() {
        let error = |text| format!("{:#}", Layout::default().read(text).err().unwrap());
        assert!(error("a,a\n1,2\n").contains("two columns are called `a`; if the first line"));
        assert!(error("a,b\n").contains("no row"));
        assert!(error("# only\n# comments, two\n").contains("no row"));
        assert!(error("a,b\n1,2\n\n1\n").contains("line 4 has 1 value, but there are 2 columns"));
    }

    #[test]
    fn the_help_names_the_usual_marks() {
        use clap::{Args, Command};
        let command = Layout::augment_args(Command::new("test"));
        let missing = command.get_arguments().find(|arg| arg.get_id() == "missing").unwrap();
        let help = missing.get_help().unwrap().to_string();
        assert!(help.ends_with(&format!("[default: {}]", MISSING.join(", "))), "{help}");
    }
}
