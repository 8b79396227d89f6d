//! What is frozen stays as it is, whatever is asked of the walk.

use crate::line::{Line, gradients_at, line};
use burn::optim::GradientsParams;
use burn::tensor::DType;
use burn_descent::{
    AdamW, Ahead, Build, Descent, Ema, Fused, Lookahead, Nesterov, Sam, Sgd, Transform,
};

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

/// The gradients of a loss that falls by 1 for every weight that is not frozen, then they are frozen.
fn gradients(model: &Line) -> GradientsParams {
    gradients_at(model, [1.0, 1.0])
}

#[test]
fn between_two_micro_batches() {
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(0.5).accumulate(2).clip_norm(100.0);
    let mut descent = builder.build(&model).expect("it fits");
    let first = gradients(&model);
    (model, _) = descent.step(model, first).expect("a micro-batch");
    let model = model.frozen(0);
    let second = gradients(&model);
    let (model, report) = descent.step(model, second).expect("a good step");
    assert_eq!(model.values(), [10.0, 9.5]);
    assert_eq!(report.grad_norm.expect("it is clipped").get(), 1.0);
}

#[test]
fn before_a_flush() {
    let model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(0.5).accumulate(3);
    let mut descent = builder.build(&model).expect("it fits");
    let first = gradients(&model);
    let (model, _) = descent.step(model, first).expect("a micro-batch");
    let (model, report) = descent.flush(model.frozen(0)).expect("a good step");
    assert!(report.stepped);
    assert_eq!(model.values(), [10.0, 9.5]);
}

#[test]
fn between_the_gradients_and_the_step() {
    let adamw = || AdamW::new().weight_decay(0.5).build().expect("it is allowed");
    let model = line([3.0, 3.0], DType::F32);
    let builder = Descent::builder(adamw()).lr(0.1).clip_norm(1e9);
    let builder = builder.transform(Transform::noise(1.0, 7)).measure_updates(1);
    let mut descent = builder.build(&model).expect("it fits");
    let gradients = gradients_at(&model, [3.0, 4.0]);
    let (model, report) = descent.step(model.frozen(1), gradients).expect("a good step");
    assert_eq!(model.values()[1], 3.0);
    assert_ne!(model.values()[0], 3.0);
    let weights = report.update.expect("it is measured").weight_norm.get();
    assert_eq!(weights, 3.0, "the norm of what moves");
}

#[test]
fn under_lookahead() {
    let mut model = line([10.0, 10.0], DType::F32);
    let lookahead = Lookahead::new().k(4);
    let builder = Descent::builder(sgd()).lr(1.0).lookahead(lookahead);
    let mut descent = builder.build(&model).expect("it fits");
    for _ in 0..3 {
        let gradients = gradients(&model);
        (model, _) = descent.step(model, gradients).expect("a good step");
    }
    // 7 is where it stays, and where it is evaluated.
    let mut model = model.frozen(0);
    assert_eq!(descent.evaluate(&model).values(), [7.0, 10.0]);
    for step in 4..=8 {
        let gradients = gradients(&model);
        (model, _) = descent.step(model, gradients).expect("a good step");
        assert_eq!(model.values()[0], 7.0, "step {step}");
        assert_eq!(descent.evaluate(&model).values()[0], 7.0, "step {step}");
    }
    // When it is trained again, its slow weights begin there.
    let mut model = model.thawed(0);
    for expected in [6.0, 5.0, 4.0, 5.0] {
        let gradients = gradients(&model);
        (model, _) = descent.step(model, gradients).expect("a good step");
        assert_eq!(model.values()[0], expected);
    }
}

#[test]
fn in_the_mean_of_models_it_counts_as_it_is() {
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(1.0).average(Ema::new(0.5));
    let mut descent = builder.build(&model).expect("it fits");
    let mut expected = (0.0, 0.0);
    for step in 0..6 {
        if step == 2 {
            model = model.frozen(0);
        }
        let gradients = gradients(&model);
        (model, _) = descent.step(model, gradients).expect("a good step");
        expected.0 = 0.5 * expected.0 + 0.5 * model.values()[0];
        expected.1 = 0.5 * expected.1 + 0.5;
        let evaluated = descent.evaluate(&model).values()[0];
        assert!((evaluated - expected.0 / expected.1).abs() < 1e-5, "step {step}");
    }
    assert_eq!(model.values()[0], 8.0);
}

#[test]
fn a_probe_leaves_it_where_it_is() {
    for ahead in [true, false] {
        let mut model = line([10.0, 10.0], DType::F32);
        let momentum = Sgd::new().momentum(0.9).build().expect("it is allowed");
        let builder = Descent::builder(momentum).lr(0.1);
        let builder =
            if ahead { builder.search(Ahead) } else { builder.search(Sam::new().rho(0.5)) };
        let mut descent = builder.build(&model).expect("it fits");
        let sum = |model: &Line| model.a.val().sum() + model.b.val().square().sum();
        (model, ..) = descent.step_with(model, sum).expect("a good step");
        let frozen = model.values()[0];
        let mut model = model.frozen(0);
        for _ in 0..3 {
            let look = |model: &Line| {
                assert_eq!(model.values()[0], frozen, "ahead: {ahead}");
                sum(model)
            };
            (model, ..) = descent.step_with(model, look).expect("a good step");
            assert_eq!(model.values()[0], frozen, "ahead: {ahead}");
        }
    }
}

/// Its state stays too: trained again, it goes on as if there had been no steps in between.
#[test]
fn its_state_stays() {
    let nesterov = || Nesterov::new().build().expect("defaults are allowed");
    let walk = |pause: bool| {
        let mut model = line([10.0, 10.0], DType::F32);
        let mut descent = Descent::builder(nesterov()).lr(0.1).build(&model).expect("it fits");
        for step in 0..6 {
            if pause && step == 3 {
                model = model.frozen(0);
                for _ in 0..4 {
                    let gradients = gradients(&model);
                    (model, _) = descent.step(model, gradients).expect("a good step");
                }
                model = model.thawed(0);
            }
            let gradients = gradients(&model);
            (model, _) = descent.step(model, gradients).expect("a good step");
        }
        (model.values()[0], descent.evaluate(&model).values()[0])
    };
    assert_eq!(walk(true), walk(false));
}
