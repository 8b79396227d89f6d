//! What is done to each gradient.

use crate::{Model, gradients, model, sgd};
use burn::module::ParamGroup;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn_descent::{Descent, Transform};
use burn_descent_tests::values;

/// What was applied to a vector and to a matrix: at a rate of 1 plain SGD moves by it.
fn applied(transform: Transform, weight: f64) -> [(Vec<f64>, Vec<f64>); 2] {
    let start = model();
    let mut descent = Descent::builder(sgd())
        .lr(1.0)
        .accumulate(2)
        .transform(transform)
        .build(&start)
        .expect("it fits");
    let given = gradients(&start, 1000);
    let given = [
        values(&given.get::<1>(start.vectors[3].id).expect("it has one")),
        values(&given.get::<2>(start.matrices[3].id).expect("it has one")),
    ];
    let of = |model: &Model| [values(&model.vectors[3].val()), values(&model.matrices[3].val())];
    let before = of(&start);
    let mut at = start;
    for seed in [1000, 1000] {
        let part = gradients(&at, seed);
        (at, _) = descent.step_weighted(at, part, weight).expect("a good step");
    }
    let after = of(&at);
    let moved = |i: usize| before[i].iter().zip(&after[i]).map(|(a, b)| a - b).collect::<Vec<_>>();
    let [vector, matrix] = given;
    [(vector, moved(0)), (matrix, moved(1))]
}

fn close(found: &[f64], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
    }
}

fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The rows of a 3 x 4 matrix: what leads to one output, where no container says otherwise.
fn rows(matrix: &[f64]) -> Vec<&[f64]> {
    matrix.chunks(4).collect()
}

#[test]
fn centralized_gradients_have_no_mean() {
    // Whatever the weights of the micro-batches are.
    for weight in [1.0, 7.0] {
        let [vector, matrix] = applied(Transform::centralize(), weight);
        close(&vector.1, vector.0.iter().copied());
        let rows = rows(&matrix.0);
        let mean = |row: usize| rows[row].iter().sum::<f64>() / 4.0;
        close(&matrix.1, matrix.0.iter().enumerate().map(|(i, g)| g - mean(i / 4)));
    }
}

#[test]
fn adaptive_clipping_follows_the_weights() {
    let start = model();
    let weights = [values(&start.vectors[3].val()), values(&start.matrices[3].val())];
    for weight in [1.0, 7.0] {
        let limit = 0.3;
        let [vector, matrix] = applied(Transform::clip_adaptive(limit), weight);
        let factor = |w: &[f64], g: &[f64]| (limit * norm(w).max(1e-3) / norm(g)).min(1.0);
        let whole = factor(&weights[0], &vector.0);
        close(&vector.1, vector.0.iter().map(|g| g * whole));
        let (w, g) = (rows(&weights[1]), rows(&matrix.0));
        let factors: [f64; 3] = core::array::from_fn(|row| factor(w[row], g[row]));
        assert!(factors.iter().any(|factor| *factor < 1.0));
        close(&matrix.1, matrix.0.iter().enumerate().map(|(i, g)| g * factors[i / 4]));
    }
}

/// In burn's `Linear`, of inputs × outputs, what leads to one output is a column.
#[test]
fn a_linear_has_its_outputs_in_columns() {
    let device = Device::default();
    let model: Linear = LinearConfig::new(3, 4).init(&device.clone().autodiff());
    let builder = Descent::builder(sgd()).lr(1.0).transform(Transform::centralize());
    let mut descent = builder.build(&model).expect("it fits");
    let view = descent.plan().lines[0].view.expect("the plan shows outputs x inputs");
    assert_eq!((view.rows, view.columns), (4, 3));
    let gradient = Tensor::<2>::from_data(
        [[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 5.0], [2.0, 0.0, 0.0, 0.0]],
        &device,
    );
    let before = values(&model.weight.val());
    let mut gradients = GradientsParams::new();
    gradients.register(model.weight.id, gradient.clone());
    let (model, _) = descent.step(model, gradients).expect("a good step");
    let moved = before.iter().zip(values(&model.weight.val())).map(|(a, b)| a - b);
    let expected = values(&(gradient.clone() - gradient.mean_dim(0)));
    close(&moved.collect::<Vec<_>>(), expected);
}

#[test]
fn values_are_clamped_after_the_mean() {
    for weight in [1.0, 7.0] {
        let [vector, _] = applied(Transform::clip_value(0.25), weight);
        assert!(vector.0.iter().any(|g| g.abs() > 0.25));
        close(&vector.1, vector.0.iter().map(|g| g.clamp(-0.25, 0.25)));
    }
}

#[test]
fn noise_is_normal_dies_away_and_follows_from_the_seed() {
    let start = model();
    let walk = |seed: u64| {
        let noise = Transform::noise(0.09, seed);
        let mut descent =
            Descent::builder(sgd()).lr(1.0).transform(noise).build(&start).expect("it fits");
        let mut at = start.clone();
        let mut moves = Vec::new();
        for _ in 0..200 {
            let before = values(&at.vectors[20].val());
            let mut zero = GradientsParams::new();
            let zeros: Tensor<1> = at.vectors[20].val().inner().zeros_like();
            zero.register(at.vectors[20].id, zeros);
            (at, _) = descent.step(at, zero).expect("a good step");
            let after = values(&at.vectors[20].val());
            moves.push(before.iter().zip(after).map(|(a, b)| a - b).collect::<Vec<f64>>());
        }
        moves
    };
    let moves = walk(7);
    assert_eq!(moves, walk(7));
    assert_ne!(moves, walk(8));
    // In units of the deviation they are 5000 numbers of mean 0 and variance 1.
    let unit = |step: usize| (0.09 / (1.0 + step as f64).powf(0.55)).sqrt();
    let units: Vec<f64> = moves
        .iter()
        .enumerate()
        .flat_map(|(step, numbers)| numbers.iter().map(move |x| x / unit(step)))
        .collect();
    let count = units.len() as f64;
    let mean = units.iter().sum::<f64>() / count;
    let variance = units.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 5.0 / count.sqrt(), "{mean}");
    assert!((variance - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{variance}");
}

#[test]
fn only_some_parameters_are_transformed() {
    let only = ParamGroup::from_predicate("matrices");
    let [vector, matrix] = applied(Transform::clip_value(0.25).only(only), 1.0);
    close(&vector.1, vector.0.iter().copied());
    close(&matrix.1, matrix.0.iter().map(|g| g.clamp(-0.25, 0.25)));
}
