//! What a case is called here.

mod made_up_case;

use burn_descent_golden::{Case, LIBRARIES, OptimizerFile, Ours, Point, Setting, Skip, setting};
use made_up_case::case;
use serde_json::{Value, json};
use std::collections::BTreeSet;

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
fn an_ending_says_how_the_library_was_run() {
    let adam = json!({"eta": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8});
    let adam = |ending: &str, dtype: &str| {
        let case = case(json!({"hyper": adam, "dtype": dtype}));
        name_of("formula", &format!("adam_eps_outside{ending}"), &case)
    };
    assert_eq!(adam("_patched", "f64").unwrap(), adam("", "f64").unwrap());
    assert!(matches!(adam("_bf16", "f64"), Err(Skip::Differs(_))));
    assert_eq!(adam("_kahan", "f64"), Err(Skip::Bf16Weights));
    for ending in ["", "_patched", "_bf16", "_kahan"] {
        assert_eq!(adam(ending, "bf16"), Err(Skip::Bf16Weights));
    }
}

#[test]
fn every_row_can_be_reached_and_says_each_thing_once() {
    for (library, rows) in LIBRARIES {
        let mut complete = BTreeSet::new();
        for row in *rows {
            let endings = ["_patched", "_bf16", "_kahan"];
            let ends = endings.iter().any(|ending| row.optimizer.ends_with(ending));
            assert!(!ends, "never reached, endings are left out: {library} {}", row.optimizer);
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
