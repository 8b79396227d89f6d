//! Stopping and going on.

use crate::folder::Folder;
use serde_json::Value;
use std::fs;

const LINE: &str = "--data data.csv --target class --hidden 8 --batch-size 16";

/// What two runs that did the same have in common.
fn result(folder: &Folder, save: &str, mut json: Value) -> (Vec<u8>, Value) {
    json["seconds"] = Value::Null;
    (fs::read(folder.path(save).join("model.bpk")).unwrap(), json)
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let folder = Folder::new();
    for how in ["--backend flex", "--backend ndarray", "--optimizer nesterov --seed 3"] {
        let whole = folder.json(&format!("classifier {LINE} {how} --epochs 4 --save whole"));
        folder.json(&format!("classifier {LINE} {how} --epochs 2 --save half"));
        let backend = if how.contains("ndarray") { "--backend ndarray" } else { "" };
        let rest =
            folder.json(&format!("classifier --resume half {backend} --epochs 4 --save rest"));
        assert_eq!(result(&folder, "whole", whole), result(&folder, "rest", rest), "{how}");
    }
    assert_eq!(folder.listing(), ["data.csv", "half", "rest", "whole"].map(Into::into).into());
}

#[test]
fn a_run_goes_on_with_another_backend_and_in_its_own_folder() {
    let folder = Folder::new();
    let whole = folder.json(&format!("classifier {LINE} --epochs 4"));
    folder.json(&format!("classifier {LINE} --epochs 2 --backend ndarray --save run"));
    let rest = folder.json("classifier --resume run --epochs 4 --backend flex --save run");
    assert_eq!(
        (&rest["backend"], &rest["epochs"], &rest["steps"]),
        (&"flex".into(), &4.into(), &32.into())
    );
    let loss = |json: &Value| json["test_loss"].as_f64().unwrap();
    assert!((loss(&whole) - loss(&rest)).abs() < 1e-4, "{whole} {rest}");
    // At its end already: it is judged as it was.
    assert_eq!(folder.json("classifier --resume run --epochs 4")["test_loss"], rest["test_loss"]);
}

/// Without an adapter this tests nothing, unless `BURN_DESCENT_REQUIRE=wgpu` demands it.
#[cfg(feature = "wgpu")]
#[test]
fn a_run_goes_on_with_wgpu() {
    let folder = Folder::new();
    folder.json(&format!("classifier {LINE} --epochs 1 --backend ndarray --save run"));
    let line = "classifier --resume run --epochs 2 --save run --backend wgpu";
    let required = std::env::var("BURN_DESCENT_REQUIRE").is_ok_and(|names| names.contains("wgpu"));
    let errors = String::from_utf8(folder.run(line).stderr).unwrap();
    if errors.contains("finds no adapter") && !required {
        return eprintln!("ignored: {errors}");
    }
    let whole = folder.json(&format!("classifier {LINE} --epochs 2"));
    let rest = folder.json("classifier --resume run --epochs 2");
    let loss = |json: &Value| json["test_loss"].as_f64().unwrap();
    assert!((loss(&whole) - loss(&rest)).abs() < 1e-4, "{errors} {whole} {rest}");
}

#[test]
fn contradictions_and_damage_are_refused() {
    let folder = Folder::new();
    folder.json(&format!("classifier {LINE} --epochs 2 --save run"));
    for (flags, expected) in [
        ("--hidden 9", "--hidden 8, not 9"),
        ("--optimizer sgd", "--optimizer adam, not sgd"),
        ("--seed 1", "--seed 0, not 1"),
        ("--set amsgrad=true", "the save has m and v"),
        ("--epochs 1", "--epochs is the total"),
        ("--drop word", "the data is not that of the save"),
    ] {
        folder.refused(&format!("classifier --resume run {flags}"), expected);
    }
    folder.refused("regression --resume run", "a save of `classifier`");

    for file in ["model.bpk", "optimizer.bpk", "position.json", "checksums.json"] {
        let path = folder.path("run").join(file);
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() - 2] ^= 1;
        for bad in [&good[..good.len() / 2], &flipped, b""] {
            fs::write(&path, bad).unwrap();
            folder.refused("classifier --resume run", "is damaged");
        }
        fs::remove_file(&path).unwrap();
        folder.refused("classifier --resume run", file);
        fs::write(&path, good).unwrap();
    }

    folder.write("data.csv", "x,y,word,class,z\n");
    folder.refused("classifier --resume run", "no row");
}
