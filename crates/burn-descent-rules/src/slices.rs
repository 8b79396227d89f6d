//! A rule over plain slices, element by element: the oracle that the fast engines are held
//! against, and all that is needed without burn.

use crate::fields::values;
use crate::forms::{RuleVisitor, choose};
use crate::matrix::Random;
use crate::matrix::{Dense, Matrix};
use crate::noise::Draw;
use crate::{
    Auxiliary, Domain, Fields, Fold, InvalidOption, Over, Presence, Real, Rule, Stages, View,
    Whole, check_loss, check_lr, maximizes, outputs_first,
};
use core::marker::PhantomData;
use std::collections::VecDeque;
use std::sync::Arc;

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
    view: View,
    t: u64,
    state: Vec<Vec<R>>,
    memory: Vec<f64>,
    /// The scalars of the last step.
    last: Vec<f64>,
    stream: u32,
    /// The matrices that the rule keeps.
    kept: Vec<Dense<R>>,
    /// Random numbers that are drawn before any other.
    recorded: VecDeque<Vec<f64>>,
    /// Its dimensions, the outputs first.
    dims: Vec<usize>,
    /// The walk of the auxiliary rule, where this is no matrix.
    auxiliary: Option<Box<Walk<Auxiliary, R>>>,
}

impl<U: Rule, R: Real + Into<f64>> Walk<U, R> {
    /// Before the first step of a parameter of `len` elements, a vector.
    ///
    /// # Errors
    /// The first option of the rule that is not allowed.
    pub fn new(rule: U, len: usize) -> Result<Self, InvalidOption> {
        Self::of(rule, U::view(&[len], false))
    }

    /// Before the first step of a parameter that is seen like this.
    ///
    /// # Errors
    /// The first option of the rule that is not allowed, and those of [`Stages::of`].
    pub fn of(rule: U, view: View) -> Result<Self, InvalidOption> {
        rule.check()?;
        let rule = rule.for_view(view).unwrap_or(rule);
        let domains = Stages::of(&rule)?.states;
        let lanes = rule.start().lanes().into_iter().zip(domains);
        let state = lanes.map(|((_, value), of)| vec![R::lit(value); view.numbers(of)]).collect();
        let memory = values(rule.memory());
        let dims = match view.matrices {
            1 => vec![view.rows, view.columns],
            matrices => vec![matrices, view.rows, view.columns],
        };
        let walk = Self {
            rule,
            view,
            t: 0,
            state,
            memory,
            last: Vec::new(),
            stream: 0,
            kept: Vec::new(),
            recorded: VecDeque::new(),
            dims,
            auxiliary: None,
        };
        walk.shaped()
    }

    /// The same walk, before its first step, of a tensor of this shape.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_shape(rule: U, shape: &[usize], by_columns: bool) -> Result<Self, InvalidOption> {
        let dims = outputs_first(shape, by_columns);
        Self { dims, ..Self::of(rule, U::view(shape, by_columns))? }.shaped()
    }

    /// With what follows from the dimensions.
    fn shaped(mut self) -> Result<Self, InvalidOption> {
        let dense = |keep: crate::Keep| Dense {
            dims: keep.dims,
            numbers: keep.numbers().into_iter().map(R::lit).collect(),
        };
        self.kept = self.rule.keeps(self.view, &self.dims).into_iter().map(dense).collect();
        match self.rule.auxiliary() {
            Some(_) if self.view.is_vector() => self.left_to_auxiliary(),
            _ => Ok(self),
        }
    }

    /// The same walk, before its first step, of a matrix that the rule leaves to its [auxiliary](Rule::auxiliary) one.
    ///
    /// # Errors
    /// The first option of that rule that is not allowed.
    pub fn left_to_auxiliary(mut self) -> Result<Self, InvalidOption> {
        if let Some(auxiliary) = self.rule.auxiliary() {
            let walk = Walk::new(auxiliary.clone(), self.view.len())?;
            self.auxiliary = Some(Box::new(walk));
        }
        Ok(self)
    }

    /// The same walk with random numbers that another library has drawn for what it makes of whole matrices.
    #[doc(hidden)]
    pub fn with_recorded(mut self, recorded: impl IntoIterator<Item = Vec<f64>>) -> Self {
        self.recorded.extend(recorded);
        self
    }

    /// Does it draw random numbers?
    #[doc(hidden)]
    pub fn draws(&self) -> bool {
        self.rule.seed().is_some() && self.auxiliary.is_none()
    }

    /// The same walk with other numbers for the noise of its rule, if that has some: those of this
    /// parameter among several.
    pub fn stream(mut self, stream: u32) -> Self {
        self.stream = stream;
        self
    }

    /// One step: `p` and the state are updated in place. What the rule sees of the model is this parameter.
    ///
    /// # Errors
    /// If the learning rate is negative, NaN or infinite, or the rule [needs the loss](Rule::LOSS) and it is not
    /// given; nothing has been changed then.
    ///
    /// # Panics
    /// If the slices are not of the length that was given.
    pub fn step(&mut self, lr: f64, p: &mut [R], g: &[R]) -> Result<(), InvalidOption> {
        Self::step_together(lr, &mut [(self, p, g)])
    }

    /// The same with the loss at `p`, for a rule that [needs it](Rule::LOSS).
    ///
    /// # Errors
    /// Same as [`step`](Self::step).
    ///
    /// # Panics
    /// Same as [`step`](Self::step).
    pub fn step_with_loss(
        &mut self,
        lr: f64,
        loss: f64,
        p: &mut [R],
        g: &[R],
    ) -> Result<(), InvalidOption> {
        Self::step_together_with_loss(lr, loss, &mut [(self, p, g)])
    }

    /// One step of several parameters, which are the model: for rules that sum over it.
    ///
    /// # Errors
    /// Same as [`step`](Self::step).
    ///
    /// # Panics
    /// Same as [`step`](Self::step).
    pub fn step_together(
        lr: f64,
        parameters: &mut [(&mut Self, &mut [R], &[R])],
    ) -> Result<(), InvalidOption> {
        Self::together(lr, None, parameters)
    }

    /// The same with the loss at these parameters, for a rule that [needs it](Rule::LOSS).
    ///
    /// # Errors
    /// Same as [`step`](Self::step).
    ///
    /// # Panics
    /// Same as [`step`](Self::step).
    pub fn step_together_with_loss(
        lr: f64,
        loss: f64,
        parameters: &mut [(&mut Self, &mut [R], &[R])],
    ) -> Result<(), InvalidOption> {
        Self::together(lr, Some(loss), parameters)
    }

    fn together(
        lr: f64,
        loss: Option<f64>,
        parameters: &mut [(&mut Self, &mut [R], &[R])],
    ) -> Result<(), InvalidOption> {
        check_lr(U::NAME, lr)?;
        check_loss::<U>(loss)?;
        for (walk, p, g) in parameters.iter() {
            assert!([p.len(), g.len()] == [walk.view.len(); 2], "lengths");
        }
        let of_auxiliary = |walk: &Self| walk.auxiliary.is_some();
        if parameters.iter().any(|(walk, ..)| of_auxiliary(walk)) {
            for (walk, p, g) in parameters.iter_mut() {
                let turned = maximizes(&walk.rule);
                let g: Vec<R> = g.iter().map(|g| if turned { -*g } else { *g }).collect();
                if let Some(auxiliary) = &mut walk.auxiliary {
                    auxiliary.step(lr, p, &g)?;
                }
            }
            let matrices = parameters.iter_mut().filter(|(walk, ..)| !of_auxiliary(walk));
            let mut matrices: Vec<_> =
                matrices.map(|(walk, p, g)| (&mut **walk, &mut **p, *g)).collect();
            return Self::together(lr, loss, &mut matrices);
        }
        let Some(rule) = parameters.first().map(|(walk, ..)| walk.rule.clone()) else {
            return Ok(());
        };
        let form = |rule: &U| (rule.start().presence(), rule.scalars(lr, 1).presence());
        if parameters.iter().any(|(walk, ..)| form(&walk.rule) != form(&rule)) {
            // Of a rule that is another for each kind of tensor none sees the model.
            let mut each = parameters.iter_mut();
            return each.try_for_each(|(walk, p, g)| Self::together(lr, loss, &mut [(walk, p, g)]));
        }
        let start = |(walk, p, g): &mut (&mut Self, &mut [R], &[R])| {
            walk.t += 1;
            let turned = maximizes(&walk.rule);
            let k = walk.rule.scalars(lr, walk.t);
            let k = walk.rule.remember(lr, walk.t, k, &mut walk.memory);
            let turn = |loss: f64| if turned { -loss } else { loss };
            let k = match loss {
                Some(loss) if U::LOSS => walk.rule.with_loss(k, turn(loss)),
                _ => k,
            };
            walk.last = values(k.lanes());
            Parameter {
                view: walk.view,
                p: p.to_vec(),
                g: g.iter().map(|g| if turned { -*g } else { *g }).collect(),
                draw: walk.rule.seed().map(|seed| Draw::new(seed, walk.t, walk.stream)),
                state: walk.state.clone(),
                k: walk.last.clone(),
                rule: walk.rule.clone(),
                kept: walk.kept.clone(),
                whole: Whole {
                    number: 0,
                    t: walk.t,
                    lr,
                    view: walk.view,
                    dims: walk.dims.clone(),
                    memory: walk.memory.clone(),
                    random: Random {
                        draw: walk.rule.seed().map(|seed| Draw::new(seed, walk.t, walk.stream)),
                        drawn: 0,
                        recorded: core::mem::take(&mut walk.recorded),
                    },
                    failed: Arc::default(),
                },
            }
        };
        let all = parameters.iter_mut().map(start).collect();
        let stepped = choose(&rule, Together { all });
        for ((walk, p, _), stepped) in parameters.iter_mut().zip(stepped) {
            let Parameter { state, kept, whole, .. } = stepped;
            p.copy_from_slice(&stepped.p);
            (walk.state, walk.kept, walk.recorded) = (state, kept, whole.random.recorded);
        }
        Ok(())
    }

    /// The states, in the order in which the rule declares them.
    pub fn state(&self) -> &[Vec<R>] {
        match &self.auxiliary {
            Some(auxiliary) => auxiliary.state(),
            None => &self.state,
        }
    }

    /// The weights to evaluate and ship, see [`Rule::evaluate`]; before the first step, `p`.
    pub fn evaluate(&self, p: &[R]) -> Vec<R> {
        if self.t == 0 {
            return p.to_vec();
        }
        let Self { view, state, last, .. } = self;
        choose(&self.rule, Evaluate::<U, R> { view: *view, p, state, last, rule: PhantomData })
    }
}

/// A parameter before its step.
struct Parameter<U, R> {
    view: View,
    p: Vec<R>,
    g: Vec<R>,
    draw: Option<Draw>,
    state: Vec<Vec<R>>,
    k: Vec<f64>,
    rule: U,
    kept: Vec<Dense<R>>,
    whole: Whole,
}

impl<U: Rule, R: Real + Into<f64>> Parameter<U, R> {
    /// What the rule makes of the whole matrix, in the order of its elements.
    fn whole(&mut self, number: usize, x: Vec<R>) -> Vec<R> {
        let turn = |x: Dense<R>| if self.view.by_columns { x.transpose() } else { x };
        let x = turn(Dense { dims: self.view.stored(), numbers: x });
        self.whole.number = number;
        let made = self.rule.whole(x, &mut self.kept, &mut self.whole);
        turn(made).numbers
    }
}

struct Together<U, R> {
    all: Vec<Parameter<U, R>>,
}

impl<U: Rule, R: Real + Into<f64>> RuleVisitor for Together<U, R> {
    /// The parameters after their step.
    type Output = Vec<Parameter<U, R>>;
    fn visit<P: Presence, Q: Presence>(self) -> Self::Output {
        let mut all = self.all;
        let domains = domains::<U, P>();
        let model = all.iter().map(|at| at.view.len()).sum();
        let update = |at: &Parameter<U, R>, known: &[Vec<R>], element: usize| {
            let Parameter { view, draw, .. } = *at;
            let k = U::Scalars::read::<Q>(|lane| R::lit(at.k[lane]));
            let s = U::State::read::<P>(|lane| at.state[lane][view.place(domains[lane], element)]);
            let mut seen = Seen { view, model, draw, known, element, asked: Vec::new() };
            let (p, s) = U::update(at.p[element], at.g[element], s, k, &mut seen);
            (p, s, seen.asked)
        };
        // What is known of each parameter, one sum after another: each needs those before it at most.
        let mut known: Vec<Vec<Vec<R>>> = vec![Vec::new(); all.len()];
        let some = all.iter().find(|at| !at.view.is_empty());
        let asked = some.map_or(Vec::new(), |at| update(at, &[], 0).2);
        let mut wholes = 0;
        for (number, (fold, to, _)) in asked.into_iter().enumerate() {
            let mut of_model: Option<Folded<R>> = None;
            for (at, known) in all.iter_mut().zip(&mut known) {
                if fold == Fold::Whole {
                    let x =
                        (0..at.view.len()).map(|element| update(at, known, element).2[number].2);
                    let x = x.collect();
                    known.push(at.whole(wholes, x));
                    continue;
                }
                let mut folded: Vec<Option<Folded<R>>> = vec![None; at.view.numbers(to)];
                for element in 0..at.view.len() {
                    let x = update(at, known, element).2[number].2;
                    let so_far = &mut folded[at.view.place(to, element)];
                    let of_model = if to == Domain::Model { &mut of_model } else { so_far };
                    *of_model = Some(Folded::put(*of_model, fold, x));
                }
                let end =
                    |folded: Option<Folded<R>>| folded.map_or(R::lit(0.0), |folded| folded.end);
                known.push(folded.into_iter().map(end).collect());
            }
            wholes += usize::from(fold == Fold::Whole);
            if let Some(of_model) = of_model {
                known.iter_mut().for_each(|known| known[number] = vec![of_model.end]);
            }
        }
        let step = |(mut at, known): (Parameter<U, R>, Vec<Vec<R>>)| {
            let (mut p, mut state) = (at.p.clone(), at.state.clone());
            for (element, p) in p.iter_mut().enumerate() {
                let (new, s, _) = update(&at, &known, element);
                *p = new;
                s.write::<P>(|lane, _, value| {
                    state[lane][at.view.place(domains[lane], element)] = value;
                });
            }
            (at.p, at.state) = (p, state);
            at
        };
        all.into_iter().zip(known).map(step).collect()
    }
}

/// A sum or a maximum so far, and what rounding has taken from the sum (Kahan's summation).
#[derive(Clone, Copy)]
struct Folded<R> {
    end: R,
    lost: R,
}

impl<R: Real> Folded<R> {
    fn put(so_far: Option<Self>, fold: Fold, x: R) -> Self {
        match (so_far, fold) {
            (None, _) => Self { end: x, lost: R::lit(0.0) },
            (Some(Self { end, lost }), Fold::Max) => Self { end: end.max(x), lost },
            (Some(_), Fold::Whole) => Self { end: x, lost: R::lit(0.0) },
            (Some(Self { end, lost }), Fold::Sum) => {
                let x = x - lost;
                let sum = end + x;
                let lost = (sum - end) - x;
                // Of a sum that is infinite nothing is lost, so that it stays infinite.
                let is_finite = lost.abs().lt(R::lit(f64::INFINITY));
                Self { end: sum, lost: R::select(is_finite, lost, R::lit(0.0)) }
            }
        }
    }
}

/// What the rule sees from one element.
struct Seen<'a, R> {
    view: View,
    /// The elements of all parameters.
    model: usize,
    draw: Option<Draw>,
    /// The folds that are known.
    known: &'a [Vec<R>],
    element: usize,
    /// What has been asked for.
    asked: Vec<(Fold, Domain, R)>,
}

impl<R: Real> Over<R> for Seen<'_, R> {
    fn fold(&mut self, fold: Fold, to: Domain, x: R) -> R {
        let known = self.known.get(self.asked.len());
        self.asked.push((fold, to, x));
        known.map_or(R::lit(0.0), |known| known[self.view.place(to, self.element)])
    }
    fn count(&self, of: Domain) -> R {
        let count = if of == Domain::Model { self.model } else { self.view.elements(of) };
        R::lit(count as f64)
    }
    fn normal(&mut self) -> R {
        self.draw.map_or(R::lit(0.0), |draw| draw.normal(self.element))
    }
}

/// The domain of each state.
fn domains<U: Rule, P: Presence>() -> Vec<Domain> {
    let mut list = Vec::new();
    U::State::<()>::domains::<P>(|_, domain, _| list.push(domain));
    list
}

struct Evaluate<'a, U, R> {
    view: View,
    p: &'a [R],
    state: &'a [Vec<R>],
    last: &'a [f64],
    rule: PhantomData<U>,
}

impl<U: Rule, R: Real> RuleVisitor for Evaluate<'_, U, R> {
    type Output = Vec<R>;
    fn visit<P: Presence, Q: Presence>(self) -> Vec<R> {
        let Evaluate { view, p, state, last, .. } = self;
        let domains = domains::<U, P>();
        let k = U::Scalars::read::<Q>(|lane| R::lit(last[lane]));
        let s = |i: usize| U::State::read::<P>(|lane| state[lane][view.place(domains[lane], i)]);
        p.iter().enumerate().map(|(i, p)| U::evaluate(*p, s(i), k)).collect()
    }
}
