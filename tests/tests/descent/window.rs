//! Micro-batches that make one step, and windows that do not fill.

use crate::line::{gradients_at, line};
use burn::tensor::DType;
use burn_descent::rules::Bound;
use burn_descent::{Build, Descent, DescentError, Fused, Schedule, Sgd};

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

#[test]
fn a_window_that_does_not_fill_is_flushed() {
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(1.0).accumulate(4).clip_norm(1e9);
    let mut descent = builder.build(&model).expect("it fits");
    let report;
    (model, report) = descent.flush(model).expect("nothing to do");
    assert!(!report.stepped && descent.steps() == 0);
    for (weight, gradient) in [(3.0, 1.0), (1.0, 5.0)] {
        let gradients = gradients_at(&model, [gradient, 0.0]);
        (model, _) = descent.step_weighted(model, gradients, weight).expect("a micro-batch");
    }
    assert_eq!(model.values(), [10.0, 10.0]);
    let (mut model, report) = descent.flush(model).expect("a good step");
    assert!(report.stepped && report.step == 1 && descent.steps() == 1);
    assert_eq!(report.grad_norm.expect("it is clipped").get(), 2.0);
    assert_eq!(model.values(), [8.0, 10.0]);
    // The next window is a whole one.
    for step in 1..=4 {
        let gradients = gradients_at(&model, [1.0, 0.0]);
        let report;
        (model, report) = descent.step(model, gradients).expect("a micro-batch");
        assert_eq!(report.stepped, step == 4);
    }
    assert_eq!(model.values(), [7.0, 10.0]);
    let (_, report) = descent.flush(model).expect("nothing to do");
    assert!(!report.stepped);
}

/// A rate that is not allowed at one step.
#[derive(Clone, Debug)]
struct Breaks(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Schedule for Breaks {
    fn name(&self) -> &'static str {
        "breaks"
    }
    fn bounds(&self) -> Vec<Bound> {
        Vec::new()
    }
    fn at(&self, _step: u64) -> f64 {
        if self.0.load(std::sync::atomic::Ordering::Relaxed) { f64::NAN } else { 1.0 }
    }
}

#[test]
fn a_schedule_that_refuses_leaves_the_window_as_it_is() {
    let broken = Breaks(std::sync::Arc::default());
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).schedule(broken.clone()).accumulate(2);
    let mut descent = builder.build(&model).expect("it fits");
    let first = gradients_at(&model, [1.0, 2.0]);
    (model, _) = descent.step(model, first).expect("a micro-batch");
    broken.0.store(true, std::sync::atomic::Ordering::Relaxed);
    let second = gradients_at(&model, [3.0, 4.0]);
    let refused = descent.step(model, second).expect_err("no rate");
    assert!(matches!(refused.error, DescentError::Scheduled { .. }), "{refused}");
    let refused = descent.flush(refused.model).expect_err("no rate");
    assert!(matches!(refused.error, DescentError::Scheduled { .. }), "{refused}");
    let model = refused.model;
    broken.0.store(false, std::sync::atomic::Ordering::Relaxed);
    let second = gradients_at(&model, [3.0, 4.0]);
    let (model, report) = descent.step(model, second).expect("a good step");
    assert!(report.stepped);
    assert_eq!(model.values(), [8.0, 7.0]);
}

#[test]
fn weights_whose_sums_do_not_hold_are_refused() {
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(1.0).accumulate(2);
    let mut descent = builder.build(&model).expect("it fits");
    let first = gradients_at(&model, [1.0, 2.0]);
    (model, _) = descent.step_weighted(model, first, 1e12).expect("a micro-batch");
    for weight in [1e308, 1e-320, 1e39, 1e-46, 0.0, -1.0, f64::NAN, f64::INFINITY] {
        let gradients = gradients_at(&model, [1.0, 2.0]);
        let refused = descent.step_weighted(model, gradients, weight).expect_err("a bad weight");
        assert!(matches!(refused.error, DescentError::BadWeight(_)), "{refused}");
        model = refused.model;
    }
    let second = gradients_at(&model, [3.0, 4.0]);
    let (model, _) = descent.step_weighted(model, second, 1e12).expect("a good step");
    assert_eq!(model.values(), [8.0, 7.0]);
}

/// anyhow prints an error and its causes: no text twice.
#[test]
fn a_chain_of_errors_says_each_thing_once() {
    let model = line([10.0, 10.0], DType::F32);
    let broken = Breaks(std::sync::Arc::new(true.into()));
    let mut descent = Descent::builder(sgd()).schedule(broken).build(&model).expect("it fits");
    let gradients = gradients_at(&model, [1.0, 1.0]);
    let refused = descent.step(model, gradients).expect_err("no rate");
    let mut texts = vec![refused.to_string()];
    let mut cause = std::error::Error::source(&refused);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    assert!(
        texts[0].contains("group `all` at step 1") && texts[0].contains("lr = NaN"),
        "{texts:?}"
    );
    for (number, text) in texts.iter().enumerate() {
        assert!(!texts[..number].iter().any(|before| before.contains(text)), "{texts:?}");
    }
}

#[test]
fn a_report_has_the_loss() {
    let model = line([3.0, 4.0], DType::F32);
    let mut descent = Descent::builder(sgd()).lr(1.0).build(&model).expect("it fits");
    let loss = |model: &crate::line::Line| model.a.val().square().sum();
    let (model, report, loss) = descent.step_with(model, loss).expect("a good step");
    assert_eq!(report.loss.expect("it was seen").get(), 9.0);
    assert_eq!(burn_descent_tests::values(&loss), [9.0]);
    let loss = model.b.val().sum();
    let (_, report) = descent.step(model, loss.backward()).expect("a good step");
    assert_eq!(report.loss, None);
    assert_eq!(report.with_loss(loss).loss.expect("it was told").get(), 4.0);
}
