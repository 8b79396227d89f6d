//! A model, its clones and what was computed from it before a step.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use burn_descent::{Build, CheckpointError, Descent, DescentError, Fused, Mismatch, Sgd, Swa};
use burn_descent_tests::{devices, values};
use std::sync::mpsc;
use std::time::Duration;

#[derive(Module, Debug)]
struct One {
    w: Param<Tensor<1>>,
}

fn one(numbers: &[f64], device: &Device) -> One {
    let w = Tensor::from_data(numbers, (device, DType::F64)).autodiff().require_grad();
    One { w: Param::from_tensor(w) }
}

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

fn walk(model: &One, lr: f64) -> Descent {
    Descent::builder(sgd()).lr(lr).build(model).expect("it fits")
}

fn cpus() -> impl Iterator<Item = Device> {
    devices::all().into_iter().filter(|entry| entry.on_cpu).filter_map(|entry| entry.device.ok())
}

fn step(descent: &mut Descent, model: One, loss: Tensor<1>) -> One {
    descent.step(model, loss.backward()).expect("a good step").0
}

fn assert_close(found: &[f64], expected: &[f64]) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close && found.len() == expected.len(), "{found:?}, expected {expected:?}");
}

#[test]
fn a_penalty_on_the_way_from_a_clone_has_a_gradient() {
    for device in cpus() {
        let model = one(&[1.0, 2.0, 3.0, 4.0], &device);
        let mut descent = walk(&model, 0.1);
        let anchor = model.clone();
        let loss = model.w.val().square().sum();
        let model = step(&mut descent, model, loss);
        let penalty = (model.w.val() - anchor.w.val()).square().sum();
        let mut gradients = penalty.backward();
        let at_anchor = anchor.w.grad_remove(&mut gradients).expect("it is another leaf");
        let at_model = model.w.grad_remove(&mut gradients).expect("it takes part");
        assert_close(&values(&at_model), &[-0.4, -0.8, -1.2, -1.6]);
        assert_close(&values(&at_anchor), &[0.4, 0.8, 1.2, 1.6]);
    }
}

/// The gradient of the model is its own, although the teacher takes part in the loss.
#[test]
fn a_teacher_that_is_not_detached_adds_nothing() {
    for device in cpus() {
        let model = one(&[1.0], &device);
        let mut descent = walk(&model, 1e-3);
        let teacher = model.clone();
        let loss = model.w.val().square().sum();
        let model = step(&mut descent, model, loss);
        let w = values(&model.w.val())[0];
        let loss = model.w.val().square().sum() + (teacher.w.val() * 100.0).square().sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let gradient: Tensor<1> = gradients.get(model.w.id).expect("it takes part");
        assert_close(&values(&gradient), &[2.0 * w]);
    }
}

/// A graph that has saved the weights belongs to those weights.
#[test]
fn a_graph_from_before_a_step_is_of_the_old_weights() {
    for device in cpus() {
        let model = one(&[1.0], &device);
        let mut descent = walk(&model, 0.05);
        let old = model.w.val();
        let before = model.w.val().square().sum();
        let loss = model.w.val().square().sum();
        let model = step(&mut descent, model, loss);
        let after = model.w.val().square().sum();
        let mut gradients = (before + after).backward();
        assert_close(&values(&model.w.grad_remove(&mut gradients).expect("new")), &[1.8]);
        assert_close(&values(&old.grad(&gradients).expect("old")), &[2.0]);
    }
}

#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

#[test]
fn tied_weights_keep_all_their_gradients() {
    for device in cpus() {
        let One { w } = one(&[1.0], &device);
        let mut model = Two { a: w.clone(), b: w };
        let mut descent = Descent::builder(sgd()).lr(0.1).build(&model).expect("it fits");
        for expected in [0.7, 0.4, 0.1] {
            let gradients = (model.a.val() + model.b.val() * 2.0).sum().backward();
            (model, _) = descent.step(model, gradients).expect("a good step");
            assert_close(&values(&model.a.val()), &[expected]);
            assert_close(&values(&model.b.val()), &[expected]);
        }
    }
}

/// A teacher inside of the model, made by cloning the student: the same id, but frozen.
#[test]
fn a_frozen_place_of_a_trained_parameter_stays() {
    for device in cpus() {
        let One { w } = one(&[1.0], &device);
        for teacher_first in [true, false] {
            let teacher = w.clone().no_grad();
            let mut model = match teacher_first {
                true => Two { a: teacher, b: w.clone() },
                false => Two { a: w.clone(), b: teacher },
            };
            let builder = Descent::builder(sgd()).lr(0.1).average(Swa::polyak(1));
            let mut descent = builder.build(&model).expect("it fits");
            for _ in 0..3 {
                let gradients = (model.a.val() * model.b.val()).sum().backward();
                (model, _) = descent.step(model, gradients).expect("a good step");
            }
            let (a, b) = (values(&model.a.val()), values(&model.b.val()));
            let (teacher, student) = if teacher_first { (a, b) } else { (b, a) };
            assert_close(&teacher, &[1.0]);
            assert_close(&student, &[0.7]);

            let evaluated = descent.evaluate(&model);
            let (a, b) = (values(&evaluated.a.val()), values(&evaluated.b.val()));
            assert_close(if teacher_first { &a } else { &b }, &[1.0]);
            assert_close(if teacher_first { &b } else { &a }, &[0.8]);
            let parameter = if teacher_first { "a" } else { "b" }.to_owned();
            let refused = descent.checkpoint(&model).expect_err("one of them would be lost");
            let copy = Mismatch::FrozenCopy { parameter };
            assert_eq!(refused, CheckpointError::Misfit(vec![copy]));
        }
    }
}

/// Threads that train clones of one model have nothing in common after their first step.
#[test]
fn clones_train_in_threads() {
    let (done, all) = mpsc::channel();
    let model = one(&[1.0, 2.0, 3.0], &Device::default());
    let start = model.clone();
    // burn can hang where graphs of threads meet in one leaf, rarely: the first steps do not overlap.
    let ready = std::sync::Arc::new(std::sync::Barrier::new(4));
    let mut first = Some(model);
    for _ in 0..4 {
        let (mut model, done) = (first.as_ref().expect("the model").clone(), done.clone());
        let mut descent = walk(&model, 1e-3);
        let loss = model.w.val().square().sum();
        model = step(&mut descent, model, loss);
        let ready = ready.clone();
        std::thread::spawn(move || {
            ready.wait();
            for _ in 0..500 {
                let loss = model.w.val().square().sum();
                model = step(&mut descent, model, loss);
            }
            done.send(values(&model.w.val())).expect("somebody waits");
        });
    }
    drop(first.take());
    let expected: Vec<f64> =
        values(&start.w.val()).iter().map(|w| w * 0.998_f64.powi(501)).collect();
    for _ in 0..4 {
        let found = all.recv_timeout(Duration::from_secs(120)).expect("a thread hangs");
        assert_close(&found, &expected);
    }
}

#[test]
fn gradients_of_another_model_are_refused() {
    let device = Device::default();
    let (model, other) = (one(&[1.0], &device), one(&[1.0], &device));
    let mut descent = walk(&model, 0.1);
    let gradients = GradientsParams::from_grads(other.w.val().sum().backward(), &other);
    let refused = descent.step(model, gradients).expect_err("nothing would move");
    assert_eq!(refused.error, DescentError::NoGradient);
    let refused = descent.step(refused.model, GradientsParams::new()).expect_err("nothing moves");
    assert_eq!((refused.error, descent.steps()), (DescentError::NoGradient, 0));

    let model = refused.model;
    let builder = Descent::builder(sgd()).lr(0.1).allow_empty_steps();
    let mut descent = builder.build(&model).expect("it fits");
    let (_, report) = descent.step(model, GradientsParams::new()).expect("it is asked for");
    assert_eq!((report.stepped, report.parameters, report.step), (true, 0, 1));
}
