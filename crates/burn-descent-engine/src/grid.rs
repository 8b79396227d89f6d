//! The numbers that a pass goes over, and which of what it sees beyond them stands for which.

use burn_descent_rules::{Domain, Sum, View};

/// For what there are numbers in a sum: what is one for each row needs no more than one read of each row.
pub(crate) fn domain_of(sum: &Sum) -> Domain {
    match sum.of.with(sum.to) {
        Domain::Model => Domain::Tensor,
        domain => domain,
    }
}

/// The numbers of one domain, in lines of one length: all elements of a tensor as they lie in memory, or
/// what there is one number of for each row, column, and so on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    of: Domain,
    view: View,
    /// The lines of a matrix.
    pub(crate) lines: usize,
    /// The numbers of a line.
    pub(crate) length: usize,
    /// All lines.
    pub(crate) all_lines: usize,
}

/// Which of its numbers stands for a number of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Level {
    /// There is one for each.
    Each,
    /// One for each position of the lines of a matrix.
    Position,
    /// One for each line.
    Line,
    /// One for each matrix.
    Matrix,
    /// One.
    One,
    /// None: whatever it is, nothing that the pass is for depends on it.
    Absent,
}

impl Grid {
    pub(crate) fn of(view: View, of: Domain) -> Self {
        let View { matrices, rows, columns, .. } = view;
        let (matrices, lines, length) = match of {
            Domain::Element => (matrices, view.lines(), view.length()),
            Domain::Row => (matrices, 1, rows),
            Domain::Column => (matrices, 1, columns),
            Domain::Matrix => (matrices, 1, 1),
            Domain::Tensor | Domain::Model => (1, 1, 1),
        };
        Self { of, view, lines, length, all_lines: matrices * lines }
    }

    /// The number of a line in memory, and back: those of one matrix are numbered after those of another, and may lie
    /// otherwise.
    pub(crate) fn line_in_memory(&self, line: usize) -> usize {
        if self.of == Domain::Element { self.view.line_in_memory(line) } else { line }
    }

    #[inline(always)]
    pub(crate) fn line(&self, in_memory: usize) -> usize {
        if self.of == Domain::Element { self.view.line(in_memory) } else { in_memory }
    }

    /// From a line in memory to the next one of its matrix.
    pub(crate) fn pitch(&self) -> usize {
        let apart = if self.view.abreast { self.view.matrices } else { 1 };
        apart * self.length
    }

    pub(crate) fn level(&self, of: Domain) -> Level {
        use Domain::{Column, Element, Matrix, Model, Row, Tensor};
        match (self.of, of) {
            (a, b) if a == b => Level::Each,
            (_, Tensor | Model) => Level::One,
            (Element | Row | Column, Matrix) => Level::Matrix,
            (Element, Row) if self.view.by_columns => Level::Position,
            (Element, Column) if !self.view.by_columns => Level::Position,
            (Element, Row | Column) => Level::Line,
            _ => Level::Absent,
        }
    }
}
