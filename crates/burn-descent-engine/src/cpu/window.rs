//! What a pass sees beyond its numbers, and where it lies.

use crate::MAX_LANES;
use crate::grid::{Grid, Level};
use burn_descent_rules::{Domain, MAX_SUMS, View};

impl Grid {
    pub(super) fn len(&self) -> usize {
        self.all_lines * self.length
    }

    /// Are its lines [rows](lines::ROWS), or else [columns](lines::COLUMNS)? The numbers of all rows are one line, and so are
    /// those of all columns: there it is the other of the two that would be one for the line.
    pub(super) fn has_line_rows(&self) -> bool {
        !matches!(self.level(Domain::Row), Level::Each | Level::Position)
    }

    /// The number of a level that stands for the first of some numbers in this line from this position on;
    /// those of [`Level::Each`] and [`Level::Position`] come one after another.
    #[inline(always)]
    pub(super) fn place(&self, level: Level, line: usize, position: usize) -> usize {
        match level {
            Level::Each => line * self.length + position,
            Level::Position => line / self.lines * self.length + position,
            Level::Line => line,
            Level::Matrix => line / self.lines,
            Level::One | Level::Absent => 0,
        }
    }
}

/// Numbers of one domain.
#[derive(Clone, Debug)]
pub(super) struct Numbers<T> {
    pub(super) of: Domain,
    pub(super) list: Vec<T>,
}

/// What a rule sees beyond the numbers of a pass: sums, and states of coarser domains.
#[derive(Clone, Debug)]
pub(crate) struct Around<T> {
    pub(super) view: View,
    /// The elements of all tensors that are stepped together.
    pub(super) model: usize,
    /// The sums that are known, by their number.
    pub(super) known: Vec<Numbers<T>>,
    /// The states before the step, lane by lane; those of the elements are not here.
    pub(super) states: Vec<Numbers<T>>,
}

impl<T> Around<T> {
    /// How many elements a number of a domain stands for.
    pub(super) fn elements(&self, of: Domain) -> usize {
        if of == Domain::Model { self.model } else { self.view.elements(of) }
    }
}

/// The numbers where they are if they are a block, else a copy of them at the start of one.
///
/// Neither here nor in [`store`] does a block go one of two ways that both copy: the compiler would make one copy of
/// a length that is not known.
#[inline(always)]
pub(super) fn block<'a, T: Copy, const N: usize>(
    numbers: &'a [T],
    short: &'a mut [T; N],
) -> &'a [T; N] {
    match numbers.first_chunk() {
        Some(block) => block,
        None => {
            short[..numbers.len()].copy_from_slice(numbers);
            short
        }
    }
}

/// Copies a block, or the start of it, back.
#[inline(always)]
pub(super) fn store<T: Copy, const N: usize>(block: &[T; N], numbers: &mut [T]) {
    let (len, mut short) = (numbers.len(), *block);
    *numbers.first_chunk_mut().unwrap_or(&mut short) = *block;
    if len < N {
        numbers.copy_from_slice(&short[..len]);
    }
}

/// What the lines of a grid are known to be when a pass is compiled: something where a rule has states of rows or
/// columns, for which a pass of their own is worth it.
pub(super) mod lines {
    /// Nothing.
    pub(in super::super) const ANY: u8 = 0;
    /// The rows of a tensor.
    pub(in super::super) const ROWS: u8 = 1;
    /// Its columns.
    pub(in super::super) const COLUMNS: u8 = 2;
}

/// Is a number of this domain one for each of these lines? Then it is outside of the loop over the line, and all that
/// follows from such numbers alone too.
#[inline(always)]
pub(super) const fn is_one_a_line<const LINES: u8>(of: Domain) -> bool {
    match of {
        Domain::Element => false,
        Domain::Row => LINES == lines::ROWS,
        Domain::Column => LINES == lines::COLUMNS,
        Domain::Matrix | Domain::Tensor | Domain::Model => true,
    }
}

/// The sums and the coarse states along a line, a block of numbers at a time.
pub(super) struct Window<'a, T, const N: usize> {
    grid: &'a Grid,
    known: Sources<'a, T, MAX_SUMS, N>,
    states: Sources<'a, T, MAX_LANES, N>,
}

/// Lists of numbers, and what a block of the line sees of them.
struct Sources<'a, T, const COUNT: usize, const N: usize> {
    level: [Level; COUNT],
    list: [&'a [T]; COUNT],
    /// Those of the line where there is one for each position.
    of_line: [&'a [T]; COUNT],
    /// The first of the line.
    first: [T; COUNT],
    /// Those at the block where they are in the list one after another; else they are in `short`.
    at: [Option<&'a [T; N]>; COUNT],
    short: [[T; N]; COUNT],
}

impl<'a, T: Copy, const COUNT: usize, const N: usize> Sources<'a, T, COUNT, N> {
    fn new(all: &'a [Numbers<T>], grid: &Grid, zero: T) -> Self {
        let mut sources = Self {
            level: [Level::Absent; COUNT],
            list: [&[]; COUNT],
            of_line: [&[]; COUNT],
            first: [zero; COUNT],
            at: [None; COUNT],
            short: [[zero; N]; COUNT],
        };
        for (number, numbers) in all.iter().enumerate().take(COUNT) {
            sources.level[number] = grid.level(numbers.of);
            sources.list[number] = &numbers.list;
        }
        sources
    }

    #[inline(always)]
    fn enter(&mut self, count: usize, grid: &Grid, line: usize) {
        for number in 0..count.min(COUNT) {
            let (level, list) = (self.level[number], self.list[number]);
            let of_line = list.get(grid.place(level, line, 0)..).unwrap_or_default();
            let Some(first) = of_line.first() else { continue };
            self.first[number] = *first;
            match level {
                Level::Each | Level::Position => self.of_line[number] = of_line,
                _ => self.short[number] = [*first; N],
            }
        }
    }

    #[inline(always)]
    fn advance(&mut self, count: usize, position: usize, n: usize) {
        for number in 0..count.min(COUNT) {
            let numbers = self.of_line[number].get(position..position + n).unwrap_or_default();
            self.at[number] = numbers.first_chunk();
            if n < N {
                self.short[number][..numbers.len()].copy_from_slice(numbers);
            }
        }
    }

    #[inline(always)]
    fn block(&self, number: usize) -> &[T; N] {
        self.at[number].unwrap_or(&self.short[number])
    }
}

impl<'a, T: Copy, const N: usize> Window<'a, T, N> {
    pub(super) fn new(around: &'a Around<T>, grid: &'a Grid, zero: T) -> Self {
        let known = Sources::new(&around.known, grid, zero);
        Self { grid, known, states: Sources::new(&around.states, grid, zero) }
    }

    /// Is this state one of the numbers of the pass?
    #[inline(always)]
    pub(super) fn is_own(&self, lane: usize) -> bool {
        self.states.level[lane] == Level::Each
    }

    /// Goes to a line, with so many sums and states.
    #[inline(always)]
    pub(super) fn enter(&mut self, line: usize, sums: usize, lanes: usize) {
        self.known.enter(sums, self.grid, line);
        self.states.enter(lanes, self.grid, line);
    }

    /// Goes to the block of `n` numbers at this position of the line. Sums of later stages are not known yet.
    #[inline(always)]
    pub(super) fn advance(&mut self, position: usize, n: usize, sums: usize, lanes: usize) {
        self.known.advance(sums, position, n);
        self.states.advance(lanes, position, n);
    }

    /// The first sums and states of the line.
    #[inline(always)]
    pub(super) fn first(&self) -> First<T> {
        First { known: self.known.first, states: self.states.first }
    }

    /// The sums at place `i` of the block.
    #[inline(always)]
    pub(super) fn known(&self, i: usize) -> [T; MAX_SUMS] {
        core::array::from_fn(|number| self.known.block(number)[i])
    }

    /// The states at the block.
    #[inline(always)]
    pub(super) fn state(&self, lane: usize) -> &[T; N] {
        self.states.block(lane)
    }
}

/// What is the same for a whole line, where a domain is one for each.
#[derive(Clone, Copy)]
pub(super) struct First<T> {
    pub(super) known: [T; MAX_SUMS],
    pub(super) states: [T; MAX_LANES],
}
