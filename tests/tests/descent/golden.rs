//! What stands around an optimizer, against the trajectories of other libraries, in f64.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{Asam, Builder, Descent, Lookahead, Mechanic, Sam, registry};
use burn_descent_golden::{Case, F64_TOLERANCE, LOW_PRECISION_TOLERANCE, OptimizerFile, Step};
use burn_descent_tests::values;
use std::path::Path;

/// All tensors of a case as vectors: what is done here does not look at shapes.
#[derive(Module, Debug)]
struct Vectors {
    tensors: Vec<Param<Tensor<1>>>,
}

fn tensor(numbers: &[f64]) -> Tensor<1> {
    let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
    Tensor::from_data(data, (&Device::default(), DType::F64))
}

impl Vectors {
    fn new(case: &Case) -> Self {
        let param =
            |numbers: &Vec<f64>| Param::from_tensor(tensor(numbers).autodiff().require_grad());
        Self { tensors: case.init.iter().map(param).collect() }
    }

    fn assert_is(&self, tolerance: f64, case: &Case, step: usize, expected: &Step) {
        for (param, expected) in self.tensors.iter().zip(expected) {
            let scale = expected.iter().fold(1e-3, |most: f64, x| most.max(x.abs()));
            for (found, expected) in values(&param.val()).iter().zip(expected) {
                let error = (found - expected).abs() / scale;
                assert!(error <= tolerance, "{} step {step}: {found} and {expected}", case.id);
            }
        }
    }
}

fn cases(file: &str) -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(file);
    let file = OptimizerFile::read(&file).expect("a trajectory file");
    assert!(!file.cases.is_empty());
    file.cases
}

fn number(case: &Case, key: &str) -> Option<f64> {
    case.hyper(key).and_then(|value| value.as_f64())
}

/// The walk of the optimizer that the case wraps, at its rate.
fn inner(case: &Case, key: &str) -> Builder {
    let name = case.hyper(key).and_then(|value| value.as_str()).expect("it wraps one");
    let row = registry::find(&name.to_lowercase()).expect("one of ours");
    let given = row.options().into_iter().filter_map(|(option, _)| {
        let value = case.hyper(&option)?.as_f64()?;
        Some((option, value.to_string()))
    });
    let given: Vec<_> = given.collect();
    let given: Vec<_> = given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let optimizer = row.build(&given).expect("its options");
    Descent::builder(optimizer).lr(number(case, "lr").expect("a rate"))
}

fn lookahead(file: &str, wrapped: &str, k: &str, alpha: &str) {
    // Ours keeps the states of the optimizer when the weights meet.
    let keeps = |case: &&Case| {
        let state = case.hyper("lookahead_pullback_momentum").or(case.hyper("reset_state"));
        state.is_some_and(|state| *state == "none" || *state == false)
    };
    let cases = cases(file);
    assert!(cases.iter().any(|case| keeps(&case)));
    for case in cases.iter().filter(keeps) {
        let model = Vectors::new(case);
        let lookahead = Lookahead::new()
            .k(number(case, k).expect("a period") as u64)
            .alpha(number(case, alpha).expect("a share"));
        let builder = inner(case, wrapped).lookahead(lookahead);
        let mut descent = builder.build(&model).expect("it fits");
        follow(case, &mut descent, model);
    }
}

/// Takes the steps of a case, and compares.
fn follow(case: &Case, descent: &mut Descent, mut model: Vectors) {
    let gradients = case.grads.as_ref().expect("gradients");
    for (step, gradient) in gradients.iter().enumerate().take(case.steps) {
        let mut by_parameter = GradientsParams::new();
        for (param, gradient) in model.tensors.iter().zip(gradient) {
            by_parameter.register(param.id, tensor(gradient));
        }
        (model, _) = descent.step(model, by_parameter).expect("a good step");
        let Some(at) = case.record.iter().position(|recorded| *recorded == step + 1) else {
            continue;
        };
        model.assert_is(F64_TOLERANCE, case, step + 1, &case.params[at]);
        if let Some(slow) = &case.eval_params {
            descent.evaluate(&model).assert_is(F64_TOLERANCE, case, step + 1, &slow[at]);
        }
    }
}

#[test]
fn lookahead_is_that_of_optax() {
    lookahead("optax__lookahead.json.gz", "fast", "sync_period", "slow_step_size");
}

#[test]
fn lookahead_is_that_of_pytorch_optimizer() {
    lookahead("pytorch_optimizer__lookahead.json.gz", "base", "k", "alpha");
}

/// `(x² + 25 y²) / 2`
fn bowl(model: &Vectors) -> Tensor<1> {
    let x = model.tensors[0].val();
    let scale = Tensor::from_inner(tensor(&[1.0, 25.0]));
    (x.clone() * x * scale).sum().mul_scalar(0.5)
}

#[test]
fn sam_and_asam_are_those_of_pytorch_optimizer() {
    let mut compared = [false, false];
    for case in cases("pytorch_optimizer__sam.json.gz") {
        if case.problem != "quad" {
            continue;
        }
        let rho = number(&case, "rho").expect("a radius");
        let adaptive = case.hyper("adaptive").and_then(|value| value.as_bool()) == Some(true);
        compared[usize::from(adaptive)] = true;
        let mut model = Vectors::new(&case);
        let builder = inner(&case, "base");
        let builder = match adaptive {
            true => builder.search(Asam::new().rho(rho).eta(0.0)),
            false => builder.search(Sam::new().rho(rho)),
        };
        let mut descent = builder.build(&model).expect("it fits");
        for step in 1..=case.steps {
            (model, ..) = descent.step_with(model, bowl).expect("a good step");
            if let Some(at) = case.record.iter().position(|recorded| *recorded == step) {
                // The library takes the norm in f32.
                model.assert_is(LOW_PRECISION_TOLERANCE, &case, step, &case.params[at]);
            }
        }
    }
    assert_eq!(compared, [true, true]);
}

#[test]
fn mechanic_is_that_of_optax() {
    let cases = cases("optax__mechanize.json.gz");
    let cases: Vec<_> = cases.iter().filter(|case| case.grads.is_some()).collect();
    assert!(cases.len() >= 5);
    for case in cases {
        let base = case.hyper("base").and_then(|base| base.as_str()).expect("it wraps one");
        // optax's defaults, of which the case says nothing.
        let options: &[_] = if base == "adamw" { &[("weight_decay", "1e-4")] } else { &[] };
        let optimizer = registry::build(base, options).expect("its options");
        let mechanic = Mechanic::new()
            .s_init(number(case, "s_init").expect("a share"))
            .betas(number(case, "num_betas").expect("a number") as u64)
            .weight_decay(number(case, "weight_decay").expect("a decay"))
            .eps(number(case, "eps").expect("an epsilon"));
        let model = Vectors::new(case);
        let builder = Descent::builder(optimizer).lr(number(case, "lr").expect("a rate"));
        let mut descent = builder.mechanic(mechanic).build(&model).expect("it fits");
        follow(case, &mut descent, model);
    }
}
