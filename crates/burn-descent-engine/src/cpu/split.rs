//! A pass on all threads of the current rayon pool, over any type that parameters are stored in.

pub(crate) use super::pass::States as Slices;
use super::pass::{Pass, Passes, SharedStates, Sum};
use crate::program::Program;
use burn::tensor::{bf16, f16};
use burn_descent_rules::Real;
use rayon::prelude::*;

/// Elements up to which one thread does the work.
const TASK: usize = 1 << 16;

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

/// One step: parameter and states are updated in place. Each element is computed on its own, and
/// sums over the same blocks in the same order, so the bits do not depend on the number of threads.
pub(crate) fn step<T: Stored>(
    program: &Program,
    p: &mut [T],
    g: &[T],
    states: Slices<'_, T::Compute>,
    scalars: &[f64],
) {
    let Passes { update, sum } = T::passes(program);
    match sum {
        None => split(*update, p, g, states, scalars, 0),
        Some(sum) => {
            let shared = states.each_ref().map(|state| &**state);
            let sum = whole_sum(*sum, p, g, shared, scalars);
            let scalars = [scalars, &[p.len() as f64, sum]].concat();
            split(*update, p, g, states, &scalars, 0);
        }
    }
}

fn whole_sum<T: Stored>(
    sum: Sum<T::Compute>,
    p: &[T],
    g: &[T],
    states: SharedStates<'_, T::Compute>,
    scalars: &[f64],
) -> f64 {
    let block = |number: usize| {
        let at = number * TASK..p.len().min((number + 1) * TASK);
        T::sum(sum, &p[at.clone()], &g[at.clone()], part(states, at.clone()), scalars, at.start)
    };
    let blocks = p.len().div_ceil(TASK);
    if blocks <= 1 {
        return block(0);
    }
    let sums: Vec<f64> = (0..blocks).into_par_iter().map(block).collect();
    sums.iter().sum()
}

/// A part of all states; those that the rule does not have stay empty.
fn part<T>(states: SharedStates<'_, T>, at: core::ops::Range<usize>) -> SharedStates<'_, T> {
    states.map(|state| state.get(at.clone()).unwrap_or_default())
}

fn split<T: Stored>(
    pass: Pass<T::Compute>,
    p: &mut [T],
    g: &[T],
    states: Slices<'_, T::Compute>,
    scalars: &[f64],
    first: usize,
) {
    if p.len() <= TASK {
        return T::update(pass, p, g, states, scalars, first);
    }
    let middle = p.len() / 2;
    let (p_left, p_right) = p.split_at_mut(middle);
    let (g_left, g_right) = g.split_at(middle);
    let (states_left, states_right) = split_slices(states, middle);
    rayon::join(
        || split(pass, p_left, g_left, states_left, scalars, first),
        || split(pass, p_right, g_right, states_right, scalars, first + middle),
    );
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
                    sum(p_wide, g_wide, part(states, at..at + p.len()), scalars, first + at)
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
