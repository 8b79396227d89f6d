//! Rules that look at the whole model walk with `Descent`, and those that need the loss are told it; burn's walk refuses
//! both.

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer, Optimizer};
use burn::tensor::{DType, Tensor};
use burn_descent::{
    Ahead, Batch, Build, BuildError, Checkpoint, Descent, DescentError, Group, Lamb, Momo,
    NotFinite, PolyakSgd, Prodigy, Select, StepError,
};
use burn_descent_tests::devices;

#[derive(Module, Debug)]
struct Two {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

#[test]
fn groups_share_one_estimate_and_a_model_is_its_tensors_in_one() {
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        let dtype = if device.supports_dtype(DType::F64) { DType::F64 } else { DType::F32 };
        let tolerance = if dtype == DType::F64 { 1e-12 } else { 1e-5 };
        let numbers = |seed: u64, len: usize| -> Vec<f64> {
            (0..len).map(|i| ((seed * 31 + i as u64 * 17) as f64).sin()).collect()
        };
        let of = |numbers: &[f64]| Tensor::<1>::from_data(numbers, (&device, dtype));
        let prodigy = || Prodigy::new().d0(1e-3).build().expect("defaults");
        // Six and four numbers, or all ten of them.
        let init = numbers(1, 10);
        let model = Two {
            matrix: Param::initialized(ParamId::new(), of(&init[..6]).reshape([2, 3])),
            vector: Param::initialized(ParamId::new(), of(&init[6..])),
        };
        let group = Group::new("vectors", Select::rank(1), prodigy());
        let mut apart = Descent::builder(prodigy()).lr(1.0).group(group).build(&model).unwrap();
        let mut model = model;
        let mut whole = vec![Param::initialized(ParamId::new(), of(&init))];
        let mut joined = Descent::builder(prodigy()).lr(1.0).build(&whole).unwrap();
        for t in 0..10 {
            let g = numbers(100 + t, 10);
            let mut gradients = GradientsParams::new();
            gradients.register(model.matrix.id, of(&g[..6]).reshape([2, 3]));
            gradients.register(model.vector.id, of(&g[6..]));
            model = apart.step(model, gradients).unwrap().0;
            let mut gradients = GradientsParams::new();
            gradients.register(whole[0].id, of(&g));
            whole = joined.step(whole, gradients).unwrap().0;
        }
        let matrix = model.matrix.val().into_data().iter::<f64>().collect::<Vec<_>>();
        let vector = model.vector.val().into_data().iter::<f64>().collect::<Vec<_>>();
        let joined = whole[0].val().into_data().iter::<f64>().collect::<Vec<_>>();
        let moved = joined.iter().zip(&init).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(moved > 1e-3, "{}: nothing has moved", entry.name);
        for (apart, joined) in matrix.iter().chain(&vector).zip(&joined) {
            assert!((apart - joined).abs() < tolerance, "{}: {apart} {joined}", entry.name);
        }
    }
}

#[test]
fn burns_walk_refuses_them_and_says_what_to_do() {
    let device = burn::tensor::Device::default();
    let ones = || Tensor::<1>::ones([3], &device);
    for optimizer in
        [Prodigy::new().build().unwrap(), Lamb::new().max_grad_norm(1.0).build().unwrap()]
    {
        let error = optimizer.try_step(0.1, ones(), ones(), None).unwrap_err();
        assert_eq!(error, StepError::NeedsModel { optimizer: optimizer.name() });
        assert!(error.to_string().ends_with("use Descent"), "{error}");
        let step = || Optimizer::step(&optimizer, 0.1, ones(), ones(), None);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).is_err());
        drop(ModuleOptimizer::from(optimizer));
    }
    let lamb = Lamb::new().build().unwrap();
    lamb.try_step(0.1, ones(), ones(), None).expect("its own tensor is all that it looks at");
}

fn two(device: &burn::tensor::Device) -> Two {
    let device = device.clone().autodiff();
    Two {
        matrix: Param::from_tensor(Tensor::<2>::ones([2, 3], &device).require_grad()),
        vector: Param::from_tensor(Tensor::<1>::ones([4], &device).require_grad()),
    }
}

/// `½ |θ|²`, of which the gradient is the weights.
fn bowl(model: &Two) -> Tensor<1> {
    (model.matrix.val().square().sum() + model.vector.val().square().sum()) * 0.5
}

fn weights(model: &Two) -> Vec<f64> {
    let matrix = model.matrix.val().into_data();
    matrix.iter::<f64>().chain(model.vector.val().into_data().iter::<f64>()).collect()
}

#[test]
fn a_step_is_told_the_loss_by_a_closure_or_by_its_value() {
    let device = burn::tensor::Device::default();
    let build = |model: &Two| {
        Descent::builder(PolyakSgd::new().build().unwrap()).lr(1.0).build(model).unwrap()
    };
    // Polyak's step is f / |g|²: of the bowl a half of the weights, at any height.
    let model = two(&device);
    let mut descent = build(&model);
    let (model, report, loss) = descent.step_with(model, bowl).unwrap();
    assert_eq!((loss.into_scalar::<f32>(), report.step), (5.0, 1));
    assert!(weights(&model).iter().all(|w| (w - 0.5).abs() < 1e-6), "{:?}", weights(&model));
    let loss = bowl(&model);
    let batch = Batch::new().loss(loss.clone());
    let (model, _) = descent.step_weighted(model, loss.backward(), batch).unwrap();
    assert!(weights(&model).iter().all(|w| (w - 0.25).abs() < 1e-6), "{:?}", weights(&model));

    // Of micro-batches the mean counts, whatever they weigh.
    let model = two(&device);
    let builder = Descent::builder(PolyakSgd::new().build().unwrap()).lr(1.0).accumulate(2);
    let mut descent = builder.build(&model).unwrap();
    let half = |model: Two, descent: &mut Descent, weight: f64, loss: f64| {
        let gradients = bowl(&model).backward();
        let batch = Batch::new().weight(weight).loss(loss);
        descent.step_weighted(model, gradients, batch).unwrap()
    };
    let (model, report) = half(model, &mut descent, 1.0, 2.0);
    assert!(!report.stepped);
    // It is kept in a checkpoint.
    let file = descent.checkpoint(&model).unwrap().into_bytes().unwrap();
    let fresh = two(&device);
    let builder = Descent::builder(PolyakSgd::new().build().unwrap()).lr(1.0).accumulate(2);
    let mut resumed = builder.build(&fresh).unwrap();
    let restored = Checkpoint::from_bytes(file).unwrap().restore(&mut resumed, &fresh).unwrap();
    for (model, descent) in [(model, &mut descent), (restored, &mut resumed)] {
        // (1 · 2 + 3 · 6) / 4 is 5.
        let (model, report) = half(model, descent, 3.0, 6.0);
        assert!(report.stepped);
        assert!(weights(&model).iter().all(|w| (w - 0.5).abs() < 1e-6), "{:?}", weights(&model));
    }
}

#[test]
fn a_loss_that_is_missing_or_no_number_leaves_all_as_it_was() {
    let device = burn::tensor::Device::default();
    let model = two(&device);
    let momo = || Momo::new().build().unwrap();
    let mut descent = Descent::builder(momo()).lr(0.1).build(&model).unwrap();
    let gradients = bowl(&model).backward();
    let refused = descent.step(model, gradients).unwrap_err();
    assert_eq!(refused.error, DescentError::NeedsLoss);
    assert!(refused.error.to_string().contains("Batch::new().loss(value)"), "{}", refused.error);
    let gradients = bowl(&refused.model).backward();
    let batch = Batch::new().loss(f64::NAN);
    let refused = descent.step_weighted(refused.model, gradients, batch).unwrap_err();
    assert!(matches!(refused.error, DescentError::BadLoss { step: 1, .. }), "{}", refused.error);
    assert!(weights(&refused.model).iter().all(|w| *w == 1.0));
    assert_eq!(descent.steps(), 0);

    let builder = Descent::builder(momo()).lr(0.1).not_finite(NotFinite::Skip);
    let mut descent = builder.build(&refused.model).unwrap();
    let gradients = bowl(&refused.model).backward();
    let batch = Batch::new().loss(f64::INFINITY);
    let (model, report) = descent.step_weighted(refused.model, gradients, batch).unwrap();
    assert!(report.skipped && weights(&model).iter().all(|w| *w == 1.0));

    let error = momo().try_step(0.1, model.vector.val().inner(), model.vector.val().inner(), None);
    assert!(matches!(error.unwrap_err(), StepError::NeedsModel { .. }));
    for optimizer in [momo(), Prodigy::new().build().unwrap()] {
        let built = Descent::builder(optimizer).lr(0.1).search(Ahead).build(&model);
        assert!(matches!(built.map(drop), Err(BuildError::Ahead { .. })));
    }
}

#[test]
fn a_report_shows_what_a_rule_has_found() {
    let device = burn::tensor::Device::default();
    let mut model = two(&device);
    let prodigy = || Prodigy::new().d0(1e-3).build().unwrap();
    let group = Group::new("vectors", Select::rank(1), prodigy());
    let mut descent = Descent::builder(prodigy()).lr(1.0).group(group).build(&model).unwrap();
    let mut found = vec![1e-3];
    for _ in 0..10 {
        let gradients = bowl(&model).backward();
        let report;
        (model, report) = descent.step(model, gradients).unwrap();
        let [(all, of_all), (vectors, of_vectors)] = &report.estimates[..] else { panic!() };
        assert_eq!((all.as_str(), vectors.as_str()), ("all", "vectors"));
        assert_eq!(of_all, of_vectors, "groups share one estimate");
        let line = serde_json::to_value(&report).unwrap();
        assert_eq!(line["estimates"]["vectors"], of_all.get());
        found.push(of_all.get());
    }
    assert!(found.is_sorted() && found[10] > 2.0 * found[0], "{found:?}");
}

/// Of nine parameters eight have no gradient any more: what is reported is what the ninth has found.
#[test]
fn the_estimate_is_that_of_the_last_step() {
    let device = burn::tensor::Device::flex();
    let ones = || Tensor::<1>::ones([3], &device);
    let mut model: Vec<_> = (0..9).map(|_| Param::initialized(ParamId::new(), ones())).collect();
    let prodigy = Prodigy::new().d0(1e-3).build().expect("it is allowed");
    let mut descent = Descent::builder(prodigy).lr(1.0).build(&model).expect("it fits");
    let mut last = 0.0;
    for t in 0..12 {
        let mut gradients = GradientsParams::new();
        let there = if t < 4 { &model[..] } else { &model[..1] };
        there.iter().for_each(|param| gradients.register(param.id, ones()));
        let report;
        (model, report) = descent.step(model, gradients).expect("a good step");
        let estimate = report.estimates[0].1.get();
        assert!(t < 2 || estimate > last, "step {t}: {estimate} after {last}");
        last = estimate;
    }
}

/// A parameter without elements has no part in the sums, on whatever engine, and stays what it is.
#[test]
fn a_parameter_without_elements_is_stepped_by_every_engine() {
    let device = burn::tensor::Device::flex();
    let prodigy = || Prodigy::new().d0(1e-3).build().expect("it is allowed");
    let walk = |prodigy: burn_descent::Fused| {
        let empty = Tensor::<2>::zeros([0, 3], &device);
        let (vector, matrix) = (Tensor::<1>::ones([3], &device), Param::from_tensor(empty));
        let mut model = Two { vector: Param::from_tensor(vector), matrix };
        let mut descent = Descent::builder(prodigy).lr(1.0).build(&model).expect("it fits");
        for _ in 0..6 {
            let mut gradients = GradientsParams::new();
            gradients.register(model.vector.id, Tensor::<1>::ones([3], &device));
            gradients.register(model.matrix.id, Tensor::<2>::zeros([0, 3], &device));
            model = descent.step(model, gradients).expect("a good step").0;
        }
        assert_eq!(descent.evaluate(&model).matrix.val().dims(), [0, 3]);
        model.vector.val().into_data().iter::<f64>().collect::<Vec<_>>()
    };
    let (fast, portable) = (walk(prodigy()), walk(prodigy().portable()));
    let alike = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
    assert!(fast[0] < 1.0 && fast.iter().zip(&portable).all(alike), "{fast:?} {portable:?}");
}
