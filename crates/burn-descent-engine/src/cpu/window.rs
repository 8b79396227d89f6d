//! What a pass sees beyond its numbers, and where it lies.

use crate::MAX_LANES;
use crate::grid::{Grid, Level};
use burn_descent_rules::{Domain, MAX_SUMS, View};

impl Grid {
    pub(super) fn len(&self) -> usize {
        self.all_lines * self.length
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

/// The sums and the coarse states at a run of numbers in one line, a block at a time.
pub(super) struct Window<'a, T, const N: usize> {
    grid: &'a Grid,
    known: [(Level, &'a [T]); MAX_SUMS],
    states: [(Level, &'a [T]); MAX_LANES],
    pub(super) known_block: [[T; N]; MAX_SUMS],
    pub(super) state_block: [[T; N]; MAX_LANES],
}

impl<'a, T: Copy, const N: usize> Window<'a, T, N> {
    pub(super) fn new(around: &'a Around<T>, grid: &'a Grid, zero: T) -> Self {
        let level = |numbers: &'a Numbers<T>| (grid.level(numbers.of), &numbers.list[..]);
        let (mut known, mut states) =
            ([(Level::Absent, &[][..]); MAX_SUMS], [(Level::Absent, &[][..]); MAX_LANES]);
        known.iter_mut().zip(&around.known).for_each(|(at, numbers)| *at = level(numbers));
        states.iter_mut().zip(&around.states).for_each(|(at, numbers)| *at = level(numbers));
        let (known_block, state_block) = ([[zero; N]; MAX_SUMS], [[zero; N]; MAX_LANES]);
        Self { grid, known, states, known_block, state_block }
    }

    /// Is this state one of the numbers of the pass?
    #[inline(always)]
    pub(super) fn is_own(&self, lane: usize) -> bool {
        self.states[lane].0 == Level::Each
    }

    /// Goes to the start of a part of a line.
    #[inline(always)]
    pub(super) fn enter(&mut self, line: usize) {
        let grid = self.grid;
        let fill = |(level, list): &(Level, &[T]), block: &mut [T; N]| {
            if let Level::Line | Level::Matrix | Level::One = level
                && let Some(number) = list.get(grid.place(*level, line, 0))
            {
                block.fill(*number);
            }
        };
        self.known.iter().zip(&mut self.known_block).for_each(|(at, block)| fill(at, block));
        self.states.iter().zip(&mut self.state_block).for_each(|(at, block)| fill(at, block));
    }

    /// Goes to a block of `n` numbers in this line. Sums from `sums` on are not known yet.
    #[inline(always)]
    pub(super) fn advance(&mut self, line: usize, position: usize, n: usize) {
        let grid = self.grid;
        let copy = |(level, list): &(Level, &[T]), block: &mut [T; N]| {
            if let Level::Each | Level::Position = level {
                let start = grid.place(*level, line, position);
                if let Some(numbers) = list.get(start..start + n) {
                    block[..n].copy_from_slice(numbers);
                }
            }
        };
        self.known.iter().zip(&mut self.known_block).for_each(|(at, block)| copy(at, block));
        self.states.iter().zip(&mut self.state_block).for_each(|(at, block)| copy(at, block));
    }
}
