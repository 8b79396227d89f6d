use super::*;
use crate::{Build, Builder, Group, LossScale, NotFinite, Sam, Sgd, schedules::Cosine};
use burn::module::{Param, ParamGroup};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::Device;
use core::iter::repeat;

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

fn device() -> Device {
    Device::default().autodiff()
}

fn point() -> Point {
    let param = |numbers: [f32; 3]| Param::from_tensor(Tensor::from_floats(numbers, &device()));
    Point { w: param([1.0, -2.0, 3.0]), b: param([0.5, 0.25, -1.0]) }
}

fn bits(tensor: Tensor<1>) -> Vec<u32> {
    tensor.into_data().iter::<f32>().map(f32::to_bits).collect()
}

/// `a ‖x‖² / 2`: gradient descent is best at a rate of 1 / a, and diverges above 2 / a.
fn bowl(model: &Point, a: f64) -> Tensor<1> {
    (model.w.val().square() + model.b.val().square()).sum().mul_scalar(a / 2.0)
}

fn sgd() -> Builder {
    Descent::builder(Sgd::new().momentum(0.0).build().unwrap()).lr(0.1)
}

/// The curve of a short sweep whose batches are numbers from 0.
fn short(builder: Builder, loss: impl FnMut(&Point, &u32) -> Tensor<1>) -> RangeCurve {
    let model = point();
    let descent = builder.build(&model).unwrap();
    let test = RangeTest::new().min_lr(1e-3).max_lr(0.1).steps(5);
    test.run(&descent, &model, 0.., loss).unwrap()
}

#[test]
fn the_rate_suggested_for_a_bowl_suits_its_curvature() {
    let model = point();
    let descent = sgd().build(&model).unwrap();
    for a in [0.1, 1.0, 100.0] {
        let test = RangeTest::new().min_lr(1e-5 / a).max_lr(100.0 / a).smooth(0.0);
        let curve = test.run(&descent, &model, repeat(()), |model, ()| bowl(model, a)).unwrap();
        let [steepest, least] = [curve.suggestion(), curve.minimum_over_ten()].map(Option::unwrap);
        assert!((0.05..0.5).contains(&(steepest * a)), "{steepest} for {a}");
        assert!((0.1..0.5).contains(&(least * a)), "{least} for {a}");
        assert!(curve.diverged && curve.points.len() < 100);
        assert!(curve.points.last().unwrap().lr > 2.0 / a);
    }
}

#[test]
fn every_group_steps_at_the_rate_of_the_sweep() {
    let group = ParamGroup::from_predicate("b");
    let group = Group::new("b", group, Sgd::new().build().unwrap()).schedule(Cosine::new(0.5, 9));
    let curve = short(sgd().group(group), |model, _| bowl(model, 1.0));
    let rates: Vec<f64> = curve.points.iter().map(|point| point.lr).collect();
    for (rate, expected) in rates.iter().zip([1e-3, 10_f64.powf(-2.5), 1e-2, 10_f64.powf(-1.5)]) {
        assert!((rate / expected - 1.0).abs() < 1e-12, "{rates:?}");
    }
    assert!(!curve.diverged && (rates[4] / 0.1 - 1.0).abs() < 1e-12, "{rates:?}");
    for two in curve.points.windows(2) {
        let expected = two[0].loss * (1.0 - two[0].lr).powi(2);
        assert!((two[1].loss / expected - 1.0).abs() < 1e-5, "{two:?}");
    }
}

#[test]
fn the_model_and_the_walk_stay_as_they_are() {
    let weights = |with_test: bool| {
        let mut model = point();
        let adam = crate::AdamW::new().build().unwrap();
        let mut descent = Descent::builder(adam).lr(0.1).build(&model).unwrap();
        for step in 0..4 {
            if with_test {
                let before = bits(model.w.val());
                let test = RangeTest::new().steps(9);
                test.run(&descent, &model, repeat(()), |model, ()| bowl(model, 1.0)).unwrap();
                assert_eq!(bits(model.w.val()), before);
                assert_eq!(descent.steps(), step);
            }
            let gradients = bowl(&model, 1.0).backward();
            (model, _) = descent.step(model, gradients).unwrap();
        }
        [bits(model.w.val()), bits(model.b.val())]
    };
    assert_eq!(weights(true), weights(false));
}

#[test]
fn the_statistics_of_normalisation_stay_as_they_are() {
    let model: BatchNorm = BatchNormConfig::new(3).init(&device());
    let descent = sgd().build(&model).unwrap();
    let means = || bits(model.running_mean.value_sync());
    let before = means();
    let loss = |model: &BatchNorm, x: &Tensor<2>| model.forward(x.clone()).square().mean();
    let x = Tensor::from_floats([[1.0, 2.0, 3.0], [5.0, 7.0, 9.0]], &device());
    RangeTest::new().steps(5).run(&descent, &model, repeat(x.clone()), loss).unwrap();
    assert_eq!(means(), before);
    loss(&model, &x);
    assert_ne!(means(), before, "a pass of the model itself is seen");
}

#[test]
fn what_is_not_finite_ends_the_sweep() {
    for policy in [NotFinite::Allow, NotFinite::Skip, NotFinite::Error, NotFinite::Zero] {
        for good in [0, 3] {
            let curve = short(sgd().not_finite(policy), |model, batch| {
                bowl(model, if *batch < good { 1.0 } else { f64::NAN })
            });
            assert_eq!(curve.points.len(), good as usize, "{policy:?}");
            assert!(curve.diverged && (good > 0 || curve.suggestion().is_none()));
            assert!(curve.points.iter().all(|point| point.smoothed.is_finite()));
        }
    }
}

#[test]
fn a_step_has_all_its_batches_and_a_probe_the_same_twice() {
    let mut seen = Vec::new();
    let curve = short(sgd().accumulate(3).search(Sam::new().rho(1e-3)), |model, batch| {
        seen.push(*batch);
        bowl(model, 1.0) + f64::from(*batch)
    });
    assert_eq!(seen, (0..15).flat_map(|batch| [batch, batch]).collect::<Vec<_>>());
    assert_eq!(curve.points.len(), 5);
    let first = f64::from(bowl(&point(), 1.0).into_scalar::<f32>()) + 1.0;
    assert!((curve.points[0].loss / first - 1.0).abs() < 1e-6, "the mean of batches 0, 1 and 2");
}

#[test]
fn steps_are_taken_again_while_the_scale_of_the_loss_falls() {
    let great = 2_f64.powi(130);
    let scale = LossScale::new().init_scale(great).max_scale(great);
    let curve = short(sgd().loss_scale(scale.clone()), |model, _| bowl(model, 1.0));
    let plain = short(sgd(), |model, _| bowl(model, 1.0));
    assert_eq!(curve, plain);

    let stuck = scale.min_scale(great);
    let curve = short(sgd().loss_scale(stuck), |model, _| bowl(model, 1.0));
    assert!(curve.diverged && curve.points.is_empty());
}

#[test]
fn options_are_checked() {
    let model = point();
    let descent = sgd().build(&model).unwrap();
    let test = RangeTest::new;
    for (test, message) in [
        (test().min_lr(0.0), "min_lr = 0 is not allowed, it must be a number > 0"),
        (test().max_lr(1e-7), "max_lr = 0.0000001 is not allowed, it must be a number > min_lr"),
        (test().max_lr(f64::INFINITY), "max_lr = inf"),
        (test().steps(1), "steps = 1 is not allowed, it must be a number >= 2"),
        (test().smooth(1.0), "smooth = 1 is not allowed, it must be in [0, 1)"),
        (test().diverge(1.0), "diverge = 1 is not allowed, it must be a number > 1"),
        (test().diverge(f64::NAN), "diverge = NaN"),
    ] {
        let error = test.run(&descent, &model, repeat(()), |model, ()| bowl(model, 1.0));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("range_test: {message}")), "{error}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let model = point();
    let descent = sgd().build(&model).unwrap();
    let test = RangeTest::new();
    let error = test.run(&descent, &model, [(); 7], |model, ()| bowl(model, 1.0)).unwrap_err();
    assert!(matches!(error, RangeError::OutOfBatches { steps: 7 }));
    let error = test.run(&descent, &model, [()], |model, ()| model.w.val().square()).unwrap_err();
    assert!(matches!(error, RangeError::Step(DescentError::LossShape { .. })), "{error}");

    let other = point();
    let error = test.run(&descent, &other, [()], |model, ()| bowl(model, 1.0)).unwrap_err();
    assert!(matches!(error, RangeError::Step(DescentError::UnknownParameter { .. })), "{error}");
}
