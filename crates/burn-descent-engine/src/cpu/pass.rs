//! The rule as one pass over slices: vectors of the best instruction set there is, on the threads
//! of the current rayon pool.

use super::two::Two;
use crate::MAX_STATES;
use burn_descent_rules::forms::lanes;
use burn_descent_rules::noise::{self, Draw};
use burn_descent_rules::{Fields, Presence, Real, Rule};

/// One step of a rule on one thread: parameter and states are updated in place. The scalars are
/// the rule's, then the factor of the gradient, those of its noise, if it has some, and where the
/// rule has terms, the number of elements and the sum. The last argument is the place of the first
/// element in its tensor.
pub(crate) type Pass<T> = fn(&mut [T], &[T], States<'_, T>, &[f64], usize);

/// The slices of the states; those beyond the rule's are empty.
pub(crate) type States<'a, T> = [&'a mut [T]; MAX_STATES];

/// The sum of the terms of a rule over slices, on one thread. Arguments as for [`Pass`].
pub(crate) type Sum<T> = fn(&[T], &[T], SharedStates<'_, T>, &[f64], usize) -> f64;

/// [`States`] to be read only.
pub(crate) type SharedStates<'a, T> = [&'a [T]; MAX_STATES];

/// What a rule does with slices of `T`.
pub(crate) struct Passes<T: 'static> {
    pub(crate) update: Pass<T>,
    /// If the rule has terms.
    pub(crate) sum: Option<Sum<T>>,
}

/// Elements that are loaded, updated and stored together.
const BLOCK: usize = 32;

/// The second half of a block is computed beside the first.
const HALF: usize = BLOCK / 2;

/// Sums that are kept side by side, so that they are computed as a vector.
const SIDE: usize = 16;

/// [`Pass`] of the rule `U` with the optional states in `P` and the optional scalars in `Q`.
pub(crate) fn pass<U: Rule, P: Presence, Q: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    states: States<'_, T>,
    scalars: &[f64],
    first: usize,
) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || blocks::<U, P, Q, T>(p, g, states, scalars, first),
    );
}

#[inline(always)]
fn blocks<U: Rule, P: Presence, Q: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    mut states: States<'_, T>,
    scalars: &[f64],
    first: usize,
) {
    let k = U::Scalars::read::<Q>(|lane| Two::lit(scalars[lane]));
    let (meet, rest) = meet::<U, Q, T>(scalars, first);
    let k = match *rest {
        [n, sum] => U::with_sum(k, Two::lit(sum), Two::lit(n)),
        _ => k,
    };
    let (mut p_blocks, mut g_blocks) = (p.chunks_exact_mut(BLOCK), g.chunks_exact(BLOCK));
    let mut at = 0;
    for (p, g) in p_blocks.by_ref().zip(g_blocks.by_ref()) {
        block::<U, P, T>(p, g, &mut states, at, k, meet);
        at += BLOCK;
    }
    let (p, g) = (p_blocks.into_remainder(), g_blocks.remainder());
    if !p.is_empty() {
        block::<U, P, T>(p, g, &mut states, at, k, meet);
    }
}

/// Updates the elements from `at` on, a block or what is left of one. They are copied first, so that
/// the compiler sees that no two of the slices overlap, however many there are.
#[inline(always)]
fn block<U: Rule, P: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    states: &mut States<'_, T>,
    at: usize,
    k: U::Scalars<Two<T>>,
    meet: Meet<T>,
) {
    let (n, zeros) = (p.len(), [T::lit(0.0); BLOCK]);
    let (mut p_block, mut g_block, mut s_block) = (zeros, zeros, [zeros; MAX_STATES]);
    p_block[..n].copy_from_slice(p);
    g_block[..n].copy_from_slice(g);
    let lanes = lanes::<U::State<()>, P>();
    for lane in 0..lanes {
        s_block[lane][..n].copy_from_slice(&states[lane][at..at + n]);
    }
    for i in 0..HALF {
        let j = i + HALF;
        let g = Two(meet.gradient(g_block[i], at + i), meet.gradient(g_block[j], at + j));
        let s = U::State::read::<P>(|lane| Two(s_block[lane][i], s_block[lane][j]));
        let (p, s) = U::update(Two(p_block[i], p_block[j]), g, s, k);
        (p_block[i], p_block[j]) = (p.0, p.1);
        s.write::<P>(|lane, _, s| (s_block[lane][i], s_block[lane][j]) = (s.0, s.1));
    }
    p.copy_from_slice(&p_block[..n]);
    for lane in 0..lanes {
        states[lane][at..at + n].copy_from_slice(&s_block[lane][..n]);
    }
}

/// What becomes of a gradient before the rule meets it.
#[derive(Clone, Copy)]
struct Meet<T> {
    factor: T,
    /// `None` by the type of the rule, so that others have no branch.
    noise: Option<Draw<T>>,
    /// The place of the first element in its tensor.
    first: usize,
}

impl<T: Real> Meet<T> {
    #[inline(always)]
    fn gradient(&self, g: T, at: usize) -> T {
        let g = self.factor * g;
        self.noise.map_or(g, |noise| g + noise.at(self.first + at))
    }
}

/// What becomes of a gradient, and the scalars behind those for that.
#[inline(always)]
fn meet<U: Rule, Q: Presence, T: Real>(scalars: &[f64], first: usize) -> (Meet<T>, &[f64]) {
    let own = lanes::<U::Scalars<()>, Q>();
    let (factor, rest) = (T::lit(scalars[own]), &scalars[own + 1..]);
    (Meet { factor, noise: Draw::of::<U>(rest), first }, &rest[noise::lanes::<U>()..])
}

/// [`Sum`] of the rule `U`, in f64.
pub(crate) fn sum<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>>(
    p: &[T],
    g: &[T],
    states: SharedStates<'_, T>,
    scalars: &[f64],
    first: usize,
) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || terms::<U, P, Q, T>(p, g, states, scalars, first),
    )
}

#[inline(always)]
fn terms<U: Rule, P: Presence, Q: Presence, T: Real + Into<f64>>(
    p: &[T],
    g: &[T],
    states: SharedStates<'_, T>,
    scalars: &[f64],
    first: usize,
) -> f64 {
    let k = U::Scalars::read::<Q>(|lane| T::lit(scalars[lane]));
    let (meet, _) = meet::<U, Q, T>(scalars, first);
    let (p_blocks, g_blocks) = (p.chunks_exact(SIDE), g.chunks_exact(SIDE));
    let rest = p_blocks.remainder().chunks(1).zip(g_blocks.remainder().chunks(1));
    let mut sums = [0.0; SIDE];
    let mut at = 0;
    for (p, g) in p_blocks.zip(g_blocks) {
        add_terms::<U, P, T, SIDE>(p, g, &states, at, k, meet, &mut sums);
        at += SIDE;
    }
    let mut last = [0.0];
    for (p, g) in rest {
        add_terms::<U, P, T, 1>(p, g, &states, at, k, meet, &mut last);
        at += 1;
    }
    sums.iter().sum::<f64>() + last[0]
}

/// Adds the terms of `N` elements from `at` on to as many sums.
#[inline(always)]
fn add_terms<U: Rule, P: Presence, T: Real + Into<f64>, const N: usize>(
    p: &[T],
    g: &[T],
    states: &SharedStates<'_, T>,
    at: usize,
    k: U::Scalars<T>,
    meet: Meet<T>,
    sums: &mut [f64; N],
) {
    let zero = T::lit(0.0);
    let (mut p_block, mut g_block, mut s_block) = ([zero; N], [zero; N], [[zero; N]; MAX_STATES]);
    p_block.copy_from_slice(p);
    g_block.copy_from_slice(g);
    for lane in 0..lanes::<U::State<()>, P>() {
        s_block[lane].copy_from_slice(&states[lane][at..at + N]);
    }
    let mut terms = [zero; N];
    for i in 0..N {
        let s = U::State::<T>::read::<P>(|lane| s_block[lane][i]);
        terms[i] = U::term(p_block[i], meet.gradient(g_block[i], at + i), s, k).unwrap_or(zero);
    }
    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term.into());
}
