//! The rule as one pass over slices: vectors of the best instruction set there is, on the threads
//! of the current rayon pool.

use crate::MAX_STATES;
use burn_descent_rules::{Fields, Nothing, Presence, Real, Rule};

/// One step of a rule on one thread: parameter and states are updated in place. The scalars are
/// the rule's, then the factor of the gradient.
pub(crate) type Pass<T> = fn(&mut [T], &[T], States<'_, T>, &[f64]);

/// The slices of the states; those beyond the rule's are empty.
pub(crate) type States<'a, T> = [&'a mut [T]; MAX_STATES];

/// Elements that are loaded, updated and stored together.
const BLOCK: usize = 32;

/// [`Pass`] of the rule `U` with the optional states in `P`.
pub(crate) fn pass<U: Rule, P: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    states: States<'_, T>,
    scalars: &[f64],
) {
    struct Vectorised<'a, U, P, T>(
        &'a mut [T],
        &'a [T],
        States<'a, T>,
        &'a [f64],
        core::marker::PhantomData<(U, P)>,
    );
    impl<U: Rule, P: Presence, T: Real> pulp::NullaryFnOnce for Vectorised<'_, U, P, T> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            blocks::<U, P, T>(self.0, self.1, self.2, self.3);
        }
    }
    let marker = core::marker::PhantomData;
    pulp::Arch::new().dispatch(Vectorised::<U, P, T>(p, g, states, scalars, marker));
}

#[inline(always)]
fn blocks<U: Rule, P: Presence, T: Real>(
    p: &mut [T],
    g: &[T],
    mut states: States<'_, T>,
    scalars: &[f64],
) {
    let mut lanes = 0;
    let k = U::Scalars::<T>::read::<Nothing>(|lane| {
        lanes = lane + 1;
        T::lit(scalars[lane])
    });
    let scale = T::lit(scalars[lanes]);
    let (mut p_blocks, mut g_blocks) = (p.chunks_exact_mut(BLOCK), g.chunks_exact(BLOCK));
    let mut at = 0;
    for (p, g) in p_blocks.by_ref().zip(g_blocks.by_ref()) {
        block::<U, P, T, BLOCK>(p, g, &mut states, at, k, scale);
        at += BLOCK;
    }
    for (p, g) in p_blocks.into_remainder().chunks_mut(1).zip(g_blocks.remainder().chunks(1)) {
        block::<U, P, T, 1>(p, g, &mut states, at, k, scale);
        at += 1;
    }
}

/// Updates `N` elements from `at` on. They are copied first, so that the compiler sees that no two
/// of the slices overlap, however many there are.
#[inline(always)]
fn block<U: Rule, P: Presence, T: Real, const N: usize>(
    p: &mut [T],
    g: &[T],
    states: &mut States<'_, T>,
    at: usize,
    k: U::Scalars<T>,
    scale: T,
) {
    let zero = T::lit(0.0);
    let (mut p_block, mut g_block, mut s_block) = ([zero; N], [zero; N], [[zero; N]; MAX_STATES]);
    p_block.copy_from_slice(p);
    g_block.copy_from_slice(g);
    let lanes = lanes::<U, P>();
    for lane in 0..lanes {
        s_block[lane].copy_from_slice(&states[lane][at..at + N]);
    }
    for i in 0..N {
        let s = U::State::<T>::read::<P>(|lane| s_block[lane][i]);
        let (p, s) = U::update(p_block[i], scale * g_block[i], s, k);
        p_block[i] = p;
        s.write::<P>(|lane, _, value| s_block[lane][i] = value);
    }
    p.copy_from_slice(&p_block);
    for lane in 0..lanes {
        states[lane][at..at + N].copy_from_slice(&s_block[lane]);
    }
}

/// How many states the rule has.
#[inline(always)]
fn lanes<U: Rule, P: Presence>() -> usize {
    let mut lanes = 0;
    U::State::<()>::read::<P>(|_| lanes += 1);
    lanes
}
