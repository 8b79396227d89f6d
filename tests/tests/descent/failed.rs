//! Refreshes of roots, bases and factors that fail.

use super::matrix;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_descent::{Checkpoint, Descent, Report, registry};
use burn_descent_tests::values;

#[derive(Module, Debug)]
struct One {
    weight: Param<Tensor<2>>,
}

impl One {
    fn new() -> Self {
        Self { weight: Param::from_tensor(matrix(1).autodiff().require_grad()) }
    }

    /// A step down a gradient of these numbers times `by`.
    fn step(self, descent: &mut Descent, by: f64) -> (Self, Report) {
        let mut gradients = GradientsParams::new();
        gradients.register(self.weight.id, matrix(2).mul_scalar(by));
        descent.step(self, gradients).unwrap()
    }
}

/// One that refreshes in each step.
fn descent(name: &str, model: &One) -> Descent {
    let row = registry::find(name).unwrap();
    let options: &[(&str, &str)] = match name {
        "scalable_shampoo" => &[("preconditioning_compute_steps", "1"), ("merging", "none")],
        "dash" => &[("precondition_frequency", "1")],
        _ => &[],
    };
    Descent::builder(row.build(options).unwrap()).lr(row.lr).build(model).unwrap()
}

/// How many have failed after steps down gradients times these numbers.
fn failed(name: &str, gradients: &[f64]) -> Option<u64> {
    let mut model = One::new();
    let mut descent = descent(name, &model);
    let mut last = None;
    for by in gradients {
        let report;
        (model, report) = model.step(&mut descent, *by);
        last = report.failed_refreshes;
    }
    last
}

#[test]
fn those_that_fail_are_reported() {
    let refreshing =
        ["shampoo", "scalable_shampoo", "dash", "soap", "splus", "galore", "kron", "psgd_pro"];
    for name in refreshing {
        assert_eq!(failed(name, &[1.0; 12]), Some(0), "{name}");
        assert!(failed(name, &[f64::NAN]).is_some_and(|count| count > 0), "{name}");
    }
    // Where nothing is refreshed, nothing fails.
    assert_eq!(failed("muon", &[f64::NAN]), Some(0));
    assert_eq!(failed("adamw", &[f64::NAN]), None);
}

#[test]
fn a_factor_that_overflows_leaves_the_last_root_and_is_counted_ever_after() {
    for name in ["shampoo", "scalable_shampoo", "dash"] {
        let mut model = One::new();
        let mut walk = descent(name, &model);
        // The square of the second one is above all f32: two factors have no root any more.
        for (by, expected) in [(1.0, 0), (1e25, 2), (1.0, 4)] {
            let report;
            (model, report) = model.step(&mut walk, by);
            assert_eq!(report.failed_refreshes, Some(expected), "{name}");
            assert!(values(&model.weight.val()).iter().all(|x| x.is_finite()), "{name}");
        }
        // A checkpoint goes on counting, and a clone of it counts on its own.
        let bytes = walk.checkpoint(&model).unwrap().into_bytes().unwrap();
        let resume = || {
            let fresh = One::new();
            let mut again = descent(name, &fresh);
            let restored =
                Checkpoint::from_bytes(bytes.clone()).unwrap().restore(&mut again, &fresh);
            let (_, report) = restored.unwrap().step(&mut again, 1.0);
            (report.failed_refreshes, serde_json::to_value(&report).unwrap())
        };
        for (count, line) in [resume(), resume()] {
            assert_eq!(count, Some(6), "{name}");
            assert_eq!(line["failed_refreshes"], 6, "{name}");
        }
    }
}
