//! Rules that look at the whole model walk with `Descent`, and go where the same rules of other libraries have
//! gone; burn's walk refuses them.

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer, Optimizer};
use burn::tensor::{DType, Tensor};
use burn_descent::{Build, Descent, Group, Lamb, Prodigy, Select, StepError, registry};
use burn_descent_golden::{
    Error, OptimizerFile, Precision, ReplayError, setting, traces, traces_dir,
};
use burn_descent_tests::devices;
use burn_descent_tests::replayer::{Engine, replay_on};

#[test]
fn prodigy_goes_where_other_libraries_have_gone() {
    registry::add(registry::Row::of::<Prodigy>(1.0)).expect("the name is free");
    let mut agree = 0;
    for path in traces(&traces_dir()).expect("the traces of the repository") {
        let file = match OptimizerFile::read(&path) {
            Err(Error::NotOptimizer { .. }) => continue,
            file => file.expect("a trace of the repository"),
        };
        for case in &file.cases {
            let Ok(setting) = setting(&file, case) else { continue };
            if setting.name != "prodigy" {
                continue;
            }
            for entry in devices::all() {
                let Ok(device) = entry.device else { continue };
                for precision in [Precision::F32, Precision::F64] {
                    for engine in [Engine::Own, Engine::Portable] {
                        match replay_on(&device, engine, precision, case, &setting) {
                            Ok(outcome) => {
                                let what = format!("{} {} {engine:?}", file.library, case.id);
                                assert!(outcome.agrees(), "{what} {precision:?}: {outcome}");
                                agree += 1;
                            }
                            Err(ReplayError::Skip(_)) => {}
                            Err(error) => panic!("{}: {error}", case.id),
                        }
                    }
                }
            }
        }
    }
    assert!(agree >= 100, "{agree}");
}

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
