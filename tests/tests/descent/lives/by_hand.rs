//! A life on plain vectors.

use super::formulas::{self, Memory, Stepped, norm};
use super::life::{FALL, Gradients, LR_OF_VECTORS, Life, Mean, Odd, Options, Rule};
use burn_descent::NotFinite;
use burn_descent_tests::numbers;

/// A parameter and all that is kept of it.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) weights: Vec<f64>,
    pub(crate) shape: [usize; 2],
    pub(crate) is_frozen: bool,
    /// Was the walk built for it?
    pub(crate) is_known: bool,
    memory: Memory,
    sum: Option<Vec<f64>>,
    average: Option<Vec<f64>>,
    seen: u64,
    slow: Option<Vec<f64>>,
}

impl Parameter {
    /// The matrix of a layer, or its vector: a matrix of one row here.
    pub(crate) fn new(number: usize, seed: u64, large: bool) -> Self {
        let shape = match number % 2 {
            0 if number == 0 && large => [256, 257],
            0 => [2 + number % 4, 3],
            _ => [1, 3],
        };
        Self {
            weights: floats(seed, shape[0] * shape[1]),
            shape,
            is_frozen: false,
            is_known: true,
            memory: Memory::default(),
            sum: None,
            average: None,
            seen: 0,
            slow: None,
        }
    }

    fn is_vector(&self) -> bool {
        self.shape[0] == 1
    }

    /// As it is for a walk that has not begun.
    pub(crate) fn forget(&mut self) {
        let Self { weights, shape, is_frozen, .. } = self.clone();
        *self = Self { weights, shape, is_frozen, ..Self::new(0, 0, false) };
    }
}

/// Numbers that f32 holds.
pub(crate) fn floats(seed: u64, len: usize) -> Vec<f64> {
    numbers(seed, len).into_iter().map(|x| f64::from(x as f32)).collect()
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing but a micro-batch that was taken in, or none that could be flushed.
    Waits,
    Stepped {
        clip: f64,
    },
    Skipped,
    NotFinite,
    NoGradient,
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct ByHand {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) steps: u64,
    pub(crate) skipped: u64,
    seen: u32,
    weight: f64,
}

impl ByHand {
    pub(crate) fn born(life: &Life) -> Self {
        let new = |number| Parameter::new(number, number as u64, life.large);
        let parameters = (0..2 * life.layers).map(new).collect();
        Self { parameters, steps: 0, skipped: 0, seen: 0, weight: 0.0 }
    }

    /// The gradient of a parameter in the first or the second of its places, where there is one.
    pub(crate) fn of_place(
        &self,
        life: &Life,
        asked: &Gradients,
        number: usize,
        place: u64,
    ) -> Option<Vec<f64>> {
        let is_missing = asked.missing >> (number % 8) & 1 == 1;
        let is_there = place == 0 || life.tied && number == 0;
        if is_missing || !is_there {
            return None;
        }
        let len = self.parameters[number].weights.len();
        let mut numbers = floats(10_000 + 100 * asked.seed + 2 * number as u64 + place, len);
        if let Some((odd, kind)) = asked.odd
            && odd % self.parameters.len() == number
        {
            let count = if matches!(kind, Odd::Zeros) { len } else { 1 };
            numbers[..count].fill(kind.number(life.stays_wide()));
        }
        Some(numbers)
    }

    /// The gradient of a parameter, where it has one: the sum of both places.
    pub(crate) fn gradient(
        &self,
        life: &Life,
        asked: &Gradients,
        number: usize,
    ) -> Option<Vec<f64>> {
        let mut sum = self.of_place(life, asked, number, 0)?;
        let second = self.of_place(life, asked, number, 1);
        sum.iter_mut().zip(second.into_iter().flatten()).for_each(|(sum, g)| *sum += g);
        Some(sum)
    }

    pub(crate) fn call(&mut self, life: &Life, options: &Options, asked: &Gradients) -> Outcome {
        let gradient = |i: &usize| Some((*i, self.gradient(life, asked, *i)?));
        let trained = (0..self.parameters.len()).filter(|i| !self.parameters[*i].is_frozen);
        let found: Vec<_> = trained.filter_map(|i| gradient(&i)).collect();
        if found.iter().any(|(i, _)| !self.parameters[*i].is_known) {
            return Outcome::Unknown;
        }
        if found.is_empty() {
            return Outcome::NoGradient;
        }
        let weight = if life.accumulate == 1 { 1.0 } else { asked.weight };
        for (i, gradient) in found {
            let sum = self.parameters[i].sum.get_or_insert_with(|| vec![0.0; gradient.len()]);
            sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += weight * g);
        }
        self.seen += 1;
        self.weight += weight;
        if self.seen < life.accumulate {
            return Outcome::Waits;
        }
        self.step(life, options)
    }

    /// The step of the micro-batches that there are.
    pub(crate) fn step(&mut self, life: &Life, options: &Options) -> Outcome {
        if self.seen == 0 {
            return Outcome::Waits;
        }
        let weight = core::mem::take(&mut self.weight);
        self.seen = 0;
        let mut gradients: Vec<Option<Vec<f64>>> = Vec::new();
        for parameter in &mut self.parameters {
            let sum = parameter.sum.take().filter(|_| !parameter.is_frozen);
            gradients.push(sum.map(|sum| sum.iter().map(|sum| sum / weight).collect()));
        }
        let all = || gradients.iter().flatten().flatten();
        if all().any(|g| !g.is_finite()) {
            match options.policy {
                NotFinite::Skip => {
                    self.skipped += 1;
                    return Outcome::Skipped;
                }
                NotFinite::Error => return Outcome::NotFinite,
                NotFinite::Zero => {
                    let numbers = gradients.iter_mut().flatten().flatten();
                    numbers.filter(|g| !g.is_finite()).for_each(|g| *g = 0.0);
                }
                _ => {}
            }
        }
        let norm = norm(gradients.iter().flatten().flatten());
        let clip = match options.clip {
            Some(most) if norm > most => most / norm,
            _ => 1.0,
        };
        gradients.iter_mut().flatten().flatten().for_each(|g| *g *= clip);
        self.set_out(options);
        self.descend(life, options, gradients);
        self.steps += 1;
        if let Some(k) = options.lookahead
            && self.steps.is_multiple_of(k)
        {
            self.meet();
        }
        self.average(life, options);
        Outcome::Stepped { clip }
    }

    /// Before a step: averages and slow weights of what is trained begin.
    fn set_out(&mut self, options: &Options) {
        for at in &mut self.parameters {
            if options.mean.is_some() && at.seen > 0 && !at.is_frozen && at.average.is_none() {
                at.average = Some(at.weights.clone());
            }
            if options.lookahead.is_some() && at.is_known {
                match at.is_frozen {
                    true => at.slow = None,
                    false => drop(at.slow.get_or_insert_with(|| at.weights.clone())),
                }
            }
        }
    }

    fn descend(&mut self, life: &Life, options: &Options, gradients: Vec<Option<Vec<f64>>>) {
        // What of the way down a schedule is left.
        let left = FALL.saturating_sub(self.steps) as f64 / FALL as f64;
        let lr = options.lr * if options.falls { left + (1.0 - left) / 4.0 } else { 1.0 };
        let mut of_rules: Vec<(Rule, Vec<Stepped<'_>>)> = Vec::new();
        for (at, gradient) in self.parameters.iter_mut().zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let is_vector = at.is_vector();
            let own = life.vectors.filter(|_| is_vector);
            let decay = match is_vector {
                true if life.only_matrices_decay(options) => 0.0,
                true if own.is_some() => options.decay * left,
                _ => options.decay,
            };
            let lr = if own.is_some() { LR_OF_VECTORS } else { lr };
            let rule = own.unwrap_or(life.rule);
            let matrix = (!is_vector).then_some(at.shape);
            let (weights, memory) = (&mut at.weights[..], &mut at.memory);
            let stepped = Stepped { weights, memory, gradient, matrix, lr, decay };
            match of_rules.iter_mut().find(|(of, _)| *of == rule) {
                Some((_, all)) => all.push(stepped),
                None => of_rules.push((rule, vec![stepped])),
            }
        }
        for (rule, mut parameters) in of_rules {
            formulas::step(rule, &mut parameters);
        }
    }

    /// Lookahead's fast weights meet the slow ones.
    fn meet(&mut self) {
        for at in self.parameters.iter_mut().filter(|at| !at.is_frozen) {
            let Some(slow) = &mut at.slow else { continue };
            slow.iter_mut().zip(&at.weights).for_each(|(slow, w)| *slow += 0.5 * (w - *slow));
            at.weights.clone_from(slow);
        }
    }

    fn average(&mut self, life: &Life, options: &Options) {
        let t = self.steps;
        let takes = match options.mean {
            Some(Mean::Ema(_)) => true,
            Some(Mean::Swa(start, every)) => t >= start && (t - start).is_multiple_of(every),
            None => false,
        };
        if !takes {
            return;
        }
        for at in self.parameters.iter_mut().filter(|at| at.is_known) {
            at.seen += 1;
            if at.average.is_none() && at.is_frozen {
                continue;
            }
            let weights = own(life, at);
            let share = match options.mean {
                Some(Mean::Ema(decay)) => (1.0 - decay) / (1.0 - decay.powi(at.seen as i32)),
                _ => 1.0 / at.seen as f64,
            };
            match &mut at.average {
                Some(average) if share < 1.0 => {
                    let pairs = average.iter_mut().zip(weights);
                    pairs.for_each(|(average, w)| *average += share * (w - *average));
                }
                first => *first = Some(weights),
            }
        }
    }

    /// The weights to evaluate.
    pub(crate) fn evaluated(&self, life: &Life) -> Vec<Vec<f64>> {
        let of = |at: &Parameter| {
            let slow = at.slow.clone().filter(|_| !at.is_frozen);
            at.average.clone().or(slow).unwrap_or_else(|| own(life, at))
        };
        self.parameters.iter().map(of).collect()
    }

    /// A walk that has not begun, over the same weights.
    pub(crate) fn forget(&mut self, is_built: bool) {
        for at in &mut self.parameters {
            let is_known = at.is_known || is_built;
            at.forget();
            at.is_known = is_known;
        }
        *self = Self { steps: 0, skipped: 0, seen: 0, weight: 0.0, ..self.clone() };
    }

    /// The same life with other options: what a new one needs begins anew.
    pub(crate) fn change(&mut self, before: &Options, now: &Options) {
        let goes_on = match (&before.mean, &now.mean) {
            (Some(Mean::Ema(_)), Some(Mean::Ema(_))) => true,
            (Some(Mean::Swa(..)), Some(Mean::Swa(start, _))) => self.steps >= *start,
            _ => false,
        };
        for at in &mut self.parameters {
            if !goes_on {
                (at.average, at.seen) = (None, 0);
            }
            at.slow = at.slow.take().filter(|_| now.lookahead.is_some());
        }
    }

    /// Weights in another precision.
    pub(crate) fn cast(&mut self, wide: bool) {
        if !wide {
            let weights = self.parameters.iter_mut().flat_map(|at| &mut at.weights);
            weights.for_each(|w| *w = f64::from(*w as f32));
        }
    }
}

/// The weights that the optimizer says are to be evaluated.
fn own(life: &Life, at: &Parameter) -> Vec<f64> {
    let rule = life.vectors.filter(|_| at.is_vector()).unwrap_or(life.rule);
    formulas::evaluated(rule, &at.weights, &at.memory)
}
