//! The rule as one pass over slices, with vectors.

use super::collect::{Collect, domain};
use super::run::Run;
use super::two::Two;
use super::window::{Around, First, Window, block, is_one_a_line, lines, store};
use crate::MAX_LANES;
use crate::grid::Grid;
use burn_descent_rules::forms::{has_lines, lanes};
use burn_descent_rules::noise::Draw;
use burn_descent_rules::{Domain, Fields, Fold, MAX_STAGES, MAX_SUMS, Over, Presence, Real, Rule};

/// One step of a rule on one thread: parameter and states are updated in place. The last argument is the
/// place of the first number in its grid.
pub(crate) type Pass<T> = fn(&mut [T], &[T], States<'_, T>, &Given<'_, T>, usize);

/// The slices of the states; those of which there is not one number for each of the parameter are empty.
pub(crate) type States<'a, T> = [&'a mut [T]; MAX_LANES];

/// What is given to all passes of a step of one tensor.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a, T> {
    /// The rule's scalars, then the factor of the gradient.
    pub(super) scalars: &'a [f64],
    /// The random numbers of the rule, if it draws some.
    pub(super) draw: Option<Draw>,
    pub(super) grid: Grid,
    /// `None` where there is neither a sum nor a coarse state.
    pub(super) around: Option<&'a Around<T>>,
}

/// What a rule does with slices of `T`.
pub(super) struct Passes<T: 'static> {
    pub(super) update: Pass<T>,
    /// The sums of each stage.
    pub(super) stages: [Option<Collect<T>>; MAX_STAGES],
}

impl<T: Real + Into<f64>> Passes<T> {
    /// Those of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
    fn of<U: Rule, P: Presence, Q: Presence>() -> Self {
        // Stages that a rule cannot have are not compiled.
        macro_rules! stage {
            ($number:literal) => {
                if U::WHOLES == 0 && U::STAGES > $number {
                    Some(U::collect::<P, Q, T, $number> as Collect<T>)
                } else {
                    None
                }
            };
        }
        let update = if U::WHOLES > 0 { Self::none().update } else { U::pass::<P, Q, T> };
        Self { update, stages: [stage!(0), stage!(1), stage!(2), stage!(3)] }
    }
}

/// The passes of a rule for each type that numbers are computed in.
pub(crate) struct AllPasses {
    pub(super) f32: Passes<f32>,
    pub(super) f64: Passes<f64>,
}

impl AllPasses {
    /// Those of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
    pub(crate) fn of<U: Rule, P: Presence, Q: Presence>() -> Self {
        Self {
            f32: Passes::of::<U, P, Q>(),
            #[cfg(feature = "f64")]
            f64: Passes::of::<U, P, Q>(),
            #[cfg(not(feature = "f64"))]
            f64: Passes::none(),
        }
    }
}

impl<T> Passes<T> {
    /// None: for a rule of whole matrices, and for a type that none are compiled for.
    fn none() -> Self {
        Self { update: by_operations::<T>, stages: [None; MAX_STAGES] }
    }
}

/// In the place of a pass.
fn by_operations<T>(_: &mut [T], _: &[T], _: States<'_, T>, _: &Given<'_, T>, _: usize) {
    unreachable!("what has no passes steps by tensor operations")
}

/// Elements that are loaded, updated and stored together.
const BLOCK: usize = 32;

/// The second half of a block is computed beside the first.
const HALF: usize = BLOCK / 2;

/// [`Pass`] of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
#[inline(always)]
pub(super) fn pass<U: Rule, P: Presence, Q: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    states: States<'_, T>,
    given: &Given<'_, T>,
    first: usize,
) {
    U::with_vectors(
        #[inline(always)]
        || match given.around {
            Some(around) if sees::<U>() => {
                // What is not there is not compiled: a constant says so, and not a match.
                if const { has_lines::<U::State<()>, P>() } {
                    if given.grid.has_line_rows() {
                        by_lines::<U, P, Q, T, { lines::ROWS }>(p, g, states, given, around, first);
                    } else {
                        by_lines::<U, P, Q, T, { lines::COLUMNS }>(
                            p, g, states, given, around, first,
                        );
                    }
                } else {
                    by_lines::<U, P, Q, T, { lines::ANY }>(p, g, states, given, around, first);
                }
            }
            _ => blocks::<U, P, Q, T>(p, g, states, given, first),
        },
    );
}

/// May the rule see beyond its element?
const fn sees<U: Rule>() -> bool {
    U::SUMS > 0 || <U::State<()> as Fields<()>>::COARSE
}

/// A rule that sees its element only.
#[inline(always)]
fn blocks<U: Rule, P: Presence, Q: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    mut states: States<'_, T>,
    given: &Given<'_, T>,
    first: usize,
) {
    let (k, factor) = scalars::<U, Q, _, T>(given.scalars);
    let over = Seen::nothing(given.draw);
    let (mut p_blocks, mut g_blocks) = (p.chunks_exact_mut(BLOCK), g.chunks_exact(BLOCK));
    let mut at = 0;
    for (p, g) in p_blocks.by_ref().zip(g_blocks.by_ref()) {
        step::<U, P, T, { lines::ANY }>(
            p,
            g,
            &mut states,
            at,
            first + at,
            k,
            factor,
            over,
            None,
            |_| over.known,
        );
        at += BLOCK;
    }
    let (p, g) = (p_blocks.into_remainder(), g_blocks.remainder());
    if !p.is_empty() {
        step::<U, P, T, { lines::ANY }>(
            p,
            g,
            &mut states,
            at,
            first + at,
            k,
            factor,
            over,
            None,
            |_| over.known,
        );
    }
}

/// A rule that sees sums or coarse states, line after line.
#[inline(always)]
fn by_lines<U: Rule, P: Presence, Q: Presence, T: Real, const LINES: u8>(
    p: &mut [T],
    g: &[T],
    mut states: States<'_, T>,
    given: &Given<'_, T>,
    around: &Around<T>,
    first: usize,
) {
    let (k, factor) = scalars::<U, Q, _, T>(given.scalars);
    let over = Seen::of(given.draw, around);
    let (sums, lanes) = (U::SUMS.min(MAX_SUMS), lanes::<U::State<()>, P>());
    let mut window = Window::<T, BLOCK>::new(around, &given.grid, T::lit(0.0));
    let (grid, length) = (&given.grid, given.grid.length);
    let mut at = 0;
    while at < p.len() {
        let (line, mut position) = (grid.line((first + at) / length), (first + at) % length);
        let end = p.len().min(at + length - position);
        window.enter(line, sums, lanes);
        let first_of_line = window.first();
        while at < end {
            let n = BLOCK.min(end - at);
            window.advance(position, n, sums, lanes);
            let known = |i: usize| (window.known(i), window.known(i + HALF));
            let (p, g) = (&mut p[at..at + n], &g[at..at + n]);
            let place = first + at;
            let line = Some((&window, first_of_line));
            step::<U, P, T, LINES>(p, g, &mut states, at, place, k, factor, over, line, known);
            (at, position) = (at + n, position + n);
        }
    }
}

/// The scalars of the rule, and the factor of the gradient behind them.
#[inline(always)]
pub(super) fn scalars<U: Rule, Q: Presence, R: Real, T: Real>(
    scalars: &[f64],
) -> (U::Scalars<R>, T) {
    let k = U::Scalars::read::<Q>(|lane| R::lit(scalars[lane]));
    (k, T::lit(scalars[lanes::<U::Scalars<()>, Q>()]))
}

/// Updates the numbers from `at` on, a block or what is left of one. They are copied first, so that
/// the compiler sees that no two of the slices overlap, however many there are.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // all of it is inlined
fn step<U: Rule, P: Presence, T: Real, const LINES: u8>(
    p: &mut [T],
    g: &[T],
    states: &mut States<'_, T>,
    at: usize,
    place: usize,
    k: U::Scalars<Two<T>>,
    factor: T,
    over: Seen<T, LINES>,
    line: Option<(&Window<'_, T, BLOCK>, First<T>)>,
    known: impl Fn(usize) -> ([T; MAX_SUMS], [T; MAX_SUMS]),
) {
    let (n, zeros) = (p.len(), [T::lit(0.0); BLOCK]);
    let (mut p_short, mut g_short, mut s_block) = (zeros, zeros, [zeros; MAX_LANES]);
    let (mut p_block, g_block) = (*block(p, &mut p_short), *block(g, &mut g_short));
    let lanes = lanes::<U::State<()>, P>();
    let own = |lane: usize| line.is_none_or(|(window, _)| window.is_own(lane));
    for lane in 0..lanes {
        let mut short = zeros;
        s_block[lane] = match line {
            Some((window, _)) if !window.is_own(lane) => *window.state(lane),
            _ => *block(&states[lane][at..at + n], &mut short),
        };
    }
    for i in 0..HALF {
        let j = i + HALF;
        let g = Two(factor * g_block[i], factor * g_block[j]);
        let s = U::State::read::<P>(|lane| match line {
            Some((_, first)) if is_one_a_line::<LINES>(domain::<U, P>(lane)) => {
                Two(first.states[lane], first.states[lane])
            }
            _ => Two(s_block[lane][i], s_block[lane][j]),
        });
        let first = line.map_or(over.first, |(_, first)| first.known);
        let places = (place + i, place + j);
        let mut over = Seen { first, known: known(i), places, ..over };
        let (p, s) = U::update(Two(p_block[i], p_block[j]), g, s, k, &mut over);
        (p_block[i], p_block[j]) = (p.0, p.1);
        s.write::<P>(|lane, _, s| (s_block[lane][i], s_block[lane][j]) = (s.0, s.1));
    }
    store(&p_block, p);
    for lane in 0..lanes {
        if own(lane) {
            store(&s_block[lane], &mut states[lane][at..at + n]);
        }
    }
}

/// What two numbers see beyond themselves, all sums known.
#[derive(Clone, Copy)]
struct Seen<T, const LINES: u8> {
    /// What is one for the line, and what is here.
    first: [T; MAX_SUMS],
    known: ([T; MAX_SUMS], [T; MAX_SUMS]),
    asked: usize,
    counts: [T; COUNTS],
    draw: Option<Draw>,
    places: (usize, usize),
}

impl<T: Real, const LINES: u8> Seen<T, LINES> {
    #[inline(always)]
    fn nothing(draw: Option<Draw>) -> Self {
        let (zero, none) = (T::lit(0.0), [T::lit(0.0); MAX_SUMS]);
        Self {
            first: none,
            known: (none, none),
            asked: 0,
            counts: [zero; COUNTS],
            draw,
            places: (0, 0),
        }
    }

    #[inline(always)]
    fn of(draw: Option<Draw>, around: &Around<T>) -> Self {
        Self { counts: counts(around), ..Self::nothing(draw) }
    }
}

impl<T: Real, const LINES: u8> Over<Two<T>> for Seen<T, LINES> {
    #[inline(always)]
    fn fold(&mut self, _: Fold, to: Domain, _: Two<T>) -> Two<T> {
        let number = self.asked;
        self.asked += 1;
        match is_one_a_line::<LINES>(to) {
            true => Two(self.first[number], self.first[number]),
            false => Two(self.known.0[number], self.known.1[number]),
        }
    }
    #[inline(always)]
    fn count(&self, of: Domain) -> Two<T> {
        let count = self.counts[of as usize];
        Two(count, count)
    }
    #[inline(always)]
    fn normal(&mut self) -> Two<T> {
        let (i, j) = self.places;
        let normal = |place| self.draw.map_or(T::lit(0.0), |draw| draw.normal(place));
        Two(normal(i), normal(j))
    }
}

/// How many domains there are.
const COUNTS: usize = Domain::Model as usize + 1;

/// How many elements a number of each domain stands for.
#[inline(always)]
pub(super) fn counts<T: Real>(around: &Around<T>) -> [T; COUNTS] {
    use Domain::*;
    let count = |of| T::lit(around.elements(of) as f64);
    [Element, Row, Column, Matrix, Tensor, Model].map(count)
}
