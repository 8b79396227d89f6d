//! They get where they should, in as few evaluations as they should.

use super::{Pair, device, each_device, rosenbrock, start, tensor};
use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor};
use burn_descent::registry::SEARCHES;
use burn_descent::{
    AdamW, Build, Descent, Group, Lbfgs, LineSearch, Select, Sgd, SteepestDescent, Stop, Until,
};
use burn_descent_tests::{bits, values};

/// `Σ λᵢ (xᵢ − 1)² / 2` with `λ` from 1 to 50.
fn bowl(pair: &Pair) -> Tensor<1> {
    let error = pair.all() - 1.0;
    let n = error.dims()[0];
    let curvatures: Vec<f64> = (0..n).map(|i| 1.0 + 49.0 * i as f64 / (n - 1) as f64).collect();
    let device = error.device().without_autodiff();
    let curvatures = Tensor::from_inner(tensor(&curvatures, [n], error.dtype(), &device));
    (error.square() * curvatures).sum().mul_scalar(0.5)
}

fn away(pair: &Pair) -> f64 {
    pair.values().into_iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn lbfgs_solves_a_quadratic_of_fifty_dimensions_in_sixty_evaluations() {
    each_device(|device, widest| {
        let kinds = [LineSearch::StrongWolfe, LineSearch::HagerZhang];
        for (kind, dtype) in kinds.into_iter().flat_map(|kind| [(kind, widest), (kind, DType::F32)])
        {
            let model = Pair::new(&[0.0; 50], dtype, device);
            let search = Lbfgs::new().line_search(kind).tolerance_change(0.0);
            let mut descent = Descent::search(search).build(&model).unwrap();
            let until = Until::new().loss(if dtype == DType::F64 { 1e-10 } else { 1e-6 });
            let (mut calls, mut there) = (0, None);
            let loss = |pair: &Pair| {
                let loss = bowl(pair);
                calls += 1;
                if there.is_none() && loss.clone().into_scalar::<f64>() <= until.loss {
                    there = Some(calls);
                }
                loss
            };
            let (model, minimum) = descent.minimize(model, loss, &until).unwrap();
            println!("{kind:?} {dtype:?}: after {there:?} of {minimum:?}");
            assert!(there.is_some_and(|there| there <= 60), "{kind:?}: {there:?} {minimum:?}");
            assert!(away(&model) < 1e-2);
        }
    });
}

#[test]
fn lbfgs_finds_the_end_of_a_valley_of_a_hundred_dimensions() {
    each_device(|device, dtype| {
        for kind in [LineSearch::StrongWolfe, LineSearch::HagerZhang] {
            let model = start(100, dtype, device);
            let search = Lbfgs::new()
                .line_search(kind)
                .history_size(20)
                .tolerance_change(0.0)
                .tolerance_grad(0.0);
            let until = Until::new().loss(if dtype == DType::F64 { 1e-17 } else { 1e-7 });
            let mut descent = Descent::search(search).build(&model).unwrap();
            let (model, minimum) = descent.minimize(model, rosenbrock, &until).unwrap();
            println!("{kind:?} {dtype:?}: {minimum:?}");
            let apart = away(&model);
            let close = if dtype == DType::F64 { 1e-8 } else { 1e-2 };
            assert!(apart < close, "{kind:?}: {apart:e} {minimum:?}");
        }
    });
}

/// Every method solves what it should, and says why it has ended.
#[test]
fn each_finds_the_end_of_the_valley() {
    let hager_zhang = ["beta=hager_zhang", "line_search=hager_zhang", "c1=0.1", "c2=0.9"];
    let searches: [(&str, &[&str]); 7] = [
        ("lbfgs", &[]),
        ("lbfgs", &["line_search=hager_zhang"]),
        ("lbfgs", &["line_search=armijo"]),
        ("conjugate_gradient", &[]),
        ("conjugate_gradient", &["beta=fletcher_reeves"]),
        ("conjugate_gradient", &hager_zhang),
        ("barzilai_borwein", &[]),
    ];
    for (name, options) in searches {
        let row = SEARCHES.iter().find(|row| row.name == name).unwrap();
        let options = options.iter().chain(&["tolerance_change=0"]);
        let options: Vec<_> = options.filter_map(|option| option.split_once('=')).collect();
        let (device, dtype) = device();
        let model = start(4, dtype, &device);
        let mut descent = Descent::search(row.build(&options).unwrap()).build(&model).unwrap();
        let until = Until::new().evaluations(20_000).loss(1e-16);
        let (_, minimum) = descent.minimize(model, rosenbrock, &until).unwrap();
        println!("{name} {options:?}: {minimum:?}");
        let is_there = matches!(minimum.stop, Stop::Gradient | Stop::Loss);
        assert!(is_there && minimum.loss < 1e-12, "{name} {options:?}: {minimum:?}");
    }
}

#[test]
fn backtracking_gets_down_a_bowl_from_any_rate() {
    for lr in [1e-2, 1.0, 1e6] {
        let (device, dtype) = device();
        let model = Pair::new(&[0.0; 8], dtype, &device);
        let search = SteepestDescent::new().tolerance_change(0.0);
        let mut descent = Descent::search(search).lr(lr).build(&model).unwrap();
        let (model, minimum) = descent.minimize(model, bowl, &Until::new().loss(1e-10)).unwrap();
        assert!(minimum.loss <= 1e-10, "{lr}: {minimum:?}");
        assert!(away(&model) < 1e-4, "{lr}");
    }
}

/// Other walks can minimize, too, up to a limit.
#[test]
fn an_optimizer_minimizes_up_to_a_limit() {
    let (device, dtype) = device();
    let model = Pair::new(&[0.0; 8], dtype, &device);
    let before: f64 = bowl(&model).into_scalar();
    let sgd = Sgd::new().build().unwrap();
    let mut descent = Descent::builder(sgd).lr(0.01).build(&model).unwrap();
    let (model, minimum) = descent.minimize(model, bowl, &Until::new().steps(5)).unwrap();
    assert_eq!((minimum.stop, minimum.steps, minimum.evaluations), (Stop::Steps, 5, 6));
    assert!(minimum.loss < before && away(&model) < 1.0);
    let until = Until::new().loss(0.5 * minimum.loss);
    let (_, minimum) = descent.minimize(model, bowl, &until).unwrap();
    assert!(minimum.stop == Stop::Loss && minimum.loss <= until.loss, "{minimum:?}");
}

/// A parameter in two places is one, which moves once.
#[test]
fn a_parameter_in_two_places_is_one() {
    let (device, dtype) = device();
    let model = Pair::new(&[0.0; 8], dtype, &device);
    let tied = Tied { left: model.a.clone(), right: model.a };
    let mut descent = Descent::search(Lbfgs::new()).build(&tied).unwrap();
    let loss = |tied: &Tied| {
        (tied.left.val() - 1.0).square().sum() + (tied.right.val() - 3.0).square().sum()
    };
    let (tied, minimum) = descent.minimize(tied, loss, &Until::new()).unwrap();
    assert!(minimum.stop.is_final(), "{minimum:?}");
    let values = values(&tied.left.val());
    assert!(values.iter().all(|x| (x - 2.0).abs() < 1e-4), "{values:?}");
    assert_eq!(bits(&tied.left.val()), bits(&tied.right.val()));
}

#[derive(Module, Debug)]
struct Tied {
    left: Param<Tensor<1>>,
    right: Param<Tensor<1>>,
}

/// Weights of two bytes go as far as their digits.
#[test]
fn weights_of_two_bytes_get_down_too() {
    for (row, dtype) in SEARCHES.iter().flat_map(|row| [(row, DType::F16), (row, DType::BF16)]) {
        let device = burn::tensor::Device::default();
        if !device.supports_dtype(dtype) {
            continue;
        }
        let model = Pair::new(&[0.0; 8], dtype, &device);
        let search = row.build(&[]).unwrap();
        let mut descent = Descent::search(search).build(&model).unwrap();
        let until = Until::new().evaluations(100);
        let (model, minimum) = descent.minimize(model, bowl, &until).unwrap();
        assert!(away(&model) < 0.1, "{} {dtype:?}: {minimum:?} {:?}", row.name, model.values());
    }
}

/// Frozen parameters stay, and those of a group are stepped by its optimizer.
#[test]
fn frozen_parameters_stay_and_groups_have_their_optimizers() {
    let device = burn::tensor::Device::default();
    let mut model = Pair::new(&[0.0; 8], DType::F32, &device);
    model.a = model.a.no_grad();
    let mut descent = Descent::search(Lbfgs::new()).build(&model).unwrap();
    let (model, minimum) = descent.minimize(model, bowl, &Until::new()).unwrap();
    assert!(minimum.stop.is_final(), "{minimum:?}");
    assert!(model.values()[..4].iter().all(|x| *x == 0.0));
    assert!(model.values()[4..].iter().all(|x| (x - 1.0).abs() < 1e-4), "{:?}", model.values());

    let model = Pair::new(&[0.0; 8], DType::F32, &device);
    let adamw = AdamW::new().weight_decay(0.0).build().unwrap();
    let group = Group::new("vectors", Select::rank(1), adamw).lr(0.1);
    let mut descent = Descent::search(Lbfgs::new()).group(group).build(&model).unwrap();
    let plan = descent.plan();
    assert_eq!([plan.lines[0].optimizer, plan.lines[1].optimizer], ["adamw", "lbfgs"]);
    let (model, report, _) = descent.step_with(model, bowl).unwrap();
    assert_eq!(report.parameters, 2);
    assert!(model.values()[..4].iter().all(|x| (x - 0.1).abs() < 1e-6), "{:?}", model.values());
    assert!(model.values()[4..].iter().all(|x| (x - 1.0).abs() < 1e-3), "{:?}", model.values());
    let param: &Param<_> = &model.a;
    assert!(param.is_require_grad());
}
