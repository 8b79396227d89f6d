//! The sums of a stage over a part of a tensor.

use super::deep::Deep;
use super::pass::{Given, counts, scalars};
use super::run::Run;
use super::window::{Around, First, Window, block, is_one_a_line, lines};
use crate::MAX_LANES;
use crate::grid::Level;
use burn_descent_rules::forms::{has_lines, lanes};
use burn_descent_rules::noise::Draw;
use burn_descent_rules::{Domain, Fields, Fold, MAX_SUMS, Over, Presence, Real, Rule};
use core::ops::Range;

/// The sums of a stage on one thread.
pub(crate) type Collect<T> =
    fn(&Tile<'_, T>, &Given<'_, T>, &[Option<Wanted>; MAX_SUMS], &mut Collected);

/// The states to be read; those of which there is not one number for each of the parameter are empty.
pub(crate) type SharedStates<'a, T> = [&'a [T]; MAX_LANES];

/// Lines, and positions in all of them.
#[derive(Clone, Debug)]
pub(crate) struct Tile<'a, T> {
    /// Parameter and gradient from the first of the numbers on.
    pub(super) p: &'a [T],
    pub(super) g: &'a [T],
    /// From a number of them to the one below it.
    pub(super) pitch: usize,
    pub(super) states: SharedStates<'a, T>,
    /// The place of the first number of the states in their tensor.
    pub(super) begin: usize,
    pub(super) lines: Range<usize>,
    pub(super) positions: Range<usize>,
    /// What is collected begins with this line and position.
    pub(super) origin: (usize, usize),
}

/// A sum of this stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(super) fold: Fold,
    /// Where it goes to.
    pub(super) level: Level,
}

/// The sums of a part of a tensor, by their number: as many as there are lines, positions, or one.
pub(crate) type Collected = [Vec<f64>; MAX_SUMS];

/// Numbers that are computed in one loop, and their sums with them: so many that it is made of vectors, and not unrolled
/// into single numbers first.
pub(super) const SIDE: usize = 64;

/// Adds one number to another.
#[inline(always)]
pub(super) fn put(fold: Fold, to: &mut f64, x: f64) {
    match fold {
        Fold::Sum => *to += x,
        Fold::Max if *to < x => *to = x,
        Fold::Max => {}
        Fold::Whole => *to = x,
    }
}

/// What changes nothing when a number is put to it.
pub(super) fn neutral(fold: Fold) -> f64 {
    if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY }
}

/// What changes nothing, side by side for each sum.
fn neutral_all(wanted: &[Option<Wanted>; MAX_SUMS]) -> [[f64; SIDE]; MAX_SUMS] {
    wanted.map(|wanted| [wanted.map_or(0.0, |wanted| neutral(wanted.fold)); SIDE])
}

/// [`Collect`] of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
#[inline(always)]
pub(super) fn collect<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>, const STAGE: u8>(
    tile: &Tile<'_, T>,
    given: &Given<'_, T>,
    wanted: &[Option<Wanted>; MAX_SUMS],
    to: &mut Collected,
) {
    if let Some(around) = given.around {
        // It is given away, for what is called once is inlined with the instructions of its caller.
        let window = Window::<T, SIDE>::new(around, &given.grid, T::lit(0.0));
        U::with_vectors(
            #[inline(always)]
            || {
                // What is not there is not compiled: a constant says so, and not a match.
                if const { has_lines::<U::State<()>, P>() } {
                    if given.grid.has_line_rows() {
                        all::<U, P, Q, T, STAGE, { lines::ROWS }>(
                            tile, given, around, window, wanted, to,
                        );
                    } else {
                        all::<U, P, Q, T, STAGE, { lines::COLUMNS }>(
                            tile, given, around, window, wanted, to,
                        );
                    }
                } else {
                    all::<U, P, Q, T, STAGE, { lines::ANY }>(
                        tile, given, around, window, wanted, to,
                    );
                }
            },
        );
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // one number counts in several lists
fn all<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>, const STAGE: u8, const LINES: u8>(
    tile: &Tile<'_, T>,
    given: &Given<'_, T>,
    around: &Around<T>,
    mut window: Window<'_, T, SIDE>,
    wanted: &[Option<Wanted>; MAX_SUMS],
    to: &mut Collected,
) {
    let (k, factor) = scalars::<U, Q, Deep<T>, T>(given.scalars);
    let (counts, draw, grid) = (counts(around), given.draw, &given.grid);
    let (sums, lanes) = (U::SUMS.min(MAX_SUMS), lanes::<U::State<()>, P>());
    let start = neutral_all(wanted);
    // Those of the tile, or of a line.
    let mut parts = start;
    let mut terms = [[T::lit(0.0); SIDE]; MAX_SUMS];
    let (line0, position0) = tile.origin;
    for line in tile.lines.clone() {
        window.enter(line, sums, lanes);
        let first = window.first();
        let row = (line - tile.lines.start) * tile.pitch;
        let mut position = tile.positions.start;
        while position < tile.positions.end {
            let n = SIDE.min(tile.positions.end - position);
            window.advance(position, n, sums, lanes);
            let place = grid.line_in_memory(line) * grid.length + position;
            let over = Stage::<T, STAGE, LINES>::of(first.known, counts, draw, place);
            let at = row + position - tile.positions.start;
            find::<U, P, T, STAGE, LINES>(&mut terms, tile, &window, first, at, n, k, factor, over);
            for number in 0..sums {
                let Some(Wanted { fold, level }) = wanted[number] else { continue };
                if n < SIDE {
                    terms[number][n..].fill(T::lit(neutral(fold)));
                }
                let parts = match level {
                    // A tile of which each number has its sum is one line.
                    Level::Each | Level::Position => &mut to[number][position - position0..],
                    _ => &mut parts[number][..],
                };
                if let Some(parts) = parts.first_chunk_mut() {
                    put_all(fold, parts, &terms[number]);
                }
            }
            position += n;
        }
        for number in 0..sums {
            if let Some(Wanted { fold, level: Level::Line }) = wanted[number] {
                let to = &mut to[number][line - line0];
                parts[number].iter().for_each(|part| put(fold, to, *part));
                parts[number] = start[number];
            }
        }
    }
    for number in 0..sums {
        if let Some(Wanted { fold, level: Level::One | Level::Matrix }) = wanted[number] {
            parts[number].iter().for_each(|part| put(fold, &mut to[number][0], *part));
        }
    }
}

/// Puts numbers to their sums.
#[inline(always)]
fn put_all<T: Real + Into<f64>>(fold: Fold, sums: &mut [f64; SIDE], terms: &[T; SIDE]) {
    let both = sums.iter_mut().zip(terms);
    match fold {
        Fold::Sum => both.for_each(|(sum, x)| *sum += (*x).into()),
        Fold::Max | Fold::Whole => both.for_each(|(to, x)| put(fold, to, (*x).into())),
    }
}

/// What the sums are of, for `n` numbers: those of the tile from `at` on, at which the window is.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // all of it is inlined
#[allow(clippy::needless_range_loop)] // one number counts in several lists
fn find<U: Rule, P: Presence, T: Real, const STAGE: u8, const LINES: u8>(
    terms: &mut [[T; SIDE]; MAX_SUMS],
    tile: &Tile<'_, T>,
    window: &Window<'_, T, SIDE>,
    first: First<T>,
    at: usize,
    n: usize,
    k: U::Scalars<Deep<T>>,
    factor: T,
    over: Stage<T, STAGE, LINES>,
) {
    let zero = T::lit(0.0);
    let (mut p, mut g, mut s) = ([zero; SIDE], [zero; SIDE], [[zero; SIDE]; MAX_LANES]);
    let (p, g) = (block(&tile.p[at..at + n], &mut p), block(&tile.g[at..at + n], &mut g));
    for lane in 0..lanes::<U::State<()>, P>() {
        let mut own = [zero; SIDE];
        s[lane] = match window.is_own(lane) {
            true => *block(&tile.states[lane][over.place - tile.begin..][..n], &mut own),
            false => *window.state(lane),
        }
    }
    // Numbers behind the `n` are computed, for the length of the loop is known so. In builds that gain nothing by that
    // they are not.
    let count = if cfg!(debug_assertions) { n } else { SIDE };
    for i in 0..count {
        let mut over = Stage { place: over.place + i, known: window.known(i), ..over };
        let s = U::State::read::<P>(|lane| match is_one_a_line::<LINES>(domain::<U, P>(lane)) {
            true => Deep(first.states[lane], 0),
            false => Deep(s[lane][i], 0),
        });
        let _ = U::update(Deep(p[i], 0), Deep(factor * g[i], 0), s, k, &mut over);
        for number in 0..U::SUMS.min(MAX_SUMS) {
            terms[number][i] = over.terms[number];
        }
    }
}

/// The domain of a state.
#[inline(always)]
pub(super) fn domain<U: Rule, P: Presence>(lane: usize) -> Domain {
    let mut found = Domain::Element;
    U::State::<()>::domains::<P>(|at, domain, _| {
        if at == lane {
            found = domain;
        }
    });
    found
}

/// What a number sees beyond itself at a stage: the sums of those before it, and it learns what its own are
/// of.
#[derive(Clone, Copy)]
struct Stage<T, const STAGE: u8, const LINES: u8> {
    /// What is one for the line, and what is here.
    first: [T; MAX_SUMS],
    known: [T; MAX_SUMS],
    terms: [T; MAX_SUMS],
    asked: usize,
    counts: [T; 6],
    draw: Option<Draw>,
    place: usize,
}

impl<T: Real, const STAGE: u8, const LINES: u8> Stage<T, STAGE, LINES> {
    #[inline(always)]
    fn of(first: [T; MAX_SUMS], counts: [T; 6], draw: Option<Draw>, place: usize) -> Self {
        let none = [T::lit(0.0); MAX_SUMS];
        Self { first, known: none, terms: none, asked: 0, counts, draw, place }
    }
}

impl<T: Real, const STAGE: u8, const LINES: u8> Over<Deep<T>> for Stage<T, STAGE, LINES> {
    #[inline(always)]
    fn fold(&mut self, _: Fold, to: Domain, x: Deep<T>) -> Deep<T> {
        let number = self.asked;
        self.asked += 1;
        if x.1 == STAGE {
            self.terms[number] = x.0;
        }
        let known = if is_one_a_line::<LINES>(to) { &self.first } else { &self.known };
        Deep(known[number], x.1 + 1)
    }
    #[inline(always)]
    fn count(&self, of: Domain) -> Deep<T> {
        Deep(self.counts[of as usize], 0)
    }
    #[inline(always)]
    fn normal(&mut self) -> Deep<T> {
        Deep(self.draw.map_or(T::lit(0.0), |draw| draw.normal(self.place)), 0)
    }
}
