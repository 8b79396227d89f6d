//! A pass of f32 over what is kept in fewer bytes: chunks are widened to the stack, stepped, and narrowed.

use super::collect::{Collect, Collected, Tile, Wanted};
use super::pass::{Given, Pass};
use super::stored::{Coded, Part, Stored, split_slices};
use crate::MAX_LANES;
use crate::store::{Narrow, WeightCoding};
use burn_descent_rules::MAX_SUMS;
use core::ops::Range;

/// Elements that are widened together: 2 KB of each list on the stack. Blocks of eight-bit numbers end where they do.
const WIDE: usize = 512;

pub(super) type Chunk = [f32; WIDE];

/// A type of which numbers are computed in f32: itself, or one of two bytes.
pub(super) trait Widened: Stored<Compute = f32> {
    /// Widens numbers into a chunk, if they are not computed where they lie.
    fn widen(numbers: &[Self], at: usize, weights: &WeightCoding<'_>, chunk: &mut Chunk);
    /// Where they are computed.
    fn computed<'a>(numbers: &'a mut [Self], chunk: &'a mut Chunk) -> &'a mut [f32];
    /// The same, to be read.
    fn seen<'a>(numbers: &'a [Self], chunk: &'a Chunk) -> &'a [f32];
    /// Keeps what has been computed.
    fn narrow(
        numbers: &mut [Self],
        chunk: &Chunk,
        at: usize,
        place: usize,
        weights: &mut WeightCoding<'_>,
    );
}

impl Widened for f32 {
    #[inline(always)]
    fn widen(_: &[f32], _: usize, _: &WeightCoding<'_>, _: &mut Chunk) {}
    fn computed<'a>(numbers: &'a mut [f32], _: &'a mut Chunk) -> &'a mut [f32] {
        numbers
    }
    fn seen<'a>(numbers: &'a [f32], _: &'a Chunk) -> &'a [f32] {
        numbers
    }
    #[inline(always)]
    fn narrow(_: &mut [f32], _: &Chunk, _: usize, _: usize, _: &mut WeightCoding<'_>) {}
}

impl<T: Stored<Compute = f32> + Narrow> Widened for T {
    #[inline(always)]
    fn widen(numbers: &[T], at: usize, weights: &WeightCoding<'_>, chunk: &mut Chunk) {
        weights.read(at, numbers, chunk);
    }
    fn computed<'a>(numbers: &'a mut [T], chunk: &'a mut Chunk) -> &'a mut [f32] {
        &mut chunk[..numbers.len()]
    }
    fn seen<'a>(numbers: &'a [T], chunk: &'a Chunk) -> &'a [f32] {
        &chunk[..numbers.len()]
    }
    #[inline(always)]
    fn narrow(
        numbers: &mut [T],
        chunk: &Chunk,
        at: usize,
        place: usize,
        weights: &mut WeightCoding<'_>,
    ) {
        weights.write(at, &chunk[..numbers.len()], place, numbers);
    }
}

/// Lists that are widened together.
struct Scratch {
    p: Chunk,
    g: Chunk,
    states: [Chunk; MAX_LANES],
}

impl Scratch {
    fn new() -> Self {
        let zeros = [0.0; WIDE];
        Self { p: zeros, g: zeros, states: [zeros; MAX_LANES] }
    }

    /// Widens elements, the states from a place in their lists on.
    fn widen<T: Widened>(&mut self, p: &[T], g: &[T], coded: &Coded<'_>, at: usize) {
        pulp::Arch::new().dispatch(Widening { scratch: self, p, g, coded, at });
    }

    /// Narrows them after a step.
    fn narrow<T: Widened>(&self, p: &mut [T], coded: &mut Coded<'_>, at: usize, place: usize) {
        pulp::Arch::new().dispatch(Narrowing { scratch: self, p, coded, at, place });
    }
}

/// Work that is compiled for the vectors of the processor.
struct Widening<'a, 'c, T> {
    scratch: &'a mut Scratch,
    p: &'a [T],
    g: &'a [T],
    coded: &'a Coded<'c>,
    at: usize,
}

impl<T: Widened> pulp::NullaryFnOnce for Widening<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self { scratch, p, g, coded, at } = self;
        T::widen(p, at, &coded.weights, &mut scratch.p);
        T::widen(g, 0, &WeightCoding::default(), &mut scratch.g);
        for (state, chunk) in coded.states.iter().zip(&mut scratch.states) {
            if let Some((codes, _)) = state {
                codes.read(at, &mut chunk[..p.len()]);
            }
        }
    }
}

/// The same, back.
struct Narrowing<'a, 'c, T> {
    scratch: &'a Scratch,
    p: &'a mut [T],
    coded: &'a mut Coded<'c>,
    at: usize,
    place: usize,
}

impl<T: Widened> pulp::NullaryFnOnce for Narrowing<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self { scratch, p, coded, at, place } = self;
        for (state, chunk) in coded.states.iter_mut().zip(&scratch.states) {
            if let Some((codes, dice)) = state {
                codes.write(at, &chunk[..p.len()], *dice, place);
            }
        }
        T::narrow(p, &scratch.p, at, place, &mut coded.weights);
    }
}

/// The update by chunks that are widened and narrowed around it.
pub(super) fn by_chunks<T: Widened>(pass: Pass<f32>, part: Part<'_, T>, given: &Given<'_, f32>) {
    let Part { p, g, mut states, mut coded, first } = part;
    let mut scratch = Scratch::new();
    for (number, (p, g)) in p.chunks_mut(WIDE).zip(g.chunks(WIDE)).enumerate() {
        let at = number * WIDE;
        scratch.widen(p, g, &coded, at);
        let (mut here, rest) = split_slices(states, p.len());
        for ((lane, chunk), state) in here.iter_mut().zip(&mut scratch.states).zip(&coded.states) {
            if state.is_some() {
                *lane = &mut chunk[..p.len()];
            }
        }
        let g = T::seen(g, &scratch.g);
        pass(T::computed(p, &mut scratch.p), g, here, given, first + at);
        states = rest;
        scratch.narrow(p, &mut coded, at, first + at);
    }
}

/// The sums over these lines and positions, of lists that are widened before.
pub(super) fn collect_widened<T: Widened>(
    collect: Collect<f32>,
    part: &Part<'_, T>,
    (lines, positions): (Range<usize>, Range<usize>),
    given: &Given<'_, f32>,
    wanted: &[Option<Wanted>; MAX_SUMS],
    to: &mut Collected,
) {
    let length = given.grid.length;
    let origin = (lines.start, positions.start);
    let mut scratch = Scratch::new();
    for line in lines {
        for first in positions.clone().step_by(WIDE) {
            let end = positions.end.min(first + WIDE);
            let start = given.grid.line_in_memory(line) * length;
            let here = start + first..start + end;
            let (p, g, begin) = (&part.p[here.clone()], &part.g[here.clone()], here.start);
            scratch.widen(p, g, &part.coded, begin);
            // Of some there is not one for each element.
            let mut states = part.states.each_ref().map(|state| &**state);
            states
                .iter_mut()
                .for_each(|state| *state = state.get(here.clone()).unwrap_or_default());
            for ((lane, chunk), state) in
                states.iter_mut().zip(&scratch.states).zip(&part.coded.states)
            {
                if state.is_some() {
                    *lane = &chunk[..p.len()];
                }
            }
            let (p, g) = (T::seen(p, &scratch.p), T::seen(g, &scratch.g));
            let (lines, positions) = (line..line + 1, first..end);
            let tile = Tile { p, g, pitch: 0, states, begin, lines, positions, origin };
            collect(&tile, given, wanted, to);
        }
    }
}
