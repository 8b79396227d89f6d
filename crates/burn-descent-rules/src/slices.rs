//! A rule over plain slices, element by element: the oracle that the fast engines are held
//! against, and all that is needed without burn.

use crate::forms::{RuleVisitor, choose};
use crate::noise::Draw;
use crate::{Fields, InvalidOption, Presence, Real, Rule, check_lr};
use core::marker::PhantomData;

/// A checked rule on its way over one parameter, a slice of `f32` or `f64`.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{Adam, rules::slices::Walk};
///
/// // Down f(x) = x² / 2, whose gradient is x.
/// let mut x = [1.0_f64];
/// let mut walk = Walk::new(Adam::new(), x.len())?;
/// for _ in 0..3 {
///     let g = x;
///     walk.step(0.1, &mut x, &g)?;
/// }
/// assert!((x[0] - 0.70).abs() < 0.01);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug)]
pub struct Walk<U, R> {
    rule: U,
    t: u64,
    state: Vec<Vec<R>>,
    memory: Vec<f64>,
    /// The scalars of the last step.
    last: Vec<f64>,
    stream: u32,
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
        let memory = rule.memory().into_iter().map(|(_, value)| value).collect();
        Ok(Self { rule, t: 0, state, memory, last: Vec::new(), stream: 0 })
    }

    /// The same walk with other numbers for the noise of its rule, if that has some: those of this
    /// parameter among several.
    pub fn stream(mut self, stream: u32) -> Self {
        self.stream = stream;
        self
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
        let k = self.rule.scalars(lr, self.t);
        let k = self.rule.remember(lr, self.t, k, &mut self.memory);
        self.last = k.lanes().into_iter().map(|(_, value)| value).collect();
        let noise = U::NOISE.map(|noise| noise(&self.rule, lr, self.t));
        let noise = noise.map(|noise| Draw::read(noise.scalars(self.t, self.stream)));
        choose(&self.rule.clone(), Step::<U, R> { p, g, noise, state: &mut self.state, k });
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
        choose(
            &self.rule,
            Evaluate::<U, R> { p, state: &self.state, last: &self.last, rule: PhantomData },
        )
    }
}

struct Step<'a, U: Rule, R: Real> {
    p: &'a mut [R],
    g: &'a [R],
    noise: Option<Draw<R>>,
    state: &'a mut [Vec<R>],
    k: U::Scalars<f64>,
}

impl<U: Rule, R: Real> RuleVisitor for Step<'_, U, R> {
    type Output = ();
    fn visit<P: Presence, Q: Presence>(self) {
        let Step { p, g, noise, state, k } = self;
        let k = k.lanes();
        let k = U::Scalars::read::<Q>(|lane| R::lit(k[lane].1));
        let s = |state: &[Vec<R>], i: usize| U::State::read::<P>(|lane| state[lane][i]);
        let g = |i: usize| noise.map_or(g[i], |noise| g[i] + noise.at(i));
        let term = |i: usize| U::term(p[i], g(i), s(state, i), k);
        let sum = (0..p.len())
            .filter_map(term)
            .fold(None, |sum, term| Some(sum.map_or(term, |sum| sum + term)));
        let k = sum.map_or(k, |sum| U::with_sum(k, sum, R::lit(p.len() as f64)));
        for (i, p) in p.iter_mut().enumerate() {
            let (new, s) = U::update(*p, g(i), s(state, i), k);
            *p = new;
            s.write::<P>(|lane, _, value| state[lane][i] = value);
        }
    }
}

struct Evaluate<'a, U, R> {
    p: &'a [R],
    state: &'a [Vec<R>],
    last: &'a [f64],
    rule: PhantomData<U>,
}

impl<U: Rule, R: Real> RuleVisitor for Evaluate<'_, U, R> {
    type Output = Vec<R>;
    fn visit<P: Presence, Q: Presence>(self) -> Vec<R> {
        let Evaluate { p, state, last, .. } = self;
        let k = U::Scalars::read::<Q>(|lane| R::lit(last[lane]));
        let s = |i: usize| U::State::read::<P>(|lane| state[lane][i]);
        p.iter().enumerate().map(|(i, p)| U::evaluate(*p, s(i), k)).collect()
    }
}
