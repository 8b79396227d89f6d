//! Which classes are taken for which.

use crate::data::Matrix;
use crate::task::class;
use comfy_table::{CellAlignment, Table, TableComponent, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// So many pairs are shown where a matrix is too wide.
const PAIRS: usize = 10;

/// A name of a class is cut behind so many letters.
const LETTERS: usize = 24;

/// How many examples of each class were taken for which.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: Vec<String>,
    /// By the right class and the predicted one, where there are any.
    counts: BTreeMap<(usize, usize), usize>,
}

impl Confusion {
    /// Counts the outputs of a network against what they should be.
    pub fn new(classes: &[String], outputs: &Matrix, targets: &Matrix) -> Self {
        let mut counts = BTreeMap::new();
        for (output, target) in outputs.rows().zip(targets.rows()) {
            *counts.entry((class(target), class(output))).or_default() += 1;
        }
        Self { classes: classes.to_vec(), counts }
    }

    /// A matrix, a row for each right class and a column for each predicted one; the pairs that are
    /// most often confused where that is wider than so many letters.
    pub fn table(&self, width: usize) -> String {
        let matrix = self.matrix();
        match matrix.lines().map(|line| line.chars().count()).max() {
            Some(wide) if wide > width => self.pairs(),
            _ => matrix,
        }
    }

    /// For each class how often it was taken for which: `{"cat": {"cat": 9, "dog": 1}, ..}`.
    pub fn json(&self) -> Value {
        let row = |right: usize| {
            let counts = self.counts.range((right, 0)..(right + 1, 0));
            let count = |((_, found), count): (&(_, usize), &usize)| {
                (self.classes[*found].clone(), json!(count))
            };
            Value::Object(counts.map(count).collect())
        };
        let rows = self.classes.iter().enumerate();
        Value::Object(rows.map(|(right, name)| (name.clone(), row(right))).collect::<Map<_, _>>())
    }

    fn matrix(&self) -> String {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY);
        let names = || self.classes.iter().map(|name| cut(name));
        table.set_header(["right, predicted:".to_string()].into_iter().chain(names()));
        for (right, name) in names().enumerate() {
            let count = |found| self.counts.get(&(right, found)).copied().unwrap_or(0).to_string();
            table.add_row([name].into_iter().chain((0..self.classes.len()).map(count)));
        }
        align(table, 1)
    }

    fn pairs(&self) -> String {
        let mut pairs: Vec<_> =
            self.counts.iter().filter(|((right, found), _)| right != found).collect();
        if pairs.is_empty() {
            return "no class was taken for another".into();
        }
        pairs.sort_by_key(|(_, count)| core::cmp::Reverse(**count));
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY);
        table.set_header(["most confused", "taken for", "examples", "of"]);
        for ((right, found), count) in pairs.into_iter().take(PAIRS) {
            let of: usize = self.counts.range((*right, 0)..(right + 1, 0)).map(|(_, n)| n).sum();
            let [right, found] = [right, found].map(|class| cut(&self.classes[*class]));
            table.add_row([right, found, count.to_string(), of.to_string()]);
        }
        align(table, 2)
    }
}

fn cut(name: &str) -> String {
    let short: String = name.chars().take(LETTERS).collect();
    if short.len() < name.len() { short + "…" } else { short }
}

/// The table with its numbers to the right: the columns after the first ones.
fn align(mut table: Table, names: usize) -> String {
    for column in table.column_iter_mut().skip(names) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    // Lines between the rows say nothing.
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(classes: usize) -> Confusion {
        let names: Vec<String> = (0..classes).map(|class| format!("class{class}")).collect();
        let right: Vec<usize> = (0..classes * 3).map(|row| row % classes).collect();
        // All of the first class, and one of the second, are taken for their neighbours.
        let neighbour = |(row, class): (usize, &usize)| match class {
            0 => 1,
            1 if row < classes => 2,
            other => *other,
        };
        let found: Vec<usize> = right.iter().enumerate().map(neighbour).collect();
        let rows = |rows: &[usize]| Matrix::one_hot(rows, classes);
        Confusion::new(&names, &rows(&found), &rows(&right))
    }

    #[test]
    fn a_matrix_where_it_fits() {
        let table = confusion(3).table(80);
        let cells = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        let rows: Vec<_> = table.lines().map(cells).filter(|row| row.len() == 4).collect();
        assert_eq!(rows[0], ["class0", "0", "3", "0"], "{table}");
        assert_eq!(rows[1], ["class1", "0", "2", "1"], "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn the_most_confused_pairs_where_a_matrix_is_too_wide() {
        for table in [confusion(100).table(80), confusion(3).table(30)] {
            assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
            let pair = |line: &str, words: [&str; 4]| line.split_whitespace().eq(words);
            assert!(
                table.lines().any(|line| pair(line, ["class0", "class1", "3", "3"])),
                "{table}"
            );
            assert!(
                table.lines().any(|line| pair(line, ["class1", "class2", "1", "3"])),
                "{table}"
            );
        }
        let right = Matrix::one_hot(&[0, 1], 2);
        let none = Confusion::new(&["a".into(), "b".into()], &right, &right);
        assert_eq!(none.table(5), "no class was taken for another");
    }

    #[test]
    fn json_names_the_classes() {
        let expected = json!({
            "class0": { "class1": 3 },
            "class1": { "class1": 2, "class2": 1 },
            "class2": { "class2": 3 },
        });
        assert_eq!(confusion(3).json(), expected);
    }
}
