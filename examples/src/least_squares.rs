//! L-BFGS finds the least squares of a linear model.

use crate::args::Flags;
use crate::position::Position;
use crate::program::{Prepared, prepare};
use crate::recipe::Recipe;
use crate::task::Task;
use crate::train::{Classroom, Learner};
use clap::Parser;
use std::path::{Path, PathBuf};

/// The least mean square of `y − X w − b`, by Gram-Schmidt: what is left of `y` after all columns.
fn least_squares(rows: &[&[f32]], targets: &[f32]) -> f64 {
    let n = rows.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    // Twice, for the rounding of the first time.
    let rest = |basis: &[Vec<f64>], mut column: Vec<f64>| {
        for direction in basis.iter().chain(basis) {
            let along = dot(direction, &column);
            column.iter_mut().zip(direction).for_each(|(x, d)| *x -= along * d);
        }
        column
    };
    let columns =
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column].into()).collect());
    for column in core::iter::once(vec![1.0; n]).chain(columns) {
        let before = dot(&column, &column);
        let column = rest(&basis, column);
        let norm = dot(&column, &column).sqrt();
        // One column a word, and their sum is that of the bias.
        if norm > 1e-6 * before.sqrt() {
            basis.push(column.into_iter().map(|x| x / norm).collect());
        }
    }
    let error = rest(&basis, targets.iter().map(|y| f64::from(*y)).collect());
    dot(&error, &error) / n as f64
}

/// Trains a linear model by L-BFGS, and says by how much of the least loss it is above that.
fn excess(flags: &[&str]) -> f64 {
    let how = "regression --hidden none --optimizer lbfgs --weights f64 --batch-size all \
               --set tolerance_change=0 --set history_size=20 --epochs 12";
    let flags = Flags::try_parse_from(
        how.split(' ').filter(|word| !word.is_empty()).chain(flags.iter().copied()),
    )
    .unwrap();
    let recipe = Recipe::new(Task::Regression, &flags.common, None).unwrap();
    let Prepared { device, data, model, .. } = prepare(&flags.common, &recipe, None).unwrap();
    let rows: Vec<_> = data.train.inputs.rows().collect();
    let least = least_squares(&rows, &data.train.targets.values);
    let position = Position::new(&flags, recipe, data.checksum(), None).unwrap();
    let descent = position.walk(&model, data.train.inputs.len()).unwrap();
    let mut learner = Learner { model, descent, flush: false, log: None };
    let classroom = Classroom::new(data, &device);
    let plan = position.recipe.plan(classroom.len());
    let mut loss = f64::INFINITY;
    for epoch in 1..=position.epochs {
        loss = learner.epoch(&classroom, &plan, epoch, |_, _, _| ()).unwrap().train_loss;
    }
    println!("{flags:?}: {loss:?}, least {least:?}", flags = flags.common.data.data);
    loss / least - 1.0
}

#[test]
fn lbfgs_finds_the_least_squares_of_generated_data() {
    let excess = excess(&[]);
    assert!(excess.abs() < 1e-8, "{excess:e}");
}

/// Where the data set is: `BURN_DESCENT_DATA` names its folder.
#[test]
fn lbfgs_finds_the_least_squares_of_diamonds() {
    let shared = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("BURN_DESCENT_DATA").map_or_else(shared, PathBuf::from);
    let file = folder.join("diamonds.csv.gz");
    if !file.exists() {
        return;
    }
    let excess = excess(&["--data", file.to_str().unwrap(), "--target", "price"]);
    assert!(excess.abs() < 1e-8, "{excess:e}");
}
