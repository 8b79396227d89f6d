//! What a case is called here, and how a replay judges.

use burn_descent_golden::{
    BoxError, Case, Engine, Error, LIBRARIES, OptimizerFile, Ours, Outcome, Point, Precision,
    ReplayError, Setting, Skip, Step, replay, setting, traces, traces_dir,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A case of two steps down from (1, 2), and these fields added to it.
fn case(changes: Value) -> Case {
    let mut case = json!({
        "id": "sgd/0/quad", "problem": "quad", "shapes": [[2]], "hyper": {},
        "steps": 2, "init": [[1, 2]], "grads": [[[1, 0]], [[0, 1]]],
        "record": [1, 2], "params": [[[0.5, 2]], [[0.5, 1.5]]],
    });
    case.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(case).unwrap()
}

/// What the optimizer of a library with these hyper-parameters is called here.
fn name(library: &str, optimizer: &str, hyper: Value, lrs: Value) -> Result<Setting, Skip> {
    name_of(library, optimizer, &case(json!({"hyper": hyper, "lr_sequence": lrs})))
}

/// What the optimizer of a library in this case is called here.
fn name_of(library: &str, optimizer: &str, case: &Case) -> Result<Setting, Skip> {
    let file = json!({"library": library, "optimizer": optimizer, "cases": []});
    let file: OptimizerFile = serde_json::from_value(file).unwrap();
    setting(&file, case)
}

fn optax_rmsprop(momentum: Value) -> Value {
    json!({
        "learning_rate": 0.1, "decay": 0.8, "eps": 1e-6, "initial_scale": 0.0,
        "eps_in_sqrt": true, "centered": false, "momentum": momentum, "nesterov": false,
        "bias_correction": false,
    })
}

fn optimi_sgd(torch_init: bool) -> Value {
    json!({
        "lr": 0.1, "momentum": 0.75, "dampening": true, "torch_init": torch_init,
        "weight_decay": 0.0, "decouple_wd": true, "decouple_lr": false,
    })
}

fn option<'a>(setting: &'a Setting, name: &str) -> Option<&'a str> {
    setting.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
}

#[test]
fn an_epsilon_under_the_root_is_called_so() {
    let setting = name("optax", "rmsprop", optax_rmsprop(json!(null)), json!(null)).unwrap();
    assert_eq!(setting.name, "rmsprop");
    assert_eq!(option(&setting, "eps"), Some("0"));
    assert_eq!(option(&setting, "eps_root"), Some("0.000001"));
    assert_eq!(option(&setting, "momentum"), Some("0"));
    assert_eq!((setting.lrs, setting.point), (vec![0.1, 0.1], Point::Trained));
}

#[test]
fn a_rate_in_the_velocity_is_called_so_or_is_ours_only_while_it_is_constant() {
    let lrs = json!([0.1, 0.2]);
    let setting = name("optax", "rmsprop", optax_rmsprop(json!(0.9)), lrs.clone()).unwrap();
    assert_eq!(option(&setting, "classic"), Some("true"));
    assert_eq!(setting.lrs, [0.1, 0.2]);

    let hyper = json!({"lr": 0.1, "betas": [0.9, 0.99], "eps": 1e-15, "weight_decay": 0});
    let laprop = |lrs| name("timm", "laprop", hyper.clone(), lrs);
    assert!(laprop(json!([0.1, 0.1])).is_ok());
    assert!(matches!(laprop(lrs), Err(Skip::Differs(_))));
}

#[test]
fn one_number_may_be_two_of_ours() {
    let hyper = json!({
        "lr": 0.25, "betas": [0.9, 0.99], "eps": 1e-8, "weight_decay": 0.1, "weight_decouple": true,
    });
    let setting = name("pytorch_optimizer", "adamc", hyper, json!(null)).unwrap();
    assert_eq!(option(&setting, "lr_max"), Some("0.25"));
    assert_eq!(setting.lrs, [0.25, 0.25]);
}

#[test]
fn a_decay_of_the_greatest_rate_is_divided_by_it() {
    let adamw = |max_lr| {
        let hyper = json!({
            "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.5,
            "decouple_wd": false, "decouple_lr": true, "max_lr": max_lr,
        });
        name("optimi", "adamw", hyper, json!(null))
    };
    assert_eq!(option(&adamw(json!(0.25)).unwrap(), "weight_decay"), Some("2"));
    assert_eq!(adamw(json!(null)), Err(Skip::Missing("max_lr")));
}

#[test]
fn a_factor_that_must_be_one_is_refused_otherwise() {
    let with = |factor: f64| {
        let hyper = json!({
            "lr": 0.1, "betas": [0.9, 0.99], "a": 1.27, "b": 1.0, "weight_decay": 0,
            "cautious_factor": factor,
        });
        name("adam_atan2_pytorch", "adam_atan2", hyper, json!(null))
    };
    assert!(with(1.0).is_ok());
    assert!(matches!(with(0.0), Err(Skip::Differs(_))));
}

#[test]
fn an_average_that_starts_at_zero_takes_its_share_from_the_rate() {
    let setting = name("optimi", "sgd", optimi_sgd(false), json!([0.5, 1.0])).unwrap();
    assert_eq!(option(&setting, "dampening"), None);
    assert_eq!(setting.lrs, [0.125, 0.25]);
    let setting = name("optimi", "sgd", optimi_sgd(true), json!([0.5, 1.0])).unwrap();
    assert_eq!(option(&setting, "dampening"), Some("0.75"));
    assert_eq!(setting.lrs, [0.5, 1.0]);
}

#[test]
fn what_a_library_does_not_report_is_as_it_was_given() {
    let laprop = |given: Value| {
        let hyper = json!({
            "lr": 0.1, "betas": [0.9, 0.99], "eps": 1e-15, "weight_decay": 0, "centered": true,
        });
        let case = case(json!({"hyper": hyper, "hyper_given": given}));
        name_of("pytorch_optimizer", "laprop", &case)
    };
    let option_of = |given| {
        let setting = laprop(given).unwrap();
        option(&setting, "steps_before_using_centered").map(str::to_owned)
    };
    assert_eq!(option_of(json!({"steps_before_using_centered": 5})).as_deref(), Some("5"));
    assert_eq!(option_of(json!({})), None);
    let error = laprop(json!({"swing": 3})).unwrap_err();
    assert!(matches!(&error, Skip::Unlisted { key, .. } if key == "swing"), "{error}");
}

#[test]
fn nothing_is_guessed() {
    let adam = |extra: Value| {
        let mut hyper = json!({
            "lr": 0.1, "betas": [0.9, 0.99], "eps": 1e-8, "weight_decay": 0, "amsgrad": false,
            "foreach": null,
        });
        hyper.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        name("torch.optim", "adam", hyper, json!(null))
    };
    assert_eq!(adam(json!({})).unwrap().name, "adam");
    assert_eq!(adam(json!({"decoupled_weight_decay": true})).unwrap().name, "adamw");
    let error = adam(json!({"swing": 3})).unwrap_err();
    assert!(matches!(&error, Skip::Unlisted { key, .. } if key == "swing"), "{error}");
    for wrong in [json!({"eps": "inf"}), json!({"betas": 0.9}), json!({"amsgrad": 1})] {
        let error = adam(wrong.clone()).unwrap_err();
        assert!(matches!(error, Skip::Value { .. }), "{wrong}: {error}");
    }
    let missing = |library, optimizer, hyper| name(library, optimizer, hyper, json!(null));
    assert_eq!(missing("formula", "momentum", json!({"eta": 1})), Err(Skip::Missing("beta")));
    let error = missing("formula", "someday", json!({})).unwrap_err();
    assert_eq!(error.to_string(), "the table of golden/src/table has no row for formula someday");
}

#[test]
fn every_row_can_be_reached_and_says_each_thing_once() {
    for (library, rows) in LIBRARIES {
        let mut complete = BTreeSet::new();
        for row in *rows {
            let what = format!("{library} {} {:?}", row.optimizer, row.when);
            assert!(!complete.contains(row.optimizer), "never reached: {what}");
            if row.when.is_empty() {
                complete.insert(row.optimizer);
            }
            if let Ours::Is { hyper, .. } = row.ours {
                // A list may say of a key what a later one says otherwise, and only then.
                let mut said = BTreeSet::new();
                for list in hyper {
                    let keys: BTreeSet<_> = list.iter().map(|(key, _)| key).collect();
                    assert_eq!(keys.len(), list.len(), "listed twice: {what}");
                    for (key, meaning) in *list {
                        let new = said.insert((*key, format!("{meaning:?}")));
                        assert!(new, "listed twice: {key} of {what}");
                    }
                }
            }
        }
        let all: BTreeSet<_> = rows.iter().map(|row| row.optimizer).collect();
        assert_eq!(all, complete, "{library}: an optimizer needs a last row without conditions");
    }
}

/// Optimizers for which there is work under way: they may be in no row as yet.
const AWAITED: &[&str] = &["mars", "schedule"];

/// Every optimizer of which there is a file, here or where the reference trajectories are, has a
/// row: it is one of ours, or there is a reason why it is not.
#[test]
fn no_optimizer_is_left_without_a_reason() {
    let elsewhere = std::env::var_os("BURN_DESCENT_TRACES").map(PathBuf::from);
    let elsewhere = elsewhere.unwrap_or_else(|| traces_dir().join("../../../../shared/golden"));
    let mut folders = vec![traces_dir()];
    folders.extend(elsewhere.is_dir().then_some(elsewhere));
    for path in folders.iter().flat_map(|folder| traces(folder).unwrap()) {
        let file = match OptimizerFile::read(&path) {
            Err(Error::NotOptimizer { .. }) => continue,
            file => file.unwrap(),
        };
        let (library, optimizer) = (file.library.as_str(), file.optimizer.as_str());
        let rows = LIBRARIES.iter().filter(|(name, _)| *name == library);
        let known = rows.flat_map(|(_, rows)| *rows).any(|row| row.optimizer == optimizer);
        let awaited = AWAITED.iter().any(|name| optimizer.contains(name));
        assert!(known || awaited, "{}: {library} {optimizer} is in no row", path.display());
    }
}

/// Plain gradient descent; the weights to judge are the negative ones.
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
    Setting { name: "sgd", options: vec![], lrs, point: Point::Trained, low_precision: false }
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
fn weights_to_judge_are_compared_where_there_are_any() {
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
