//! What a search keeps goes through a checkpoint, and what it did is in the report.

use super::{Pair, device, rosenbrock, start};
use crate::floats;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{DType, Device, Tensor};
use burn_descent::registry::SEARCHES;
use burn_descent::{Checkpoint, CheckpointError, Descent, Ema, Lbfgs, Report};
use burn_descent_tests::{bits, values};

fn step(descent: &mut Descent, model: Pair) -> (Pair, Report) {
    let (model, report, _) = descent.step_with(model, rosenbrock).unwrap();
    (model, report)
}

/// A walk that is taken up in the middle goes on bit for bit.
#[test]
fn a_checkpoint_in_the_middle_changes_nothing() {
    let (device, widest) = device();
    let dtypes = [widest, DType::F32];
    for (row, dtype) in SEARCHES.iter().flat_map(|row| dtypes.map(|dtype| (row, dtype))) {
        let build = |model: &Pair| {
            let search = row.build(&[("max_iter", "3")]).unwrap();
            Descent::search(search).build(model).unwrap()
        };
        let begin = || start(8, dtype, &device);
        let mut model = begin();
        let mut descent = build(&model);
        for _ in 0..3 {
            (model, _) = step(&mut descent, model);
        }
        let bytes = descent.checkpoint(&model).unwrap().into_bytes().unwrap();
        let other = begin();
        let mut again = build(&other);
        let checkpoint = Checkpoint::from_bytes(bytes).unwrap();
        let mut restored = checkpoint.restore(&mut again, &other).unwrap();
        for number in 0..4 {
            (model, _) = step(&mut descent, model);
            (restored, _) = step(&mut again, restored);
            let (left, right) = (bits(&model.all()), bits(&restored.all()));
            assert_eq!(left, right, "{} {dtype:?} step {number}", row.name);
        }
    }
}

#[test]
fn a_checkpoint_of_another_search_is_refused() {
    let model = start(8, DType::F32, &Device::default());
    let mut descent = Descent::search(Lbfgs::new()).build(&model).unwrap();
    let (model, _) = step(&mut descent, model);
    let checkpoint = descent.checkpoint(&model).unwrap();
    let mut other = Descent::search(Lbfgs::new().history_size(5)).build(&model).unwrap();
    let refused = checkpoint.clone().restore(&mut other, &model).unwrap_err();
    assert!(matches!(refused, CheckpointError::Misfit(_)), "{refused}");
    checkpoint.restore_changed(&mut other, &model).unwrap();
}

#[test]
fn a_report_says_how_often_it_looked_and_why_it_ended() {
    let (device, dtype) = device();
    let model = start(8, dtype, &device);
    let mut calls = 0;
    let mut descent = Descent::search(Lbfgs::new().max_iter(4)).build(&model).unwrap();
    let loss = |pair: &Pair| {
        calls += 1;
        rosenbrock(pair)
    };
    let (_, report, _) = descent.step_with(model, loss).unwrap();
    assert_eq!(report.evaluations, Some(calls));
    assert!(report.stepped && report.stop.is_some());
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains("\"evaluations\":") && json.contains("\"stop\":\""), "{json}");
}

/// However often a search looks, it is one batch for the statistics of normalisation.
#[test]
fn running_statistics_see_a_batch_once() {
    let device = Device::default().autodiff();
    let norm: BatchNorm = BatchNormConfig::new(3).init(&device);
    let x = Tensor::<1>::from_floats(&*floats(5, 24), &device).reshape([8, 3]);
    let loss = |norm: &BatchNorm| (norm.forward(x.clone()) - 2.0).powi_scalar(4).mean();
    let mut descent = Descent::search(Lbfgs::new()).build(&norm).unwrap();
    let once: BatchNorm = BatchNormConfig::new(3).init(&device);
    loss(&once);
    let (norm, report, _) = descent.step_with(norm, loss).unwrap();
    assert!(report.evaluations > Some(2) && report.parameters == 2);
    assert_eq!(values(&norm.running_mean.value_sync()), values(&once.running_mean.value_sync()));
}

/// An average follows a search as it does optimizers.
#[test]
fn an_average_follows() {
    let (device, dtype) = device();
    let model = start(8, dtype, &device);
    let mut descent = Descent::search(Lbfgs::new()).average(Ema::new(0.5)).build(&model).unwrap();
    let (first, _) = step(&mut descent, model);
    let (second, _) = step(&mut descent, first.clone());
    let mean = descent.evaluate(&second).values();
    let pairs = first.values().into_iter().zip(second.values()).zip(mean);
    for ((first, second), mean) in pairs {
        assert!(mean >= first.min(second) - 1e-9 && mean <= first.max(second) + 1e-9);
    }
}

/// A parameter that is frozen on the way: the search begins anew.
#[test]
fn it_begins_anew_where_other_parameters_are_trained() {
    let (device, dtype) = device();
    let model = start(8, dtype, &device);
    let mut descent = Descent::search(Lbfgs::new().max_iter(4)).build(&model).unwrap();
    let (mut model, _) = step(&mut descent, model);
    let frozen = model.values()[..4].to_vec();
    model.a = model.a.no_grad();
    // As a walk that has never seen the others.
    let (fresh, _) = step(&mut descent.fresh(), model.clone());
    (model, _) = step(&mut descent, model);
    assert_eq!(bits(&model.all()), bits(&fresh.all()));
    assert_eq!(model.values()[..4], frozen[..]);
}
