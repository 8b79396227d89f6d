//! For what a number is one.

/// For what a number is one: each element has its own, or all elements of a row share it, and so on up
/// to the whole model. A state lives in a domain, a sum goes to one, and a number of a coarser domain is
/// the same for all elements that it stands for.
///
/// A tensor is seen as outputs × inputs, whatever its order in memory: see [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// One number an element.
    Element,
    /// One an output: a row of outputs × inputs. A vector is one row.
    Row,
    /// One an input: a column.
    Column,
    /// One a matrix: fewer than one a tensor only where a tensor is a stack of matrices.
    Matrix,
    /// One a tensor.
    Tensor,
    /// One for all tensors that are stepped together.
    Model,
}

impl Domain {
    /// The domain of what follows from numbers of both.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::Domain;
    ///
    /// assert_eq!(Domain::Row.with(Domain::Tensor), Domain::Row);
    /// assert_eq!(Domain::Row.with(Domain::Column), Domain::Element);
    /// ```
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Row, Self::Column) | (Self::Column, Self::Row) => Self::Element,
            _ => self.min(other),
        }
    }

    /// Is a number of this domain one number for all that a number of `other` stands for?
    pub fn is_one_for(self, other: Self) -> bool {
        self.with(other) == other
    }

    /// Its name in a text: `row`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Element => "element",
            Self::Row => "row",
            Self::Column => "column",
            Self::Matrix => "matrix",
            Self::Tensor => "tensor",
            Self::Model => "model",
        }
    }
}

/// How a tensor is seen: as a stack of matrices of outputs × inputs, mostly of one.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::{Domain, View};
///
/// let view = View::matrix(3, 4);
/// assert_eq!(view.numbers(Domain::Row), 3);
/// assert_eq!(view.elements(Domain::Row), 4);
/// // The element 6 is in row 1 and column 2; where columns come one after another, in row 0.
/// assert_eq!((view.place(Domain::Row, 6), view.place(Domain::Column, 6)), (1, 2));
/// assert_eq!(view.by_columns().place(Domain::Row, 6), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// How many matrices.
    pub matrices: usize,
    /// Rows of each: its outputs.
    pub rows: usize,
    /// Columns of each: its inputs.
    pub columns: usize,
    /// Do the elements of a column come one after another in the tensor, where those of a row do
    /// otherwise? So it is in burn's `Linear`, of inputs × outputs.
    pub by_columns: bool,
    /// Do the matrices lie beside each other, each line of one after the same line of the one before? So do the
    /// [heads](Self::heads) of burn's `Linear`.
    pub abreast: bool,
}

impl View {
    /// A vector: one row.
    pub fn vector(len: usize) -> Self {
        Self::matrix(1, len)
    }

    /// A matrix, row after row.
    pub fn matrix(rows: usize, columns: usize) -> Self {
        Self::stack(1, rows, columns)
    }

    /// Matrices one after another, each row after row.
    pub fn stack(matrices: usize, rows: usize, columns: usize) -> Self {
        Self { matrices, rows, columns, by_columns: false, abreast: false }
    }

    /// A tensor of this shape: a vector is one row, and what has more than two dimensions one matrix, of
    /// the first dimension and of all others. The first are the outputs, unless `by_columns` says that
    /// they are the inputs.
    pub fn of(shape: &[usize], by_columns: bool) -> Self {
        match *shape {
            [] => Self::vector(1),
            [len] => Self::vector(len),
            [first, ref others @ ..] => match (first, others.iter().product()) {
                (inputs, outputs) if by_columns => Self::matrix(outputs, inputs).by_columns(),
                (outputs, inputs) => Self::matrix(outputs, inputs),
            },
        }
    }

    /// A tensor of this shape, of which each matrix of the last two dimensions is a matrix.
    pub fn of_last_two(shape: &[usize], by_columns: bool) -> Self {
        match *shape {
            [ref stack @ .., first, last] if !stack.is_empty() => {
                Self::stack(stack.iter().product(), first, last)
            }
            _ => Self::of(shape, by_columns),
        }
    }

    /// Is it one row of one matrix?
    pub fn is_vector(self) -> bool {
        self.matrices == 1 && self.rows == 1 && !self.by_columns
    }

    /// The same matrices, column after column.
    pub fn by_columns(self) -> Self {
        Self { by_columns: true, ..self }
    }

    /// The same matrix as a stack of as many heads, each of which has its share of the outputs, one after another;
    /// `None` where there is no such share.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::{Domain, View};
    ///
    /// let heads = View::matrix(6, 4).heads(2).unwrap();
    /// assert_eq!((heads.matrices, heads.rows, heads.columns), (2, 3, 4));
    /// // In burn's `Linear` an input has its six outputs one after another: three of a head, three of the other.
    /// let heads = View::matrix(6, 4).by_columns().heads(2).unwrap();
    /// assert_eq!([0, 2, 3, 5, 6].map(|element| heads.place(Domain::Matrix, element)), [0, 0, 1, 1, 0]);
    /// assert_eq!(View::matrix(6, 4).heads(4), None);
    /// ```
    pub fn heads(self, heads: usize) -> Option<Self> {
        let is_shared = self.matrices == 1 && heads > 0 && self.rows.is_multiple_of(heads);
        is_shared.then(|| Self {
            matrices: heads,
            rows: self.rows / heads,
            abreast: self.by_columns && heads > 1,
            ..self
        })
    }

    /// The line of this number in memory, where the lines of one matrix after another are numbered.
    pub fn line_in_memory(self, line: usize) -> usize {
        let lines = self.lines();
        if self.abreast { line % lines * self.matrices + line / lines } else { line }
    }

    /// The number of a line of elements in memory.
    pub fn line(self, in_memory: usize) -> usize {
        match self.abreast {
            true => in_memory % self.matrices * self.lines() + in_memory / self.matrices,
            false => in_memory,
        }
    }

    /// How many lines of elements a matrix has: rows, or columns where those lie one after another.
    pub fn lines(self) -> usize {
        if self.by_columns { self.columns } else { self.rows }
    }

    /// How many elements such a line has.
    pub fn length(self) -> usize {
        if self.by_columns { self.rows } else { self.columns }
    }

    /// How many elements there are.
    pub fn len(self) -> usize {
        self.matrices * self.rows * self.columns
    }

    /// Is there no element?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many numbers of a domain there are.
    pub fn numbers(self, of: Domain) -> usize {
        match of {
            Domain::Element => self.len(),
            Domain::Row => self.matrices * self.rows,
            Domain::Column => self.matrices * self.columns,
            Domain::Matrix => self.matrices,
            Domain::Tensor | Domain::Model => 1,
        }
    }

    /// How many elements of this tensor a number of a domain stands for.
    pub fn elements(self, of: Domain) -> usize {
        match of {
            Domain::Element => 1,
            Domain::Row => self.columns,
            Domain::Column => self.rows,
            Domain::Matrix => self.rows * self.columns,
            Domain::Tensor | Domain::Model => self.len(),
        }
    }

    /// The number of a domain that stands for this element of the tensor.
    pub fn place(self, of: Domain, element: usize) -> usize {
        let line = self.line(element / self.length());
        let position = element % self.length();
        let (matrix, line) = (line / self.lines(), line % self.lines());
        let (row, column) = if self.by_columns { (position, line) } else { (line, position) };
        match of {
            Domain::Element => element,
            Domain::Row => matrix * self.rows + row,
            Domain::Column => matrix * self.columns + column,
            Domain::Matrix => matrix,
            Domain::Tensor | Domain::Model => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_stands_for_as_many_elements_as_it_says() {
        for view in [
            View::vector(5),
            View::matrix(3, 4),
            View::stack(2, 3, 4),
            View::stack(2, 3, 4).by_columns(),
            View::matrix(6, 4).heads(2).unwrap(),
            View::matrix(6, 4).by_columns().heads(3).unwrap(),
        ] {
            for of in [
                Domain::Element,
                Domain::Row,
                Domain::Column,
                Domain::Matrix,
                Domain::Tensor,
                Domain::Model,
            ] {
                let mut counts = vec![0; view.numbers(of)];
                (0..view.len()).for_each(|element| counts[view.place(of, element)] += 1);
                assert!(
                    counts.iter().all(|n| *n == view.elements(of)),
                    "{view:?} {of:?} {counts:?}"
                );
            }
        }
    }

    #[test]
    fn heads_are_the_same_rows_and_columns_apart() {
        for whole in [View::matrix(6, 4), View::matrix(6, 4).by_columns()] {
            let heads = whole.heads(2).unwrap();
            for element in 0..whole.len() {
                let place = |view: View, of| view.place(of, element);
                let row = place(whole, Domain::Row);
                assert_eq!(place(heads, Domain::Row), row);
                assert_eq!(place(heads, Domain::Matrix), row / 3);
                let column = row / 3 * 4 + place(whole, Domain::Column);
                assert_eq!(place(heads, Domain::Column), column);
            }
            (0..8).for_each(|line| assert_eq!(heads.line(heads.line_in_memory(line)), line));
        }
        assert_eq!(View::stack(2, 6, 4).heads(2), None);
    }

    #[test]
    fn what_follows_from_a_row_and_a_column_is_an_element() {
        use Domain::*;
        assert!(Tensor.is_one_for(Row) && Row.is_one_for(Row) && Model.is_one_for(Tensor));
        assert!(!Row.is_one_for(Column) && !Row.is_one_for(Tensor) && Row.is_one_for(Element));
        assert_eq!([Matrix.with(Column), Model.with(Matrix)], [Column, Matrix]);
    }
}
