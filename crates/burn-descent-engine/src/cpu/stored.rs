//! The slices of a step, over any type that parameters are stored in.

pub(super) use super::pass::States as Slices;
use super::pass::{Pass, Passes, SharedStates, Sum};
use super::share::{Step, Work, is_shared, share, sum_pieces};
use crate::program::Program;
use burn::tensor::{bf16, f16};
use burn_descent_rules::Real;

/// A type that parameters are stored in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The type that they are computed in and that their states are stored in.
    type Compute: Real + Send + Sync + 'static;

    /// The passes of the rule for this type.
    fn passes(program: &Program) -> &Passes<Self::Compute>;

    /// The update on this thread.
    fn update(
        pass: Pass<Self::Compute>,
        p: &mut [Self],
        g: &[Self],
        states: Slices<'_, Self::Compute>,
        scalars: &[f64],
        first: usize,
    );

    /// The sum on this thread.
    fn sum(
        sum: Sum<Self::Compute>,
        p: &[Self],
        g: &[Self],
        states: SharedStates<'_, Self::Compute>,
        scalars: &[f64],
        first: usize,
    ) -> f64;
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
/// sums over the same blocks in the same order, so the bits do not depend on the number of threads.
pub(super) fn step<T: Stored>(program: &Program, part: Part<T>, scalars: &[f64]) {
    if is_shared(part.len()) {
        let (elements, step) = (part.len(), Step::new(program, part, scalars));
        return share(elements, || step.work());
    }
    let rest = rest_of_scalars(program, &part, scalars);
    let Part { p, g, states, first } = part;
    T::update(T::passes(program).update, p, g, states, rest.as_deref().unwrap_or(scalars), first);
}

/// All scalars, where the rule has terms: the number of elements and the sum come after those that
/// are known before.
pub(super) fn rest_of_scalars<T: Stored>(
    program: &Program,
    part: &Part<T>,
    scalars: &[f64],
) -> Option<Vec<f64>> {
    let sum = T::passes(program).sum?;
    let states = part.states.each_ref().map(|state| &**state);
    let sum = whole_sum(sum, part.p, part.g, states, scalars);
    Some([scalars, &[part.len() as f64, sum]].concat())
}

fn whole_sum<T: Stored>(
    sum: Sum<T::Compute>,
    p: &[T],
    g: &[T],
    states: SharedStates<'_, T::Compute>,
    scalars: &[f64],
) -> f64 {
    sum_pieces(p.len(), |at| {
        T::sum(sum, &p[at.clone()], &g[at.clone()], inside(states, at.clone()), scalars, at.start)
    })
}

/// A part of all states; those that the rule does not have stay empty.
fn inside<T>(states: SharedStates<'_, T>, at: core::ops::Range<usize>) -> SharedStates<'_, T> {
    states.map(|state| state.get(at.clone()).unwrap_or_default())
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
            fn passes(program: &Program) -> &Passes<$t> {
                &program.$t
            }
            fn update(
                pass: Pass<$t>,
                p: &mut [$t],
                g: &[$t],
                states: Slices<'_, $t>,
                scalars: &[f64],
                first: usize,
            ) {
                pass(p, g, states, scalars, first);
            }
            fn sum(
                sum: Sum<$t>,
                p: &[$t],
                g: &[$t],
                states: SharedStates<'_, $t>,
                scalars: &[f64],
                first: usize,
            ) -> f64 {
                sum(p, g, states, scalars, first)
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
            fn passes(program: &Program) -> &Passes<f32> {
                &program.f32
            }
            fn update(
                pass: Pass<f32>,
                p: &mut [$t],
                g: &[$t],
                mut states: Slices<'_, f32>,
                scalars: &[f64],
                mut first: usize,
            ) {
                let (mut p_wide, mut g_wide) = ([0.0; WIDE], [0.0; WIDE]);
                for (p, g) in p.chunks_mut(WIDE).zip(g.chunks(WIDE)) {
                    let (p_wide, g_wide) = (widen(p, &mut p_wide), widen(g, &mut g_wide));
                    let (here, rest) = split_slices(states, p.len());
                    pass(p_wide, g_wide, here, scalars, first);
                    (states, first) = (rest, first + p.len());
                    p.iter_mut().zip(p_wide).for_each(|(p, wide)| *p = $t::from_f32(*wide));
                }
            }
            fn sum(
                sum: Sum<f32>,
                p: &[$t],
                g: &[$t],
                states: SharedStates<'_, f32>,
                scalars: &[f64],
                first: usize,
            ) -> f64 {
                let (mut p_wide, mut g_wide) = ([0.0; WIDE], [0.0; WIDE]);
                let chunk = |(number, (p, g)): (usize, (&[$t], &[$t]))| {
                    let (p_wide, g_wide) = (widen(p, &mut p_wide), widen(g, &mut g_wide));
                    let at = number * WIDE;
                    sum(p_wide, g_wide, inside(states, at..at + p.len()), scalars, first + at)
                };
                p.chunks(WIDE).zip(g.chunks(WIDE)).enumerate().map(chunk).sum()
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
