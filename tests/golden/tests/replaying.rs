//! How a replay compares.

mod made_up_case;

use burn_descent_golden::{
    BoxError, Case, Closeness, Engine, Outcome, Point, Precision, ReplayError, Setting, Skip, Step,
    replay,
};
use made_up_case::case;
use serde_json::{Value, json};

/// Plain gradient descent; the weights to evaluate are the negative ones.
struct Descent(Step);

impl Engine for Descent {
    fn start(&mut self, init: &Step, _: &[Vec<usize>]) -> Result<(), BoxError> {
        self.0 = init.clone();
        Ok(())
    }
    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError> {
        if lr > 1.0 {
            return Err("the rate is too high".into());
        }
        self.0.iter_mut().flatten().zip(grads.iter().flatten()).for_each(|(p, g)| *p -= lr * g);
        Ok(())
    }
    fn params(&self) -> Result<Step, BoxError> {
        Ok(self.0.clone())
    }
    fn evaluated(&self) -> Result<Step, BoxError> {
        Ok(self.0.iter().map(|tensor| tensor.iter().map(|x| -x).collect()).collect())
    }
}

fn sgd(lrs: Vec<f64>) -> Setting {
    Setting {
        name: "sgd",
        options: vec![],
        lrs,
        point: Point::Trained,
        low_precision: false,
        inputs_first: false,
        aside: vec![],
    }
}

fn descend(changes: Value, precision: Precision) -> Result<Outcome, ReplayError> {
    let lrs = vec![0.5, 0.5];
    let setting = sgd(lrs);
    replay(&case(changes), &setting, precision, &mut Descent(vec![]))
}

#[test]
fn the_worst_tensor_of_all_records_counts() {
    use Precision::F64;
    let outcome = descend(json!({}), F64).unwrap();
    assert_eq!((outcome.max_error, outcome.compared, outcome.agrees()), (0.0, 2, true));

    let wrong = json!([[[0.5, 2]], [[0.25, 1.5]]]);
    let outcome = descend(json!({"params": wrong}), F64).unwrap();
    assert_eq!((outcome.max_error, outcome.step), (0.25 / 1.5, 2));
    assert!(!outcome.agrees());
    let outcome = descend(json!({"params": wrong, "id": "sgd/0/quad_long"}), F64).unwrap();
    assert_eq!(outcome.max_error, 0.25 / 2.0);
}

#[test]
fn a_library_that_computes_in_f32_may_be_further_off() {
    let wrong = case(json!({"params": [[[0.5, 2]], [[0.5, 1.500001]]]}));
    for low_precision in [false, true] {
        let setting = Setting { low_precision, ..sgd(vec![0.5, 0.5]) };
        let outcome = replay(&wrong, &setting, Precision::F64, &mut Descent(vec![])).unwrap();
        assert_eq!(outcome.agrees(), low_precision, "{outcome:?}");
    }
}

#[test]
fn an_error_may_be_small_for_the_weights_and_large_for_the_step() {
    let mut far = case(json!({
        "init": [[1e6, 2]], "params": [[[1e6 - 0.5, 2]], [[1e6 - 0.5, 1.5 + 1e-6]]],
    }));
    let run = |case: &Case, precision| {
        replay(case, &sgd(vec![0.5, 0.5]), precision, &mut Descent(vec![])).unwrap()
    };
    assert!(run(&far, Precision::F64).agrees());
    far.closeness = Closeness { movement: 1e-8, ..far.closeness };
    let outcome = run(&far, Precision::F64);
    assert!((outcome.max_movement_error - 2e-6).abs() < 1e-9, "{outcome:?}");
    assert!(outcome.max_error < 1e-11 && !outcome.agrees(), "{outcome:?}");
    let said = "off by 1.0e-12 of 1e-9 at step 2, tensor 0, by 2.0e-6 of 1e-8 of its movement";
    assert_eq!(outcome.to_string(), said);
    far.params_f32 = Some(far.params.clone());
    assert!(run(&far, Precision::F32).agrees());
    far.closeness = Closeness { relative: 1e-13, movement: 1.0, ..far.closeness };
    assert!(!run(&far, Precision::F64).agrees());
}

#[test]
fn weights_in_bf16_are_left_out() {
    for precision in [Precision::F64, Precision::F32] {
        let result = descend(json!({"dtype": "bf16"}), precision);
        assert!(matches!(result, Err(ReplayError::Skip(Skip::Bf16Weights))), "{result:?}");
    }
}

#[test]
fn weights_to_evaluate_are_compared_where_there_are_any() {
    let right = json!({"eval_params": [[[-0.5, -2]], [[-0.5, -1.5]]]});
    assert!(descend(right, Precision::F64).unwrap().agrees());
    let wrong = json!({"eval_params": [[[0.5, 2]], [[0.5, 1.5]]]});
    assert_eq!(descend(wrong, Precision::F64).unwrap().max_error, 2.0);
}

#[test]
fn f32_has_records_of_its_own_or_is_left_out() {
    use Precision::F32;
    let skip = |changes| match descend(changes, F32) {
        Err(ReplayError::Skip(skip)) => skip,
        other => panic!("{other:?}"),
    };
    assert_eq!(skip(json!({})), Skip::NoF32);
    assert_eq!(skip(json!({"f32_error": "too narrow"})), Skip::F32Failed("too narrow".into()));
    assert_eq!(skip(json!({"grads": null, "params_f32": []})), Skip::NoGradients);
    let own = json!({"record_f32": [2], "params_f32": [[[0.5, 1.5]]]});
    assert_eq!(descend(own, F32).unwrap().compared, 1);
    let same = json!({"params_f32": [[[0.5, 2]], [[0.5, 1.5]]]});
    assert_eq!(descend(same, F32).unwrap().compared, 2);
}

#[test]
fn an_engine_that_fails_is_no_disagreement() {
    let error = replay(&case(json!({})), &sgd(vec![2.0; 2]), Precision::F64, &mut Descent(vec![]));
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "our optimizer failed: the rate is too high");
}
