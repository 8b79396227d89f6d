//! The slices of a step, over any type that parameters are stored in.

use super::around::around;
use super::collect::{Collect, Collected, Tile, Wanted};
pub(super) use super::pass::States as Slices;
use super::pass::{Given, Pass, Passes};
use super::share::{Step, Work, is_shared, share};
use crate::code::Code;
use crate::grid::Grid;
use crate::scalars::Scalars;
use burn::tensor::{bf16, f16};
use burn_descent_rules::{Domain, MAX_SUMS, Real};
use core::ops::Range;

/// A type that parameters are stored in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The type that they are computed in and that their states are stored in.
    type Compute: Real + Into<f64> + Send + Sync + 'static;

    /// The passes of the rule for this type.
    fn passes(code: &Code) -> &Passes<Self::Compute>;

    /// The update on this thread.
    fn update(
        pass: Pass<Self::Compute>,
        p: &mut [Self],
        g: &[Self],
        states: Slices<'_, Self::Compute>,
        given: &Given<'_, Self::Compute>,
        first: usize,
    );

    /// The sums over these lines and positions, on this thread.
    fn collect(
        collect: Collect<Self::Compute>,
        part: &Part<'_, Self>,
        at: (Range<usize>, Range<usize>),
        given: &Given<'_, Self::Compute>,
        wanted: &[Option<Wanted>; MAX_SUMS],
        to: &mut Collected,
    );
}

/// The slices of a step, or of a part of it; all are of one length, but for the states that the
/// rule does not have: they are empty.
pub(crate) struct Part<'a, T: Stored> {
    pub(crate) p: &'a mut [T],
    pub(crate) g: &'a [T],
    pub(crate) states: Slices<'a, T::Compute>,
    /// The place of the first element in its tensor.
    pub(crate) first: usize,
}

impl<'a, T: Stored> Part<'a, T> {
    pub(super) fn len(&self) -> usize {
        self.p.len()
    }

    /// The part with those states only of which there is one number for each element.
    pub(super) fn of_elements(mut self, code: &Code) -> Self {
        for (state, domain) in self.states.iter_mut().zip(&code.stages.states) {
            if *domain != Domain::Element {
                *state = &mut [];
            }
        }
        self
    }

    /// What comes before an element, and the rest.
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        let (p_left, p_right) = self.p.split_at_mut(middle);
        let (g_left, g_right) = self.g.split_at(middle);
        let (states_left, states_right) = split_slices(self.states, middle);
        (
            Self { p: p_left, g: g_left, states: states_left, first: self.first },
            Self { p: p_right, g: g_right, states: states_right, first: self.first + middle },
        )
    }
}

/// One step: parameter and states are updated in place. Each element is computed on its own, and
/// sums over the same tiles in the same order, so the bits do not depend on the number of threads.
pub(super) fn step<T: Stored>(code: &Code, mut part: Part<T>, scalars: &Scalars) {
    if is_shared(part.len()) {
        let (elements, step) = (part.len(), Step::new(code, part, scalars));
        return share(elements, || step.work());
    }
    let around = around(code, &mut part, scalars);
    let given = given(scalars, around.as_ref());
    let Part { p, g, states, first } = part.of_elements(code);
    T::update(T::passes(code).update, p, g, states, &given, first);
}

/// What is given to the pass over the elements.
pub(super) fn given<'a, T>(
    scalars: &'a Scalars,
    around: Option<&'a super::window::Around<T>>,
) -> Given<'a, T> {
    let grid = Grid::of(scalars.view, Domain::Element);
    Given { scalars: &scalars.numbers, draw: scalars.draw, grid, around }
}

/// All states cut at one place; those that the rule does not have stay empty.
fn split_slices<T>(states: Slices<'_, T>, middle: usize) -> (Slices<'_, T>, Slices<'_, T>) {
    let (mut left, mut right) = (Slices::default(), Slices::default());
    for ((state, left), right) in states.into_iter().zip(&mut left).zip(&mut right) {
        (*left, *right) = state.split_at_mut(middle.min(state.len()));
    }
    (left, right)
}

macro_rules! impl_full {
    ($($t:ident),*) => {$(
        impl Stored for $t {
            type Compute = $t;
            fn passes(code: &Code) -> &Passes<$t> {
                &code.$t
            }
            fn update(
                pass: Pass<$t>,
                p: &mut [$t],
                g: &[$t],
                states: Slices<'_, $t>,
                given: &Given<'_, $t>,
                first: usize,
            ) {
                pass(p, g, states, given, first);
            }
            fn collect(
                collect: Collect<$t>,
                part: &Part<'_, $t>,
                (lines, positions): (Range<usize>, Range<usize>),
                given: &Given<'_, $t>,
                wanted: &[Option<Wanted>; MAX_SUMS],
                to: &mut Collected,
            ) {
                let pitch = given.grid.length;
                let origin = (lines.start, positions.start);
                let start = lines.start * pitch + positions.start;
                let (p, g) = (&part.p[start..], &part.g[start..]);
                let states = part.states.each_ref().map(|state| &**state);
                let tile = Tile { p, g, pitch, states, lines, positions, origin };
                collect(&tile, given, wanted, to);
            }
        }
    )*};
}
impl_full!(f32, f64);

/// Half-precision elements that are widened together: 4 KB on the stack.
const WIDE: usize = 512;

macro_rules! impl_half {
    ($($t:ident),*) => {$(
        impl Stored for $t {
            type Compute = f32;
            fn passes(code: &Code) -> &Passes<f32> {
                &code.f32
            }
            fn update(
                pass: Pass<f32>,
                p: &mut [$t],
                g: &[$t],
                mut states: Slices<'_, f32>,
                given: &Given<'_, f32>,
                mut first: usize,
            ) {
                let (mut p_wide, mut g_wide) = ([0.0; WIDE], [0.0; WIDE]);
                for (p, g) in p.chunks_mut(WIDE).zip(g.chunks(WIDE)) {
                    let (p_wide, g_wide) = (widen(p, &mut p_wide), widen(g, &mut g_wide));
                    let (here, rest) = split_slices(states, p.len());
                    pass(p_wide, g_wide, here, given, first);
                    (states, first) = (rest, first + p.len());
                    p.iter_mut().zip(p_wide).for_each(|(p, wide)| *p = $t::from_f32(*wide));
                }
            }
            fn collect(
                collect: Collect<f32>,
                part: &Part<'_, $t>,
                (lines, positions): (Range<usize>, Range<usize>),
                given: &Given<'_, f32>,
                wanted: &[Option<Wanted>; MAX_SUMS],
                to: &mut Collected,
            ) {
                let length = given.grid.length;
                let origin = (lines.start, positions.start);
                let states = part.states.each_ref().map(|state| &**state);
                let (mut p_wide, mut g_wide) = ([0.0; WIDE], [0.0; WIDE]);
                for line in lines {
                    for first in positions.clone().step_by(WIDE) {
                        let end = positions.end.min(first + WIDE);
                        let here = line * length + first..line * length + end;
                        let p = widen(&part.p[here.clone()], &mut p_wide);
                        let g = widen(&part.g[here], &mut g_wide);
                        let (lines, positions) = (line..line + 1, first..end);
                        let tile = Tile { p, g, pitch: 0, states, lines, positions, origin };
                        collect(&tile, given, wanted, to);
                    }
                }
            }
        }
    )*};
}
impl_half!(f16, bf16);

/// The elements in f32, in as much of `wide` as they take.
fn widen<'a, T: Copy + Into<f32>>(narrow: &[T], wide: &'a mut [f32; WIDE]) -> &'a mut [f32] {
    let wide = &mut wide[..narrow.len()];
    wide.iter_mut().zip(narrow).for_each(|(wide, narrow)| *wide = (*narrow).into());
    wide
}
