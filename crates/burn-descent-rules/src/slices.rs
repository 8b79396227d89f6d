//! A rule over plain slices, element by element: the oracle that the fast engines are held
//! against, and all that is needed without burn.

use crate::{Fields, Forms, Nothing, Presence, Real, Rule, Visitor};

/// The state of `len` elements before the first step, one vector for each state.
pub fn start<U: Rule, R: Real>(rule: &U, len: usize) -> Vec<Vec<R>> {
    let lanes = rule.start().lanes();
    lanes.into_iter().map(|(_, value)| vec![R::lit(value); len]).collect()
}

/// One step of the rule: `p` and `state` are updated in place.
///
/// # Panics
/// If the slices differ in length, or `state` was started with other options.
pub fn step<U: Rule, R: Real>(
    rule: &U,
    lr: f64,
    t: u64,
    p: &mut [R],
    g: &[R],
    state: &mut [Vec<R>],
) {
    struct Step<'a, R, K> {
        p: &'a mut [R],
        g: &'a [R],
        state: &'a mut [Vec<R>],
        k: K,
    }
    struct Typed<'a, U: Rule, R: Real>(Step<'a, R, U::Scalars<R>>);
    impl<U: Rule, R: Real> Visitor for Typed<'_, U, R> {
        type Output = ();
        fn visit<P: Presence>(self) {
            let Step { p, g, state, k } = self.0;
            for (i, (p, g)) in p.iter_mut().zip(g).enumerate() {
                let s = U::State::read::<P>(|lane| state[lane][i]);
                let (new, s) = U::update(*p, *g, s, k);
                *p = new;
                s.write::<P>(|lane, _, value| state[lane][i] = value);
            }
        }
    }
    assert!(state.iter().all(|s| s.len() == p.len()) && g.len() == p.len(), "lengths differ");
    let k = rule.scalars(lr, t).lanes();
    let k = U::Scalars::read::<Nothing>(|lane| R::lit(k[lane].1));
    let bits = rule.start().presence();
    <U::State<R> as Fields<R>>::Forms::choose::<Nothing, _>(
        bits,
        Typed::<U, R>(Step { p, g, state, k }),
    );
}

/// The weights to judge and ship, see [`Rule::evaluate`].
pub fn evaluate<U: Rule, R: Real>(rule: &U, p: &[R], state: &[Vec<R>]) -> Vec<R> {
    struct Evaluate<'a, U, R>(&'a U, &'a [R], &'a [Vec<R>]);
    impl<U: Rule, R: Real> Visitor for Evaluate<'_, U, R> {
        type Output = Vec<R>;
        fn visit<P: Presence>(self) -> Vec<R> {
            let Evaluate(rule, p, state) = self;
            let one =
                |(i, p): (usize, &R)| rule.evaluate(*p, U::State::read::<P>(|lane| state[lane][i]));
            p.iter().enumerate().map(one).collect()
        }
    }
    let bits = rule.start().presence();
    <U::State<R> as Fields<R>>::Forms::choose::<Nothing, _>(bits, Evaluate(rule, p, state))
}
