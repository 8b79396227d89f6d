//! Gradients that are taken elsewhere than at the weights.

use crate::{Model, floats, model, sgd};
use burn::module::Param;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};
use burn_descent::own::search::Search;
use burn_descent::{
    Ahead, Asam, Build, Descent, DescentError, LossScale, Nesterov, Sam, Schedule, Sgd,
    schedules::Linear,
};
use burn_descent_tests::{bits, values};
use std::sync::Arc;

/// `Σ a w⁴ / 4` over one vector, with a slope `a w³` that depends on where it is taken.
fn loss(model: &Model) -> Tensor<1> {
    let w = model.vectors[4].val();
    (w.powi_scalar(4) * curvature(&model.vectors[4])).sum().div_scalar(4.0)
}

fn curvature(param: &Param<Tensor<1>>) -> Tensor<1> {
    let w = param.val();
    let a = Tensor::arange(1..w.dims()[0] as i64 + 1, &w.device()).float();
    a.mul_scalar(0.1)
}

fn slope(w: &[f64]) -> Vec<f64> {
    w.iter().enumerate().map(|(i, w)| 0.1 * (i + 1) as f64 * w.powi(3)).collect()
}

fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The vector after three steps with plain SGD, and as the formula says.
fn agrees(search: impl Search, look: impl Fn(&[f64]) -> Vec<f64>) {
    let mut at = model();
    let mut expected = values(&at.vectors[4].val());
    let scale = LossScale::new().init_scale(64.0);
    let builder = Descent::builder(sgd()).lr(0.2).loss_scale(scale);
    let mut descent = builder.search(search).build(&at).expect("it fits");
    for _ in 0..3 {
        let value = Tensor::into_scalar::<f32>(loss(&at));
        let loss_at;
        (at, _, loss_at) = descent.step_with(at, loss).expect("a good step");
        let found: f32 = loss_at.into_scalar();
        assert!((found - value).abs() < 1e-6, "the loss is that of the weights");
        let there = look(&expected);
        expected.iter_mut().zip(slope(&there)).for_each(|(w, g)| *w -= 0.2 * g);
    }
    for (found, expected) in values(&at.vectors[4].val()).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
    }
}

#[test]
fn sam_steps_down_the_gradient_uphill() {
    agrees(Sam::new().rho(0.3), |w| {
        let g = slope(w);
        w.iter().zip(&g).map(|(w, g_i)| w + 0.3 * g_i / norm(&g)).collect()
    });
}

#[test]
fn asam_measures_in_units_of_the_weights() {
    agrees(Asam::new(), |w| {
        let g = slope(w);
        let t: Vec<f64> = w.iter().map(|w| w.abs() + 0.01).collect();
        let tg: Vec<f64> = t.iter().zip(&g).map(|(t, g)| t * g).collect();
        (0..w.len()).map(|i| w[i] + 0.5 * t[i] * t[i] * g[i] / norm(&tg)).collect()
    });
}

/// The second look is at `w + ρ g / ‖g‖`, to the last bit of these operations.
#[test]
fn sam_looks_exactly_there() {
    let at = model();
    let mut looked = Vec::new();
    let builder = Descent::builder(sgd()).lr(0.2).search(Sam::new().rho(0.3));
    let mut descent = builder.build(&at).expect("it fits");
    let look = |model: &Model| {
        looked.push(bits(&model.vectors[4].val()));
        loss(model)
    };
    descent.step_with(at.clone(), look).expect("a good step");
    let w = at.vectors[4].val();
    let g = w.grad(&loss(&at).backward()).expect("a gradient");
    let factor = 0.3 / norm(&values(&g));
    assert_eq!(looked, [bits(&w), bits(&(w.inner() + g.mul_scalar(factor)))]);
}

/// Checkpoints compare the text of a search with what earlier versions have written.
#[test]
fn the_text_of_a_search_is_what_it_was() {
    let text = |search: Arc<dyn Search>| format!("{:?}", Some(search));
    assert_eq!(text(Arc::new(Sam::new().rho(0.1))), "Some(Sam { rho: 0.1 })");
    assert_eq!(text(Arc::new(Asam::new())), "Some(Asam { rho: 0.5, eta: 0.01 })");
    assert_eq!(text(Arc::new(Ahead)), "Some(Ahead)");
}

/// Nesterov's method as he wrote it, with the gradient at the shifted point, is the one-pass form
/// that trains at the shifted point.
#[test]
fn classic_nesterov_is_the_one_pass_form() {
    let start = model();
    let classic = Sgd::new().momentum(0.9).build().expect("allowed");
    let one_pass = Nesterov::new().momentum(0.9).build().expect("allowed");
    let mut classic =
        Descent::builder(classic).lr(0.1).search(Ahead).build(&start).expect("it fits");
    let mut one_pass = Descent::builder(one_pass).lr(0.1).build(&start).expect("it fits");
    let (mut a, mut b) = (start.clone(), start);
    for step in 0..20 {
        (a, ..) = classic.step_with(a, loss).expect("a good step");
        (b, ..) = one_pass.step_with(b, loss).expect("a good step");
        let evaluated = one_pass.evaluate(&b);
        let pairs =
            values(&a.vectors[4].val()).into_iter().zip(values(&evaluated.vectors[4].val()));
        for (a, b) in pairs {
            assert!((a - b).abs() < 1e-6, "step {step}: {a} and {b}");
        }
    }
}

/// The second look at a batch is not a second batch for the statistics of normalisation.
#[test]
fn sam_counts_a_batch_once() {
    let device = Device::default().autodiff();
    let running = |sam: Option<Sam>| {
        let norm: BatchNorm = BatchNormConfig::new(3).init(&device);
        let builder = Descent::builder(sgd()).lr(0.1);
        let builder = sam.into_iter().fold(builder, |builder, sam| builder.search(sam));
        let mut descent = builder.build(&norm).expect("it fits");
        let x = Tensor::<1>::from_floats(&*floats(5, 24), &device).reshape([8, 3]);
        let loss = |norm: &BatchNorm| norm.forward(x.clone()).powi_scalar(4).mean();
        let (norm, ..) = descent.step_with(norm, loss).expect("a good step");
        values(&norm.running_mean.value_sync())
    };
    let once = running(None);
    assert!(once.iter().any(|mean| *mean != 0.0));
    assert_eq!(running(Some(Sam::new().rho(0.5))), once);
}

#[test]
fn a_walk_with_a_probe_has_to_see_the_loss() {
    let start = model();
    let lr = Linear::new(0.1, 5).warmup(1);
    let mut descent = Descent::builder(sgd())
        .schedule(lr)
        .search(Sam::new().rho(0.1))
        .build(&start)
        .expect("it fits");
    let gradients = crate::gradients(&start, 1000);
    let refused = descent.step(start, gradients).expect_err("no loss");
    assert_eq!(refused.error, DescentError::NeedsLoss);
    let builder = || Descent::builder(sgd()).lr(0.1);
    for builder in [
        builder().search(Sam::new().rho(0.0)),
        builder().search(Asam::new().rho(f64::NAN)),
        builder().search(Asam::new().eta(-1.0)),
    ] {
        assert!(builder.build(&refused.model).is_err());
    }
}
