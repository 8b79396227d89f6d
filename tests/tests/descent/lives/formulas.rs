//! The rules by hand, on plain vectors in f64: loops and the letters of the papers, and nothing of the library's.

use super::life::Rule;
use std::collections::BTreeMap;

/// What is remembered of one parameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) t: i32,
    states: BTreeMap<&'static str, Vec<f64>>,
}

impl Memory {
    fn of(&mut self, name: &'static str, len: usize, start: f64) -> &mut Vec<f64> {
        self.states.entry(name).or_insert_with(|| vec![start; len])
    }

    /// One number for the parameter.
    fn number(&mut self, name: &'static str, start: f64) -> &mut f64 {
        &mut self.of(name, 1, start)[0]
    }
}

/// A parameter that is stepped.
pub(crate) struct Stepped<'a> {
    pub(crate) weights: &'a mut [f64],
    pub(crate) memory: &'a mut Memory,
    pub(crate) gradient: Vec<f64>,
    /// Rows and columns of a matrix.
    pub(crate) matrix: Option<[usize; 2]>,
    pub(crate) lr: f64,
    pub(crate) decay: f64,
}

/// A step of all parameters of a rule.
pub(crate) fn step(rule: Rule, parameters: &mut [Stepped<'_>]) {
    parameters.iter_mut().for_each(|at| at.memory.t += 1);
    match rule {
        Rule::Momentum => parameters.iter_mut().for_each(momentum),
        Rule::AdamW => parameters.iter_mut().for_each(adamw),
        Rule::Lion => parameters.iter_mut().for_each(lion),
        Rule::Nesterov => parameters.iter_mut().for_each(nesterov),
        Rule::Lamb => parameters.iter_mut().for_each(lamb),
        Rule::Adafactor => parameters.iter_mut().for_each(adafactor),
        Rule::Prodigy => prodigy(parameters),
        Rule::Burns => parameters.iter_mut().for_each(burns),
    }
}

/// The weights to evaluate.
pub(crate) fn evaluated(rule: Rule, weights: &[f64], memory: &Memory) -> Vec<f64> {
    match memory.states.get("m") {
        Some(m) if rule == Rule::Nesterov => {
            weights.iter().zip(m).map(|(x, m)| x - 0.9 * m).collect()
        }
        _ => weights.to_vec(),
    }
}

fn momentum(at: &mut Stepped<'_>) {
    let b = at.memory.of("b", at.weights.len(), 0.0);
    for (i, w) in at.weights.iter_mut().enumerate() {
        let g = at.gradient[i] + at.decay * *w;
        b[i] = 0.9 * b[i] + g;
        *w -= at.lr * b[i];
    }
}

/// The first and second moment, without their bias.
fn moments(at: &mut Stepped<'_>, beta2: f64) -> Vec<(f64, f64)> {
    let (t, len) = (at.memory.t, at.weights.len());
    let m = at.memory.of("m", len, 0.0);
    m.iter_mut().zip(&at.gradient).for_each(|(m, g)| *m = 0.9 * *m + (1.0 - 0.9) * g);
    let m = m.clone();
    let v = at.memory.of("v", len, 0.0);
    v.iter_mut().zip(&at.gradient).for_each(|(v, g)| *v = beta2 * *v + (1.0 - beta2) * g * g);
    let bias = |beta: f64| 1.0 - beta.powi(t);
    m.iter().zip(v).map(|(m, v)| (m / bias(0.9), *v / bias(beta2))).collect()
}

fn adamw(at: &mut Stepped<'_>) {
    let moments = moments(at, 0.99);
    for (w, (m, v)) in at.weights.iter_mut().zip(moments) {
        *w -= at.lr * (m / (v.sqrt() + 1e-8) + at.decay * *w);
    }
}

/// -1, 0, 1 or NaN.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn lion(at: &mut Stepped<'_>) {
    let m = at.memory.of("m", at.weights.len(), 0.0);
    for (i, w) in at.weights.iter_mut().enumerate() {
        let g = at.gradient[i];
        let u = sign(0.9 * m[i] + (1.0 - 0.9) * g);
        m[i] = 0.99 * m[i] + (1.0 - 0.99) * g;
        *w = (1.0 - at.lr * at.decay) * *w - at.lr * u;
    }
}

fn nesterov(at: &mut Stepped<'_>) {
    let m = at.memory.of("m", at.weights.len(), 0.0);
    for (i, x) in at.weights.iter_mut().enumerate() {
        let theta = *x - 0.9 * m[i];
        m[i] = 0.9 * m[i] - at.lr * at.gradient[i];
        *x = theta + m[i] + 0.9 * m[i];
    }
}

/// Of fractions of the largest number, so that its square does not overflow. What is infinite counts more than what is no
/// number.
pub(crate) fn norm<'a>(numbers: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let infinite = numbers.clone().any(|x| x.is_infinite());
    if !infinite && numbers.clone().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let largest = numbers.clone().fold(0.0_f64, |most, x| most.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    numbers.map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt() * largest
}

/// As it comes: a square that overflows is infinite.
fn plain_norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn lamb(at: &mut Stepped<'_>) {
    let moments = moments(at, 0.999);
    let with_decay = |(w, (m, v)): (&f64, (f64, f64))| m / (v.sqrt() + 1e-6) + at.decay * w;
    let u: Vec<f64> = at.weights.iter().zip(moments).map(with_decay).collect();
    let (of_w, of_u) = (plain_norm(at.weights), plain_norm(&u));
    let trust = match of_u > 0.0 {
        true if of_w > 0.0 => of_w / of_u,
        true => 1.0,
        // A NaN is not hidden.
        false => 1.0 + 0.0 * of_u,
    };
    at.weights.iter_mut().zip(&u).for_each(|(w, u)| *w -= at.lr * trust * u);
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let len = numbers.len() as f64;
    numbers.sum::<f64>() / len
}

fn adafactor(at: &mut Stepped<'_>) {
    let (t, len) = (f64::from(at.memory.t), at.weights.len());
    let beta2 = 1.0 - t.powf(-0.8);
    let squares: Vec<f64> = at.gradient.iter().map(|g| g * g + 1e-30).collect();
    let toward = |old: &mut f64, new: f64| *old = beta2 * *old + (1.0 - beta2) * new;
    let root: Vec<f64> = match at.matrix {
        Some([rows, columns]) => {
            let row = at.memory.of("row", rows, 0.0);
            for (i, row) in row.iter_mut().enumerate() {
                toward(row, mean((0..columns).map(|j| squares[i * columns + j])));
            }
            let row = row.clone();
            let column = at.memory.of("column", columns, 0.0);
            for (j, column) in column.iter_mut().enumerate() {
                toward(column, mean((0..rows).map(|i| squares[i * columns + j])));
            }
            let all = mean(row.iter().copied()).sqrt();
            let root = |k: usize| row[k / columns].sqrt() / all * column[k % columns].sqrt();
            (0..len).map(root).collect()
        }
        None => {
            let v = at.memory.of("v", len, 0.0);
            v.iter_mut().zip(&squares).for_each(|(v, square)| toward(v, *square));
            v.iter().map(|v| v.sqrt()).collect()
        }
    };
    let u: Vec<f64> = at.gradient.iter().zip(root).map(|(g, root)| g / root).collect();
    let rms = |numbers: &[f64]| mean(numbers.iter().map(|x| x * x)).sqrt();
    let of_u = rms(&u);
    let clip = 1.0 / if of_u < 1.0 { 1.0 } else { of_u };
    // What is no number is no scale.
    let scale = rms(at.weights);
    let scale = if scale > 1e-3 { scale } else { 1e-3 };
    let alpha = at.lr * scale;
    for (w, u) in at.weights.iter_mut().zip(u) {
        *w = (1.0 - at.lr * at.decay) * *w - alpha * clip * u;
    }
}

/// burn's SGD: its velocity begins with the first gradient.
fn burns(at: &mut Stepped<'_>) {
    let velocity = at.memory.of("velocity", at.weights.len(), 0.0);
    for (i, w) in at.weights.iter_mut().enumerate() {
        velocity[i] = at.gradient[i] + 0.5 * velocity[i];
        *w -= at.lr * velocity[i];
    }
}

/// Of all parameters together, each of which has an estimate `d` of its own: one that was without a gradient
/// has an older one.
fn prodigy(parameters: &mut [Stepped<'_>]) {
    const D0: f64 = 0.01;
    let beta3 = 0.999_f64.sqrt();
    let mut progress = 0.0;
    let mut way = 0.0;
    for at in parameters.iter_mut() {
        let len = at.weights.len();
        let d = *at.memory.number("d", D0);
        let moved = at.memory.of("moved", len, 0.0).clone();
        let s = at.memory.of("s", len, 0.0);
        for i in 0..len {
            progress += d / D0 * (d * at.lr) * at.gradient[i] * moved[i];
            s[i] = beta3 * s[i] + d / D0 * d * at.lr * at.gradient[i];
            way += s[i].abs();
        }
    }
    for at in parameters.iter_mut() {
        let len = at.weights.len();
        let d = *at.memory.number("d", D0);
        let m = at.memory.of("m", len, 0.0);
        m.iter_mut().zip(&at.gradient).for_each(|(m, g)| *m = 0.9 * *m + (1.0 - 0.9) * d * g);
        let m = m.clone();
        let v = at.memory.of("v", len, 0.0);
        let square = |(v, g): (&mut f64, &f64)| *v = 0.999 * *v + (1.0 - 0.999) * (d * g) * (d * g);
        v.iter_mut().zip(&at.gradient).for_each(square);
        let v = v.clone();
        let numerator = at.memory.number("numerator", 0.0);
        *numerator = beta3 * *numerator - progress;
        let found = *numerator / way;
        let mut next = d;
        if way > 0.0 {
            let most = at.memory.number("most", D0);
            *most = greater(*most, found);
            next = *most;
        } else {
            // A NaN is not hidden.
            next += 0.0 * (0.0 * way);
        }
        *at.memory.number("d", D0) = next;
        let moved = at.memory.of("moved", len, 0.0);
        for i in 0..len {
            let step = d * at.lr * (at.decay * at.weights[i] + m[i] / (v[i].sqrt() + next * 1e-8));
            let moves = if way > 0.0 { 1.0 } else { 0.0 * way };
            let new = at.weights[i] - moves * step;
            moved[i] += new - at.weights[i];
            at.weights[i] = new;
        }
    }
}

/// The first if it is greater, else the second: so the library takes a maximum.
fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
