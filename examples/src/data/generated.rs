//! Data made by a formula and a seed: nothing to download, and too curved for a linear model.

use super::encoder::{Code, Coding, Encoder, Inputs};
use super::scale::Scale;
use super::split::split;
use super::{Dataset, Examples, Matrix};
use crate::random::{Stream, rng};
use crate::task::Task;
use anyhow::Result;
use rand::Rng;
use std::f64::consts::{PI, TAU};

/// How many examples are made.
const ROWS: usize = 10_000;

/// Arms of the spiral: as many classes.
const ARMS: usize = 3;

/// A number between 0 and 1: its variance is 1/12.
const UNIFORM: Scale = Scale { mean: 0.5, deviation: 0.288_675_134_594_812_9 };

/// What Friedman's function gives, nearly.
const FRIEDMAN: Scale = Scale { mean: 14.4, deviation: 4.9 };

/// A number on the spiral, whose radius is 1.
const PLANE: Scale = Scale { mean: 0.0, deviation: 0.5 };

/// Examples for a task.
pub(super) fn generate(task: Task, seed: u64) -> Result<Dataset> {
    let (inputs, targets) = match task {
        Task::Regression => friedman(seed),
        Task::Classification => spirals(seed),
    };
    let (scale, target) = match task {
        Task::Regression => (UNIFORM, Coding::new("y", Code::Number(FRIEDMAN))),
        Task::Classification => (PLANE, Coding::new("arm", Code::numbered(ARMS))),
    };
    let column = |number| Coding::new(format!("x{number}"), Code::Number(scale));
    let columns = (1..=inputs.width).map(column).collect();
    let encoder = Encoder { inputs: Inputs::Columns(columns), target };
    let (train, test) = split(ROWS, seed)?;
    let examples =
        |rows: &[usize]| Examples { inputs: inputs.select(rows), targets: targets.select(rows) };
    Ok(Dataset { train: examples(&train), test: examples(&test), encoder, notes: Vec::new() })
}

/// Friedman's first function (1991): ten inputs, five of which matter, and a little noise.
/// Inputs and target are scaled to mean 0 and variance 1 by what the formula gives.
fn friedman(seed: u64) -> (Matrix, Matrix) {
    let mut rng = rng(seed, Stream::Data);
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..ROWS {
        let x: [f64; 10] = core::array::from_fn(|_| rng.random());
        let y = 10.0 * (PI * x[0] * x[1]).sin()
            + 20.0 * (x[2] - 0.5).powi(2)
            + 10.0 * x[3]
            + 5.0 * x[4];
        let y = y + 0.5 * noise(&mut rng);
        inputs.extend(x.map(|x| ((x - UNIFORM.mean) * 12.0_f64.sqrt()) as f32));
        targets.push(FRIEDMAN.apply(y));
    }
    (Matrix::new(inputs, 10), Matrix::new(targets, 1))
}

/// Points of the plane on the arms of a spiral, blurred; the class is the arm.
fn spirals(seed: u64) -> (Matrix, Matrix) {
    let mut rng = rng(seed, Stream::Data);
    let (mut inputs, mut classes) = (Vec::new(), Vec::new());
    for row in 0..ROWS {
        let arm = row % ARMS;
        let radius: f64 = rng.random_range(0.15..1.0);
        let angle = TAU * (arm as f64 / ARMS as f64 + 1.5 * radius);
        let point = [radius * angle.cos(), radius * angle.sin()];
        inputs.extend(point.map(|x| PLANE.apply(x + 0.035 * noise(&mut rng))));
        classes.push(arm);
    }
    (Matrix::new(inputs, 2), Matrix::one_hot(&classes, ARMS))
}

/// A number that is normal enough: the sum of twelve uniform ones, mean 0 and variance 1.
fn noise(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        for task in [Task::Regression, Task::Classification] {
            let data = |seed| generate(task, seed).unwrap().checksum();
            assert_eq!(data(3), data(3));
            assert_ne!(data(3), data(4));
        }
    }

    #[test]
    fn targets_are_standardised() {
        let (_, targets) = friedman(0);
        let n = targets.len() as f32;
        let mean = targets.values.iter().sum::<f32>() / n;
        let variance = targets.values.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / n;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
