//! Batches of one example, of some, and of all.

use super::{Effort, Finding, Picture, through};
use crate::statistics::quantile;
use crate::training::Bench;
use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use burn_descent_examples::args::Common;
use burn_descent_examples::data::{Batch, OnDevice};
use burn_descent_examples::random::{Stream, order};
use burn_descent_examples::recipe::{BatchSize, Recipe};
use burn_descent_examples::task::Task;
use std::time::Instant;

/// Batches that are looked at of each size, as far as there are so many.
const BATCHES: usize = 400;

/// The usual mini-batch.
const MINI: usize = 32;

/// A regression on generated data.
fn regression(batch_size: BatchSize) -> Result<Recipe> {
    let flags = Common { batch_size: Some(batch_size), ..Common::default() };
    Recipe::new(Task::Regression, &flags, None)
}

pub(super) fn noise(effort: &Effort) -> Result<Finding> {
    let recipe = regression(BatchSize::All)?;
    let data = recipe.source.load(recipe.task, recipe.seed)?;
    let examples = OnDevice::new(&data.train, &effort.device);
    let n = examples.len();
    let all = gradients(&examples, n, &effort.device)?.remove(0);
    let mut variances = Vec::new();
    for size in sizes(n) {
        let gradients = gradients(&examples, size, &effort.device)?;
        let square = |gradient: &Vec<f64>| -> f64 {
            gradient.iter().zip(&all).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let variance = gradients.iter().map(square).sum::<f64>() / gradients.len() as f64;
        variances.push((size, variance));
    }
    let of = |size| variances.iter().find(|(s, _)| *s == size).map_or(f64::NAN, |(_, v)| *v);
    let length: f64 = all.iter().map(|g| g * g).sum();
    let [one, mini, whole] = [1, MINI, n].map(|size| of(size) / length);
    Ok(Finding {
        measured: format!(
            "Variance of the gradient of a linear regression, in squares of its length: {one:.3} \
             with 1 example, {mini:.4} with {MINI} (1/{:.0} of that), {whole:.0e} with all {n}",
            one / mini,
        ),
        holds: one > mini && mini > whole,
        picture: Picture::new(
            ("examples in a batch", true),
            ("variance of the gradient / its length²", true),
            vec![through(
                "measured",
                // That of all examples is 0 but for rounding.
                variances.iter().filter(|(s, _)| *s < n).map(|(s, v)| (*s as f64, v / length)),
            )],
        ),
    })
}

/// Batch sizes: powers of two, and all examples.
fn sizes(n: usize) -> impl Iterator<Item = usize> {
    (0..).map(|power| 1 << power).take_while(move |size| *size < n).chain([n])
}

/// The gradients of a linear regression with weights 0, for the batches of an epoch.
fn gradients(examples: &OnDevice, size: usize, device: &Device) -> Result<Vec<Vec<f64>>> {
    let order = order(examples.len(), 0, Stream::Epoch(1));
    let whole = examples.len() / size;
    let batches = examples.batches(&order, size).take(whole.min(BATCHES));
    let gradient = |batch: Batch| {
        let [_, width] = batch.inputs.dims();
        let weights = Tensor::<2>::zeros([width, 1], &device.clone().autodiff()).require_grad();
        let outputs = Tensor::from_inner(batch.inputs).matmul(weights.clone());
        let loss = Task::Regression.loss(outputs, Tensor::from_inner(batch.targets));
        let gradient = weights.grad(&loss.backward()).context("there is no gradient")?;
        let values = gradient.try_into_vec_as::<f32>().context("the device failed")?;
        Ok(values.into_iter().map(f64::from).collect())
    };
    batches.map(gradient).collect()
}

pub(super) fn cost(effort: &Effort) -> Result<Finding> {
    let mut times = Vec::new();
    let whole = regression(BatchSize::All)?;
    let data = whole.source.load(whole.task, whole.seed)?;
    let n = data.train.inputs.len();
    let bench = Bench::new(data, &effort.device);
    for size in sizes(n) {
        times.push((size, update(&regression(BatchSize::Rows(size))?, &bench)?));
    }
    let of = |size| times.iter().find(|(s, _)| *s == size).map_or(f64::NAN, |(_, t)| *t);
    let (one, mini, whole) = (of(1), of(MINI), of(n));
    let micro = |seconds: f64| seconds * 1e6;
    Ok(Finding {
        measured: format!(
            "Median time of an update of a network: {:.0} µs with 1 example, {:.0} µs with {MINI}, \
             {:.0} µs with all {n}; by the example {:.0} µs, {:.1} µs and {:.2} µs",
            micro(one),
            micro(mini),
            micro(whole),
            micro(one),
            micro(mini) / MINI as f64,
            micro(whole) / n as f64,
        ),
        holds: one < mini && mini < whole,
        picture: Picture::new(
            ("examples in a batch", true),
            ("µs an update", true),
            vec![through("measured", times.iter().map(|(s, t)| (*s as f64, micro(*t))))],
        ),
    })
}

/// The median time of an update, loss, gradient and step, after some to warm up.
fn update(recipe: &Recipe, bench: &Bench) -> Result<f64> {
    const WARM_UP: usize = 5;
    const TIMED: usize = 40;
    let mut learner = bench.learner(recipe, 1)?;
    let plan = recipe.plan(bench.classroom().len());
    let mut times = Vec::new();
    for batch in bench.classroom().endless(&plan).take(WARM_UP + TIMED) {
        let begin = Instant::now();
        let (loss, _) = learner.step(&plan, &batch)?;
        // A device may still be computing until it is asked.
        loss.try_into_vec_as::<f32>().context("the device failed")?;
        times.push(begin.elapsed().as_secs_f64());
    }
    quantile(&times[WARM_UP..], 0.5).context("no time")
}
