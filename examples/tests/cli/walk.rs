//! What is done around the optimizer, and instead of training.

use crate::folder::Folder;
use serde_json::{Value, json};
use std::fs;

const DATA: &str = "regression --data data.csv --target z --hidden 8";
const LINE: &str = "regression --data data.csv --target z --hidden 8 --batch-size 16";

/// The lines of a log.
fn log(folder: &Folder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_schedule_goes_over_the_steps_of_all_epochs() {
    let folder = Folder::new();
    // Two epochs of eight batches, two a step.
    let how = "--epochs 2 --accumulate 2 --schedule linear --warmup 4 --lr 0.4";
    folder.json(&format!("{LINE} {how} --log new/steps.jsonl"));
    let lines = log(&folder, "new/steps.jsonl");
    let rates: Vec<f64> =
        lines.iter().map(|line| line["learning_rates"]["all"].as_f64().unwrap()).collect();
    let expected = [0.0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1];
    assert_eq!(rates.len(), expected.len());
    assert!(rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12));
}

#[test]
fn a_log_is_begun_anew_or_gone_on_with() {
    let folder = Folder::new();
    for file in ["steps.jsonl", "steps.csv"] {
        for _ in 0..2 {
            folder.json(&format!("{LINE} --epochs 1 --save run.bpk --log {file}"));
        }
        folder.json(&format!("regression --resume run.bpk --epochs 2 --log {file}"));
    }
    let steps: Vec<Value> = log(&folder, "steps.jsonl").iter().map(|l| l["step"].clone()).collect();
    assert_eq!(steps, (1..=16).map(Value::from).collect::<Vec<_>>());
    let csv = fs::read_to_string(folder.path("steps.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 16);
    assert!(csv.starts_with("step,") && csv.lines().last().unwrap().starts_with("16,"), "{csv}");
}

#[test]
fn gradients_are_clipped() {
    let folder = Folder::new();
    folder.json(&format!("{LINE} --epochs 1 --clip-norm 0.01 --log steps.jsonl"));
    for line in log(&folder, "steps.jsonl") {
        let number = |key: &str| line[key].as_f64().unwrap();
        assert!((number("grad_norm") * number("clip_factor") - 0.01).abs() < 1e-9, "{line}");
    }
}

#[test]
fn batches_that_are_accumulated_make_one_larger_batch() {
    let folder = Folder::new();
    // 128 examples: two batches of 50 and one of 28 are a batch of all.
    let loss = |how| {
        let json = folder.json(&format!("{DATA} --optimizer sgd --epochs 3 --batch-size {how}"));
        assert_eq!(json["steps"], 3);
        json["test_loss"].as_f64().unwrap()
    };
    let (whole, parts) = (loss("all"), loss("50 --accumulate 3"));
    assert!((whole - parts).abs() < 1e-6, "{whole} {parts}");
}

#[test]
fn batches_that_are_left_over_are_flushed() {
    let folder = Folder::new();
    // Batches of 50, 50 and 28: a step of two, and one of what is left.
    let run = |how: &str| {
        let line = format!("{DATA} --optimizer sgd --batch-size 50 --accumulate 2 {how}");
        folder.json(&line)["steps"].clone()
    };
    assert_eq!(run("--epochs 3"), 4);
    assert_eq!(run("--epochs 3 --flush"), 6);
    // A batch that waits in a save is flushed with the first epoch.
    assert_eq!(run("--epochs 1 --save run.bpk"), 1);
    let resumed = folder.json("regression --resume run.bpk --epochs 3 --flush --log steps.jsonl");
    assert_eq!((&resumed["steps"], &resumed["flush"]), (&json!(5), &json!(true)));
    let lines = log(&folder, "steps.jsonl");
    assert!(lines.iter().any(|line| line["loss"].as_f64().is_some_and(|loss| loss > 0.0)));
}

#[test]
fn the_averaged_weights_are_evaluated() {
    let folder = Folder::new();
    let run = |how: &str| folder.json(&format!("{LINE} --epochs 3 {how}"));
    let (plain, averaged, none) = (run(""), run("--ema 0.99"), run("--ema 0"));
    assert_eq!(averaged["train_loss"], plain["train_loss"]);
    assert_ne!(averaged["test_loss"], plain["test_loss"]);
    assert_eq!(none["test_loss"], plain["test_loss"]);
    assert_eq!((&averaged["ema"], &plain["ema"]), (&json!(0.99), &json!(null)));
}

#[test]
fn the_range_test_suggests_a_rate_and_trains_nothing() {
    let folder = Folder::new();
    let text = folder.run(&format!("{LINE} --find-lr --save run.bpk --log steps.jsonl")).stdout;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("--lr ")).count(), 2, "{text}");
    assert_eq!(folder.listing(), ["data.csv".to_string()].into());

    let found = folder.json(&format!("{DATA} --batch-size all --find-lr --plot rates.png"));
    let rate = |key: &str| found[key].as_f64().unwrap();
    assert!((1e-5..1.0).contains(&rate("suggestion")), "{found}");
    assert!((1e-5..1.0).contains(&rate("minimum_over_ten")), "{found}");
    let points = found["points"].as_array().unwrap();
    assert!(points.len() > 50 && points[0]["lr"] == 1e-7);
    assert!(fs::metadata(folder.path("rates.png")).unwrap().len() > 1000);
}

#[test]
fn the_plan_is_printed_and_nothing_trained() {
    let folder = Folder::new();
    let output = folder.run(&format!("{LINE} --optimizer sgd --ema 0.9 --print-plan"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("layers.1.bias") && text.contains("average"), "{text}");
    assert!(!text.contains("epoch"), "{text}");
}

#[test]
fn an_optimizer_is_explained_and_nothing_trained() {
    let folder = Folder::new();
    for line in ["classifier --explain rmsprop", "regression --optimizer rmsprop --explain"] {
        let output = folder.run(&format!("{line} --set momentum=0.5"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        for expected in ["momentum=0.5", "  v ← rho·v + ", "reads       16 bytes: g, p, v, b"] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(!text.contains("epoch"), "{text}");
    }
}
