//! A trainer does what its walk does, and keeps the model whatever comes of a step.

use super::{Model, all, gradients, model, sgd};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_descent::{
    AdamW, Build, Builder, CheckpointError, Descent, DescentError, Ema, IntoGradients, NotFinite,
    Trainer,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn builder() -> Builder {
    let adamw = AdamW::new().build().expect("defaults are allowed");
    Descent::builder(adamw).lr(0.01).clip_norm(1.0).average(Ema::new(0.9))
}

fn trainer(builder: Builder) -> Trainer<Model> {
    let model = model();
    let descent = builder.build(&model).expect("it fits");
    Trainer::new(model, descent)
}

/// The loss whose gradients are the weights.
fn loss(model: &Model) -> Tensor<1> {
    let vectors = model.vectors.iter().map(|param| param.val().square().sum());
    let matrices = model.matrices.iter().map(|param| param.val().square().sum());
    vectors.chain(matrices).reduce(|sum, next| sum + next).expect("there are parameters") / 2.0
}

#[test]
fn ten_steps_are_those_by_value_bit_for_bit() {
    let mut by_value = model();
    let mut descent = builder().build(&by_value).expect("it fits");
    let mut trainer = trainer(builder());
    for _ in 0..10 {
        let report;
        let gradients = loss(&by_value).backward();
        (by_value, report) = descent.step(by_value, gradients).expect("a good step");
        let of_trainer = trainer.step(loss(trainer.model()).backward()).expect("a good step");
        assert_eq!(of_trainer, report);
    }
    assert_eq!(all(trainer.model()), all(&by_value));
    assert_eq!(all(&trainer.evaluate()), all(&descent.evaluate(&by_value)));
    assert_ne!(all(&by_value), all(&model()));

    let (model, descent) = trainer.into_parts();
    assert_eq!((all(&model), descent.steps()), (all(&by_value), 10));
}

#[test]
fn a_step_with_a_loss_weights_and_a_window_cut_short_are_those_by_value() {
    let mut by_value = model();
    let mut descent = builder().accumulate(3).build(&by_value).expect("it fits");
    let mut trainer = trainer(builder().accumulate(3));
    let given = gradients(&by_value, 5);
    (by_value, _) = descent.step_weighted(by_value, given, 2.0).expect("a micro-batch");
    let given = gradients(trainer.model(), 5);
    assert!(!trainer.step_weighted(given, 2.0).expect("a micro-batch").stepped);

    let (next, _, lost) = descent.step_with(by_value, loss).expect("a micro-batch");
    let (report, lost_too) = trainer.step_with(loss).expect("a micro-batch");
    assert!(!report.stepped);
    assert_eq!(lost.into_data(), lost_too.into_data());

    (by_value, _) = descent.flush(next).expect("a step");
    let report = trainer.flush().expect("a step");
    assert!(report.stepped);
    assert_eq!(all(trainer.model()), all(&by_value));
}

#[test]
fn a_refused_step_leaves_the_model_and_the_next_goes_on() {
    let walk = |bad: bool| {
        let mut trainer = trainer(builder().not_finite(NotFinite::Error));
        for step in 0..3 {
            if bad && step == 1 {
                let before = all(trainer.model());
                let nan = trainer.step((loss(trainer.model()) * f32::NAN).backward());
                let Err(DescentError::NotFinite { step: 2, .. }) = nan else { panic!("{nan:?}") };
                assert_eq!(all(trainer.model()), before);
            }
            let gradients = gradients(trainer.model(), 100 + step);
            trainer.step(gradients).expect("a good step");
        }
        all(trainer.model())
    };
    assert_eq!(walk(true), walk(false));
}

#[test]
fn a_checkpoint_goes_on_bit_for_bit() {
    let step = |trainer: &mut Trainer<Model>, seed| {
        let gradients = gradients(trainer.model(), seed);
        trainer.step(gradients).expect("a good step");
    };
    let mut straight = trainer(builder());
    step(&mut straight, 1);
    let checkpoint = straight.checkpoint().expect("it is of this model");
    step(&mut straight, 2);

    let mut resumed = trainer(builder());
    resumed.restore(checkpoint.clone()).expect("it fits");
    assert_eq!(resumed.descent().steps(), 1);
    step(&mut resumed, 2);
    assert_eq!(all(resumed.model()), all(straight.model()));
    assert_eq!(all(&resumed.evaluate()), all(&straight.evaluate()));

    let mut other = trainer(Descent::builder(sgd()).lr(0.01));
    let before = all(other.model());
    assert!(matches!(other.restore(checkpoint), Err(CheckpointError::Misfit(_))));
    assert_eq!((all(other.model()), other.descent().steps()), (before, 0));
}

#[test]
fn a_panic_loses_the_model_and_says_so() {
    struct Panics;
    impl IntoGradients for Panics {
        fn by_parameter<M: burn::module::Module>(self, _model: &M) -> GradientsParams {
            panic!("no gradients")
        }
    }
    let mut trainer = trainer(builder());
    let good = gradients(trainer.model(), 1);
    let checkpoint = trainer.checkpoint().expect("it is of this model");
    assert!(catch_unwind(AssertUnwindSafe(|| trainer.step(Panics).map(drop))).is_err());

    assert_eq!(trainer.step(good).map(drop), Err(DescentError::BrokenOff { step: 1 }));
    assert_eq!(trainer.checkpoint().map(drop), Err(CheckpointError::BrokenOff));
    assert_eq!(trainer.restore(checkpoint), Err(CheckpointError::BrokenOff));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(trainer.evaluate()))).is_err());
}
