//! A pass on all threads of the current rayon pool, over any type that parameters are stored in.

use super::pass::Pass;
pub(crate) use super::pass::States as Slices;
use crate::program::Program;
use burn::tensor::{bf16, f16};
use burn_descent_rules::Real;

/// Elements up to which one thread does the work.
const TASK: usize = 1 << 16;

/// A type that parameters are stored in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The type that they are computed in and that their states are stored in.
    type Compute: Real + Send + Sync + 'static;

    /// The pass of the rule for this type.
    fn pass(program: &Program) -> Pass<Self::Compute>;

    /// The pass on this thread.
    fn run(
        pass: Pass<Self::Compute>,
        p: &mut [Self],
        g: &[Self],
        states: Slices<'_, Self::Compute>,
        scalars: &[f64],
    );
}

/// Updates the parameter and its states in place. Each element is computed on its own, so the
/// bits do not depend on the number of threads.
pub(crate) fn split<T: Stored>(
    pass: Pass<T::Compute>,
    p: &mut [T],
    g: &[T],
    states: Slices<'_, T::Compute>,
    scalars: &[f64],
) {
    if p.len() <= TASK {
        return T::run(pass, p, g, states, scalars);
    }
    let middle = p.len() / 2;
    let (p_left, p_right) = p.split_at_mut(middle);
    let (g_left, g_right) = g.split_at(middle);
    let (states_left, states_right) = split_slices(states, middle);
    rayon::join(
        || split(pass, p_left, g_left, states_left, scalars),
        || split(pass, p_right, g_right, states_right, scalars),
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
    ($($t:ident $pass:ident),*) => {$(
        impl Stored for $t {
            type Compute = $t;
            fn pass(program: &Program) -> Pass<$t> {
                program.$pass
            }
            fn run(
                pass: Pass<$t>,
                p: &mut [$t],
                g: &[$t],
                states: Slices<'_, $t>,
                scalars: &[f64],
            ) {
                pass(p, g, states, scalars);
            }
        }
    )*};
}
impl_full!(f32 pass_f32, f64 pass_f64);

/// Half-precision elements that are widened together: 4 KB on the stack.
const WIDE: usize = 512;

macro_rules! impl_half {
    ($($t:ident),*) => {$(
        impl Stored for $t {
            type Compute = f32;
            fn pass(program: &Program) -> Pass<f32> {
                program.pass_f32
            }
            fn run(
                pass: Pass<f32>,
                p: &mut [$t],
                g: &[$t],
                mut states: Slices<'_, f32>,
                scalars: &[f64],
            ) {
                let (mut p_wide, mut g_wide) = ([0.0; WIDE], [0.0; WIDE]);
                for (p, g) in p.chunks_mut(WIDE).zip(g.chunks(WIDE)) {
                    let (p_wide, g_wide) = (&mut p_wide[..p.len()], &mut g_wide[..p.len()]);
                    p_wide.iter_mut().zip(p.iter()).for_each(|(wide, p)| *wide = p.to_f32());
                    g_wide.iter_mut().zip(g).for_each(|(wide, g)| *wide = g.to_f32());
                    let (here, rest) = split_slices(states, p.len());
                    pass(p_wide, g_wide, here, scalars);
                    states = rest;
                    p.iter_mut().zip(p_wide).for_each(|(p, wide)| *p = $t::from_f32(*wide));
                }
            }
        }
    )*};
}
impl_half!(f16, bf16);
