//! Tables and texts for a terminal of some width.
//!
//! A table that is too wide is broken inside of its cells, between words. Where the columns do not fit
//! even so, each row becomes a list: the first cell, and below it the others with their columns.

use crate::report;
use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use std::io::stdout;
use terminal_size::terminal_size_of;

/// The width where there is no terminal: of a file, or a pipe.
const ELSEWHERE: u16 = 100;

/// What stands beside the content of a cell.
const PADDING: usize = 2;

/// No column of words is broken to less than this.
const LEAST: usize = 13;

/// A cell of a column of numbers is never broken if it is no longer than this.
const NUMBER: usize = 24;

/// How many letters a line of the standard output has.
pub fn width() -> u16 {
    terminal_size_of(stdout()).map_or(ELSEWHERE, |(width, _)| width.0)
}

/// A table in lines of so many letters: what is a number in all rows is aligned on the right.
pub fn table(table: &report::Table, width: u16) -> String {
    match widths(table, width.into()) {
        Some(widths) => in_columns(table, &widths),
        None => as_lists(table, width),
    }
}

/// A text in lines of so many letters.
pub fn paragraph(text: &str, width: u16) -> String {
    pairs([[text]], width, 0)
}

fn in_columns(table: &report::Table, widths: &[usize]) -> String {
    let mut lines = Table::new();
    lines.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    lines.set_width(u16::MAX).set_header(&table.columns).add_rows(&table.rows);
    for (index, (column, width)) in lines.column_iter_mut().zip(widths).enumerate() {
        let width = Width::Fixed((width + PADDING).try_into().unwrap_or(u16::MAX));
        column.set_constraint(ColumnConstraint::Absolute(width));
        if table.is_numeric(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines.to_string()
}

fn as_lists(table: &report::Table, width: u16) -> String {
    let list = |row: &Vec<String>| {
        let head = row.first().map_or(String::new(), |cell| paragraph(cell, width));
        let cells = table.columns.iter().zip(row).skip(1);
        let cells = cells.map(|(column, cell)| [column.as_str(), cell.as_str()]);
        format!("{head}\n{}", pairs(cells, width, 2))
    };
    table.rows.iter().map(list).collect::<Vec<_>>().join("\n\n")
}

/// Lines without rules between them, so many letters from the edge.
fn pairs<'a, const N: usize>(
    rows: impl IntoIterator<Item = [&'a str; N]>,
    width: u16,
    indent: u16,
) -> String {
    let mut lines = Table::new();
    lines.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    lines.set_width(width).add_rows(rows);
    for (index, column) in lines.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { indent } else { 1 }, 1));
    }
    lines.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// How wide each column is, if they fit: at their widest, or broken between words.
fn widths(table: &report::Table, width: usize) -> Option<Vec<usize>> {
    let length = |text: &String| text.chars().count();
    let word = |text: &String| text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    let cells = |column: usize| table.rows.iter().filter_map(move |row| row.get(column));
    let columns = table.columns.iter().enumerate();
    let (widest, least): (Vec<usize>, Vec<usize>) = columns
        .map(|(index, name)| {
            let content = cells(index).map(length).max().unwrap_or(0);
            let whole = table.is_numeric(index) && content <= NUMBER;
            let words = cells(index).map(word).max().unwrap_or(0).max(content.min(LEAST));
            let least = if whole { content } else { words };
            (content.max(length(name)), least.max(word(name)))
        })
        .unzip();
    // There is a letter between each two columns.
    let beside = (PADDING + 1) * widest.len().max(1) - 1;
    let room = width.checked_sub(beside + least.iter().sum::<usize>())?;
    let mut widths = least;
    // A letter at a time for the column that has to be broken most often.
    for _ in 0..room {
        let lines = |index: &usize| (widest[*index] * 1000).div_ceil(widths[*index].max(1));
        let narrow = (0..widths.len()).filter(|index| widths[*index] < widest[*index]);
        let Some(index) = narrow.max_by_key(lines) else { break };
        widths[index] += 1;
    }
    Some(widths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(columns: &[&str], rows: &[&[&str]]) -> report::Table {
        let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        report::Table { columns: row(&columns), rows: rows.iter().map(row).collect() }
    }

    fn claims() -> report::Table {
        let measured = "Under a constant gradient steps without it are 3.2 times as long at step 1, \
                        4.3 times at the worst, and as long at step 10000";
        sample(
            &["claim", "measured", "verdict"],
            &[&["Adam's bias correction matters in the first steps", measured, "does not hold"]],
        )
    }

    fn standings() -> report::Table {
        let columns =
            ["optimizer", "best setting", "accuracy, median", "quartiles", "steps to 0.9"];
        let columns = [&columns[..], &["seconds", "reached", "within 0.01 of best", "diverged"]];
        let row = ["sgd:momentum=0.9", "lr=0.0123 weight_decay=0.1, at the edge", "0.9500"];
        let row = [&row[..], &["0.9412 to 0.9600", "1234", "1.23", "10 of 10", "56 % of 16", "0"]];
        sample(&columns.concat(), &[&row.concat(), &row.concat()])
    }

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 40..200 {
            for sample in [claims(), standings()] {
                let text = table(&sample, width);
                assert!(widest(&text) <= width.into(), "{width}:\n{text}");
                let words = text.split_whitespace().collect::<Vec<_>>();
                let all = sample.rows.iter().flatten().flat_map(|cell| cell.split(' '));
                all.for_each(|word| assert!(words.contains(&word), "{width}: {word}\n{text}"));
            }
        }
    }

    #[test]
    fn what_fits_is_a_line_and_what_does_not_is_broken_or_a_list() {
        let lines = |table: &report::Table, width| super::table(table, width).lines().count();
        assert_eq!(lines(&standings(), 180), 7, "{}", table(&standings(), 180));
        let broken = table(&claims(), 80);
        assert!(broken.contains("does not hold") && broken.lines().count() <= 9, "{broken}");
        let list = table(&standings(), 80);
        assert!(list.starts_with("sgd:momentum=0.9\n  best setting         lr=0.0123"), "{list}");
        assert!(list.contains("\n  quartiles            0.9412 to 0.9600\n"), "{list}");
        assert!(list.contains("\n\nsgd:momentum=0.9\n"), "{list}");
    }

    #[test]
    fn anything_can_be_shown_anywhere() {
        let empty = sample(&["a", "b"], &[]);
        let long = "x".repeat(300);
        for width in [1, 5, 10, 80] {
            table(&empty, width);
            table(&sample(&["a", &long], &[&["1", &long], &["", ""]]), width);
            paragraph(&long, width);
        }
        assert_eq!(paragraph("one two three", 8), "one two\nthree");
    }
}
