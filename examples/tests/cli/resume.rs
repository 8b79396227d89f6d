//! Stopping and going on.

use crate::folder::{Folder, Tensors};
use serde_json::{Value, json};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const LINE: &str = "--data data.csv --target class --batch-size 17";

/// What two runs that did the same have in common: weights, states, averages, sums, results.
fn result(folder: &Folder, save: &str, mut json: Value) -> (Tensors, Value) {
    json["seconds"] = Value::Null;
    (folder.tensors(save), json)
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let folder = Folder::new();
    for how in [
        "--backend flex",
        "--backend ndarray",
        "--optimizer nesterov --seed 3",
        // A layer of 4,800 weights or so, which are kept in eight bits.
        "--hidden 64,80 --optimizer adamw --state int8 --weights bf16-split",
        "--hidden 64,80 --state bf16-stochastic --weights bf16-stochastic",
        // Eight batches an epoch, the last one smaller: after three epochs three of them wait.
        "--accumulate 7 --ema 0.99 --clip-norm 0.5",
        "--optimizer sgd --lr 1 --mechanic",
    ] {
        let how = if how.contains("--hidden") { how.into() } else { format!("--hidden 8 {how}") };
        let whole = folder.json(&format!("classifier {LINE} {how} --epochs 6 --save whole.bpk"));
        folder.json(&format!("classifier {LINE} {how} --epochs 3 --save half.bpk"));
        let backend = if how.contains("ndarray") { "--backend ndarray" } else { "" };
        let line = format!("classifier --resume half.bpk {backend} --epochs 6 --save rest.bpk");
        let rest = folder.json(&line);
        assert_eq!(result(&folder, "whole.bpk", whole), result(&folder, "rest.bpk", rest), "{how}");
    }
    let files = ["data.csv", "half.bpk", "rest.bpk", "whole.bpk"];
    assert_eq!(folder.listing(), files.map(Into::into).into());
}

#[test]
fn a_killed_run_goes_on_from_its_last_epoch() {
    let folder = Folder::new();
    let how = "--hidden 8 --accumulate 3 --ema 0.99 --schedule cosine --warmup 9 --epochs 150";
    let whole = folder.json(&format!("classifier {LINE} {how} --save whole.bpk"));
    let mut run = folder.command(&format!("classifier {LINE} {how} --save run.bpk"));
    let mut run = run.stdout(Stdio::null()).spawn().unwrap();
    while !folder.path("run.bpk").exists() {
        assert!(run.try_wait().unwrap().is_none(), "it ended without a save");
        std::thread::sleep(Duration::from_millis(1));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let rest = folder.json("classifier --resume run.bpk --save run.bpk");
    assert_eq!(result(&folder, "whole.bpk", whole), result(&folder, "run.bpk", rest));
}

#[test]
fn what_may_change_is_taken_up() {
    let folder = Folder::new();
    let line = format!("classifier {LINE} --hidden 8 --epochs 2 --save run.bpk --accumulate 3");
    folder.json(&line);
    // Two epochs of eight batches: five steps, and one batch that waits.
    let change = "--lr 0.1 --clip-norm 2 --ema 0.5 --set beta1=0.5 --schedule rex --batch-size 64";
    let json = folder.json(&format!("classifier --resume run.bpk --epochs 4 {change}"));
    let found = ["steps", "schedule", "clip_norm", "ema", "accumulate"].map(|key| &json[key]);
    assert_eq!(found, [&json!(6), &json!("rex"), &json!(2.0), &json!(0.5), &json!(3)]);
    folder.refused("classifier --resume run.bpk --epochs 4 --accumulate 1", "1 batches wait");
}

#[test]
fn a_run_goes_on_with_another_backend_and_over_its_own_save() {
    let folder = Folder::new();
    let whole = folder.json(&format!("classifier {LINE} --hidden 8 --epochs 4"));
    folder
        .json(&format!("classifier {LINE} --hidden 8 --epochs 2 --backend ndarray --save run.bpk"));
    let rest = folder.json("classifier --resume run.bpk --epochs 4 --backend flex --save run.bpk");
    assert_eq!(
        (&rest["backend"], &rest["epochs"], &rest["steps"]),
        (&"flex".into(), &4.into(), &32.into())
    );
    let loss = |json: &Value| json["test_loss"].as_f64().unwrap();
    assert!((loss(&whole) - loss(&rest)).abs() < 1e-4, "{whole} {rest}");
    // At its end already: it is evaluated as it was.
    assert_eq!(
        folder.json("classifier --resume run.bpk --epochs 4")["test_loss"],
        rest["test_loss"]
    );
}

#[test]
fn a_run_that_goes_on_without_a_save_says_so() {
    let folder = Folder::new();
    folder.json(&format!("classifier {LINE} --hidden 8 --epochs 1 --save run.bpk"));
    let said = |flags: &str| {
        let output = folder.run(&format!("classifier --resume run.bpk {flags}"));
        String::from_utf8(output.stdout).unwrap().contains("nothing of this training is kept")
    };
    assert!(said("--epochs 2"));
    assert!(!said("--epochs 2 --save new.bpk") && !said("--find-lr") && !said("--print-plan"));
}

/// Without an adapter this tests nothing, unless `BURN_DESCENT_REQUIRE=wgpu` demands it.
#[cfg(feature = "wgpu")]
#[test]
fn a_run_goes_on_with_wgpu() {
    let folder = Folder::new();
    folder
        .json(&format!("classifier {LINE} --hidden 8 --epochs 1 --backend ndarray --save run.bpk"));
    let line = "classifier --resume run.bpk --epochs 2 --save run.bpk --backend wgpu";
    let required = std::env::var("BURN_DESCENT_REQUIRE").is_ok_and(|names| names.contains("wgpu"));
    let errors = String::from_utf8(folder.run(line).stderr).unwrap();
    if errors.contains("finds no adapter") && !required {
        return eprintln!("ignored: {errors}");
    }
    let whole = folder.json(&format!("classifier {LINE} --hidden 8 --epochs 2"));
    let rest = folder.json("classifier --resume run.bpk --epochs 2");
    let loss = |json: &Value| json["test_loss"].as_f64().unwrap();
    assert!((loss(&whole) - loss(&rest)).abs() < 1e-4, "{errors} {whole} {rest}");
}

#[test]
fn contradictions_and_damage_are_refused() {
    let folder = Folder::new();
    folder.json(&format!("classifier {LINE} --hidden 8 --epochs 2 --save run.bpk"));
    for (flags, expected) in [
        ("--hidden 9", "--hidden 8, not 9"),
        ("--optimizer sgd", "--optimizer adam, not sgd"),
        ("--seed 1", "--seed 0, not 1"),
        ("--set amsgrad=true", "the save has m and v"),
        ("--epochs 1", "--epochs is the total"),
        ("--drop word", "the data is not that of the save"),
    ] {
        folder.refused(&format!("classifier --resume run.bpk {flags}"), expected);
    }
    folder.refused("regression --resume run.bpk", "a save of `classifier`");

    let good = fs::read(folder.path("run.bpk")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() - 2] ^= 1;
    let cut = &good[..good.len() / 2];
    for (bad, expected) in [(cut, "cut off"), (&flipped, "is damaged"), (b"", "cut off")] {
        folder.write("bad.bpk", bad);
        folder.refused("classifier --resume bad.bpk", expected);
    }

    folder.write("data.csv", "x,y,word,class,z\n");
    folder.refused("classifier --resume run.bpk", "no row");
}
