//! A rule over plain slices, element by element: the oracle that the fast engines are held
//! against, and all that is needed without burn.

use crate::{Fields, Forms, InvalidOption, Nothing, Presence, Real, Rule, Visitor, check_lr};

/// A checked rule on its way over one parameter, a slice of `f32` or `f64`.
///
/// ```
/// use burn_descent_rules::{Adam, slices::Walk};
///
/// // Down f(x) = x² / 2, whose gradient is x.
/// let mut x = [1.0_f64];
/// let mut walk = Walk::new(Adam::new(), x.len())?;
/// for _ in 0..3 {
///     let g = x;
///     walk.step(0.1, &mut x, &g)?;
/// }
/// assert!((x[0] - 0.70).abs() < 0.01);
/// # Ok::<(), burn_descent_rules::InvalidOption>(())
/// ```
#[derive(Clone, Debug)]
pub struct Walk<U, R> {
    rule: U,
    t: u64,
    state: Vec<Vec<R>>,
}

impl<U: Rule, R: Real> Walk<U, R> {
    /// Before the first step of a parameter of `len` elements.
    ///
    /// # Errors
    /// The first option of the rule that is not allowed.
    pub fn new(rule: U, len: usize) -> Result<Self, InvalidOption> {
        rule.check()?;
        let lanes = rule.start().lanes();
        let state = lanes.into_iter().map(|(_, value)| vec![R::lit(value); len]).collect();
        Ok(Self { rule, t: 0, state })
    }

    /// One step: `p` and the state are updated in place.
    ///
    /// # Errors
    /// If the learning rate is negative, NaN or infinite; nothing has been changed then.
    ///
    /// # Panics
    /// If the slices are not of the length given to [`new`](Self::new).
    pub fn step(&mut self, lr: f64, p: &mut [R], g: &[R]) -> Result<(), InvalidOption> {
        check_lr(U::NAME, lr)?;
        assert!(self.state.iter().all(|s| s.len() == p.len()) && g.len() == p.len(), "lengths");
        self.t += 1;
        let k = self.rule.scalars(lr, self.t).lanes();
        let k = U::Scalars::read::<Nothing>(|lane| R::lit(k[lane].1));
        let bits = self.rule.start().presence();
        let step = Step::<U, R> { p, g, state: &mut self.state, k };
        <U::State<R> as Fields<R>>::Forms::choose::<Nothing, _>(bits, step);
        Ok(())
    }

    /// The states, in the order in which the rule declares them.
    pub fn state(&self) -> &[Vec<R>] {
        &self.state
    }

    /// The weights to judge and ship, see [`Rule::evaluate`]; before the first step, `p`.
    pub fn evaluate(&self, p: &[R]) -> Vec<R> {
        if self.t == 0 {
            return p.to_vec();
        }
        let bits = self.rule.start().presence();
        let evaluate = Evaluate { rule: &self.rule, p, state: &self.state };
        <U::State<R> as Fields<R>>::Forms::choose::<Nothing, _>(bits, evaluate)
    }
}

struct Step<'a, U: Rule, R: Real> {
    p: &'a mut [R],
    g: &'a [R],
    state: &'a mut [Vec<R>],
    k: U::Scalars<R>,
}

impl<U: Rule, R: Real> Visitor for Step<'_, U, R> {
    type Output = ();
    fn visit<P: Presence>(self) {
        let Step { p, g, state, k } = self;
        for (i, (p, g)) in p.iter_mut().zip(g).enumerate() {
            let s = U::State::read::<P>(|lane| state[lane][i]);
            let (new, s) = U::update(*p, *g, s, k);
            *p = new;
            s.write::<P>(|lane, _, value| state[lane][i] = value);
        }
    }
}

struct Evaluate<'a, U, R> {
    rule: &'a U,
    p: &'a [R],
    state: &'a [Vec<R>],
}

impl<U: Rule, R: Real> Visitor for Evaluate<'_, U, R> {
    type Output = Vec<R>;
    fn visit<P: Presence>(self) -> Vec<R> {
        let Evaluate { rule, p, state } = self;
        let one =
            |(i, p): (usize, &R)| rule.evaluate(*p, U::State::read::<P>(|lane| state[lane][i]));
        p.iter().enumerate().map(one).collect()
    }
}
