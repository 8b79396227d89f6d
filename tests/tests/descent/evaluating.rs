//! The weights to evaluate follow from the options of the last step.

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use burn_descent::schedules::Linear;
use burn_descent::{Build, Checkpoint, Descent, Group, Nesterov, Schedule, ScheduleFreeSgd};
use burn_descent_tests::values;

#[derive(Module, Debug)]
struct One {
    w: Param<Tensor<1>>,
    late: Param<Tensor<1>>,
}

fn one() -> One {
    let w = |value: f64| {
        let device = Device::default().autodiff();
        Param::from_tensor(Tensor::from_floats([value as f32], &device))
    };
    One { w: w(1.0), late: w(2.0) }
}

/// Gradients of `w² / 2`.
fn gradients(model: &One, late: bool) -> GradientsParams {
    let loss = model.w.val().square().sum();
    let loss = if late { loss + model.late.val().square().sum() } else { loss };
    GradientsParams::from_grads((loss * 0.5).backward(), model)
}

/// Nesterov's method as its paper has it, with a momentum for each step: `θ` and `m`.
fn by_hand(theta: f64, lr: f64, momentum: &[f64]) -> (f64, f64) {
    let (mut x, mut m, mut at) = (theta, 0.0, theta);
    for beta in momentum {
        let g = x;
        let theta = x - beta * m;
        m = beta * m - lr * g;
        at = theta + m;
        x = at + beta * m;
    }
    (at, x)
}

fn momentum() -> Linear {
    Linear::new(0.2, 4).end(0.9)
}

fn walk(model: &One) -> Descent {
    let nesterov = || Nesterov::new().momentum(0.5).build().expect("it is allowed");
    let all = Group::new("every", burn::module::ParamGroup::all(), nesterov());
    let group = all.option("momentum", momentum());
    Descent::builder(nesterov()).group(group).lr(0.1).build(model).expect("it fits")
}

#[test]
fn a_scheduled_momentum_is_the_one_of_the_last_step() {
    let mut model = one();
    let mut descent = walk(&model);
    for step in 1..=6_u64 {
        let gradients = gradients(&model, step > 3);
        (model, _) = descent.step(model, gradients).expect("a good step");
        let betas: Vec<f64> = (0..step).map(|step| momentum().at(step)).collect();
        let (theta, x) = by_hand(1.0, 0.1, &betas);
        let evaluated = descent.evaluate(&model);
        assert!((values(&model.w.val())[0] - x).abs() < 1e-6, "step {step}");
        assert!((values(&evaluated.w.val())[0] - theta).abs() < 1e-6, "step {step}");
        // Stepped first in step 4, with the momentum of that step.
        let late = by_hand(2.0, 0.1, betas.get(3..).unwrap_or_default()).0;
        assert!((values(&evaluated.late.val())[0] - late).abs() < 1e-6, "step {step}");

        // The same after a resume.
        let bytes = descent
            .checkpoint(&model)
            .expect("it is of this model")
            .into_bytes()
            .expect("it can be written");
        let fresh = one();
        let mut again = walk(&fresh);
        let checkpoint = Checkpoint::from_bytes(bytes).expect("it can be read");
        let restored = checkpoint.restore(&mut again, &fresh).expect("it fits");
        let resumed = again.evaluate(&restored);
        assert_eq!(values(&resumed.w.val()), values(&evaluated.w.val()), "step {step}");
    }
}

/// A parameter that is not stepped any more is evaluated with the options of its own last step.
#[test]
fn each_parameter_has_its_own_last_step() {
    let mut model = one();
    let mut descent = walk(&model);
    for step in 0..5 {
        let gradients = gradients(&model, step == 0);
        (model, _) = descent.step(model, gradients).expect("a good step");
    }
    let late = values(&descent.evaluate(&model).late.val())[0];
    let theta = by_hand(2.0, 0.1, &[momentum().at(0)]).0;
    assert!((late - theta).abs() < 1e-6, "{late} and {theta}");
}

/// burn's own walk: the optimizer that is asked may have been built with other options since.
#[test]
fn the_optimizer_that_is_asked_does_not_matter() {
    let mut model = one();
    let trained = ScheduleFreeSgd::new().momentum(0.5).build().expect("it is allowed");
    let other = trained.with(&[("momentum", "0.9")]).expect("it is allowed");
    let mut optimizer = ModuleOptimizer::from(trained.clone());
    for _ in 0..3 {
        let gradients = gradients(&model, true);
        model = optimizer.step(0.1, model, gradients);
    }
    let [a, b] = [trained, other].map(|fused| values(&fused.evaluate(&model, &optimizer).w.val()));
    assert_eq!(a, b);
    assert_ne!(a, values(&model.w.val()));
}
