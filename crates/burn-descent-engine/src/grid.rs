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
    by_columns: bool,
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
        let View { matrices, rows, columns, by_columns } = view;
        let (matrices, lines, length) = match of {
            Domain::Element if by_columns => (matrices, columns, rows),
            Domain::Element => (matrices, rows, columns),
            Domain::Row => (matrices, 1, rows),
            Domain::Column => (matrices, 1, columns),
            Domain::Matrix => (matrices, 1, 1),
            Domain::Tensor | Domain::Model => (1, 1, 1),
        };
        Self { of, by_columns, lines, length, all_lines: matrices * lines }
    }

    pub(crate) fn level(&self, of: Domain) -> Level {
        use Domain::{Column, Element, Matrix, Model, Row, Tensor};
        match (self.of, of) {
            (a, b) if a == b => Level::Each,
            (_, Tensor | Model) => Level::One,
            (Element | Row | Column, Matrix) => Level::Matrix,
            (Element, Row) if self.by_columns => Level::Position,
            (Element, Column) if !self.by_columns => Level::Position,
            (Element, Row | Column) => Level::Line,
            _ => Level::Absent,
        }
    }
}
