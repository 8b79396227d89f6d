//! Options with which a precision does not hold are refused for it, and no others.

use crate::line::{Line, line};
use burn::tensor::DType;
use burn_descent::registry::ROWS;
use burn_descent::rules::chain::{Chain, ScaleByAdam, ScaleByLearningRate};
use burn_descent::{
    AdamC, AdamW, Ano, Build, BuildError, Descent, Fused, Group, Nesterov, ScheduleFreeSgd, Select,
    Sgd, StepError,
};
use burn_descent_conformance::{Candidate, variants};

#[test]
fn what_is_usual_is_allowed_in_every_precision() {
    for row in ROWS {
        for (variant, optimizer) in variants(&Candidate::of_row(row).optimizer) {
            for dtype in [DType::F32, DType::F64, DType::BF16] {
                let found = optimizer.check_in(dtype);
                assert_eq!(found, Ok(()), "{} {variant} in {dtype:?}", row.name);
            }
        }
    }
    // Extreme, and sound.
    for optimizer in [
        AdamW::new().eps(1e-30).build(),
        AdamW::new().eps(0.0).eps_root(1e-30).build(),
        AdamW::new().beta2(1.0 - 1e-12).build(),
        AdamW::new().weight_decay(1e5).build(),
        Sgd::new().momentum(0.999_999).weight_decay(1e4).build(),
        AdamC::new().lr_max(1e-6).build(),
        Ano::new().beta2(0.5).build(),
    ] {
        let optimizer = optimizer.expect("it is allowed");
        assert_eq!(optimizer.check_in(DType::F32), Ok(()), "{:?}", optimizer.options());
    }
}

fn broken() -> Vec<(Fused, &'static str, bool)> {
    let chain = Chain::of(ScaleByAdam::new().eps(1e-60)).then(ScaleByLearningRate::new());
    vec![
        (AdamW::new().eps(1e-50).build().expect("allowed"), "eps", false),
        (AdamW::new().stable(true).eps(1e-30).build().expect("allowed"), "eps", false),
        (AdamC::new().lr_max(1e-30).build().expect("allowed"), "lr_max", false),
        (Ano::new().beta2(0.3).build().expect("allowed"), "beta2", true),
        (chain.build().expect("allowed"), "scale_by_adam.eps", false),
        (ScheduleFreeSgd::new().momentum(1e-60).build().expect("allowed"), "momentum", false),
        (Sgd::new().weight_decay(1e50).build().expect("allowed"), "weight_decay", true),
    ]
}

#[test]
fn what_breaks_is_refused_by_name_when_the_walk_is_built() {
    for (optimizer, option, in_f64) in broken() {
        let build = |dtype: DType| {
            let model: Line = line([1.0, 1.0], dtype);
            Descent::builder(optimizer.clone()).lr(0.1).build(&model).map(drop)
        };
        let error = build(DType::F32).unwrap_err();
        assert!(matches!(error, BuildError::Optimizer { .. }), "{error}");
        let (name, text) = (optimizer.name(), error.to_string());
        assert!(text.contains(&format!("{name}: {option} = ")) && text.contains("f32"), "{text}");
        assert_eq!(build(DType::F64).is_err(), in_f64, "{name} {option}");
    }
}

#[test]
fn and_at_the_first_step_in_burns_own_walk() {
    for (optimizer, option, _) in broken() {
        let model: Line = line([1.0, 1.0], DType::F32);
        let tensor = || model.a.val().inner();
        let error = optimizer.try_step(0.1, tensor(), tensor(), None).expect_err("it breaks");
        assert!(matches!(&error, StepError::Option(error) if error.option == option), "{error}");
    }
}

/// A schedule that begins where the precision does not hold.
#[test]
fn a_schedule_is_looked_at_where_it_begins() {
    let adamw = || AdamW::new().build().expect("defaults are allowed");
    let model: Line = line([1.0, 1.0], DType::F32);
    let group = Group::new("every", Select::all(), adamw()).option("eps", 1e-60);
    let error = Descent::builder(adamw()).group(group).lr(0.1).build(&model).unwrap_err();
    assert!(error.to_string().contains("adamw: eps = 1e-60"), "{error}");
    let nesterov = Nesterov::new().build().expect("defaults are allowed");
    assert!(Descent::builder(nesterov).lr(0.1).build(&model).is_ok());
}
