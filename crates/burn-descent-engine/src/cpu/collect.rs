//! The sums of a stage over a part of a tensor.

use super::deep::Deep;
use super::pass::{Given, counts, scalars};
use super::window::{Around, Window};
use crate::MAX_LANES;
use crate::grid::Level;
use burn_descent_rules::forms::lanes;
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
    /// All of the states.
    pub(super) states: SharedStates<'a, T>,
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

/// Numbers that are computed side by side, as a vector, and their sums with them.
const SIDE: usize = 16;

/// Adds one number to another.
#[inline(always)]
pub(super) fn put(fold: Fold, to: &mut f64, x: f64) {
    match fold {
        Fold::Sum => *to += x,
        Fold::Max if *to < x => *to = x,
        Fold::Max => {}
    }
}

/// What changes nothing when a number is put to it.
pub(super) fn neutral(fold: Fold) -> f64 {
    if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY }
}

/// [`Collect`] of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
pub(super) fn collect<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>, const STAGE: u8>(
    tile: &Tile<'_, T>,
    given: &Given<'_, T>,
    wanted: &[Option<Wanted>; MAX_SUMS],
    to: &mut Collected,
) {
    if let Some(around) = given.around {
        // It is given away, for what is called once is inlined with the instructions of its caller.
        let window = Window::<T, SIDE>::new(around, &given.grid, T::lit(0.0));
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || lines::<U, P, Q, T, STAGE>(tile, given, around, window, wanted, to),
        );
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // one number counts in several lists
fn lines<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>, const STAGE: u8>(
    tile: &Tile<'_, T>,
    given: &Given<'_, T>,
    around: &Around<T>,
    mut window: Window<'_, T, SIDE>,
    wanted: &[Option<Wanted>; MAX_SUMS],
    to: &mut Collected,
) {
    let zero = T::lit(0.0);
    let (k, factor) = scalars::<U, Q, Deep<T>, T>(given.scalars);
    let (counts, draw, grid) = (counts(around), given.draw, &given.grid);
    let start = wanted.map(|wanted| [wanted.map_or(0.0, |wanted| neutral(wanted.fold)); SIDE]);
    // Of the whole tile, and of a line.
    let (mut whole, mut of_line) = (start, start);
    let (line0, position0) = tile.origin;
    for line in tile.lines.clone() {
        window.enter(line);
        let row = (line - tile.lines.start) * tile.pitch;
        let mut position = tile.positions.start;
        while position < tile.positions.end {
            let n = SIDE.min(tile.positions.end - position);
            window.advance(line, position, n);
            let at = row + position - tile.positions.start;
            let place = line * grid.length + position;
            let (mut p, mut g, mut s) = ([zero; SIDE], [zero; SIDE], [[zero; SIDE]; MAX_LANES]);
            p[..n].copy_from_slice(&tile.p[at..at + n]);
            g[..n].copy_from_slice(&tile.g[at..at + n]);
            for lane in 0..lanes::<U::State<()>, P>() {
                if window.is_own(lane) {
                    s[lane][..n].copy_from_slice(&tile.states[lane][place..place + n]);
                } else {
                    s[lane] = window.state_block[lane];
                }
            }
            let known = window.known_block;
            let mut terms = [[zero; SIDE]; MAX_SUMS];
            for i in 0..SIDE {
                let mut over = Stage::<T, STAGE> {
                    known: [zero; MAX_SUMS],
                    terms: [zero; MAX_SUMS],
                    asked: 0,
                    counts,
                    draw,
                    place: place + i,
                };
                for number in 0..U::SUMS.min(MAX_SUMS) {
                    over.known[number] = known[number][i];
                }
                let s = U::State::read::<P>(|lane| Deep(s[lane][i], 0));
                let _ = U::update(Deep(p[i], 0), Deep(factor * g[i], 0), s, k, &mut over);
                for number in 0..U::SUMS.min(MAX_SUMS) {
                    terms[number][i] = over.terms[number];
                }
            }
            for number in 0..U::SUMS.min(MAX_SUMS) {
                let Some(Wanted { fold, level }) = wanted[number] else { continue };
                let terms = &terms[number];
                let sums = match level {
                    Level::One | Level::Matrix | Level::Absent => &mut whole[number][..],
                    Level::Line => &mut of_line[number][..],
                    Level::Position => &mut to[number][position - position0..],
                    Level::Each => {
                        let width = to[number].len() / (tile.lines.end - line0);
                        &mut to[number][(line - line0) * width + position - position0..]
                    }
                };
                // Of full vectors the compiler knows the length.
                if n == SIDE {
                    let sums = sums[..SIDE].iter_mut();
                    sums.zip(terms).for_each(|(sum, x)| put(fold, sum, (*x).into()));
                } else {
                    let sums = sums[..n].iter_mut();
                    sums.zip(&terms[..n]).for_each(|(sum, x)| put(fold, sum, (*x).into()));
                }
            }
            position += n;
        }
        for number in 0..U::SUMS.min(MAX_SUMS) {
            if let Some(Wanted { fold, level: Level::Line }) = wanted[number] {
                let to = &mut to[number][line - line0];
                of_line[number].iter().for_each(|sum| put(fold, to, *sum));
                of_line[number] = start[number];
            }
        }
    }
    for number in 0..U::SUMS.min(MAX_SUMS) {
        if let Some(Wanted { fold, level: Level::One | Level::Matrix }) = wanted[number] {
            whole[number].iter().for_each(|sum| put(fold, &mut to[number][0], *sum));
        }
    }
}

/// What a number sees beyond itself at a stage: the sums of those before it, and it learns what its own are
/// of.
struct Stage<T, const STAGE: u8> {
    known: [T; MAX_SUMS],
    terms: [T; MAX_SUMS],
    asked: usize,
    counts: [T; 6],
    draw: Option<Draw>,
    place: usize,
}

impl<T: Real, const STAGE: u8> Over<Deep<T>> for Stage<T, STAGE> {
    #[inline(always)]
    fn fold(&mut self, _: Fold, _: Domain, x: Deep<T>) -> Deep<T> {
        let number = self.asked;
        self.asked += 1;
        if x.1 == STAGE {
            self.terms[number] = x.0;
        }
        Deep(self.known[number], x.1 + 1)
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
