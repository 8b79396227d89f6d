//! The programs learn, and say so.

use crate::folder::Folder;
use std::fs;

#[test]
fn the_classifier_learns_what_no_linear_model_can() {
    let folder = Folder::new();
    let line =
        "classifier --data data.csv --target class --drop z --batch-size 8 --epochs 40 --lr 0.01";
    let accuracy = |hidden| {
        let json = folder.json(&format!("{line} --hidden {hidden}"));
        json["accuracy"].as_f64().unwrap()
    };
    assert!(accuracy("32,32") > 0.9);
    assert!(accuracy("none") < 0.8);
}

#[test]
fn the_json_object_has_its_keys_and_the_plot_is_drawn() {
    let folder = Folder::new();
    let line = "regression --data data.csv --target z --hidden 8 --epochs 2 --plot new/loss.svg";
    let json = folder.json(line);
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "optimizer backend epochs train_loss test_loss r2 seconds steps schedule \
                    clip_norm accumulate flush ema";
    assert_eq!(keys.join(" "), expected);
    assert_eq!(json["steps"], 2 * 128_u64.div_ceil(32));
    assert!(fs::read_to_string(folder.path("new/loss.svg")).unwrap().contains("data.csv: R2"));

    let output = folder.run("regression --data data.csv --target z --hidden 8 --epochs 2");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 2, "{text}");
    assert!(text.contains("examples/s") && text.contains("adam"), "{text}");
}

#[test]
fn batches_may_be_of_one_of_all_and_of_more_than_there_are() {
    let folder = Folder::new();
    let steps = |size: &str| {
        let line = "regression --data data.csv --target z --hidden 4 --epochs 1 --batch-size";
        folder.json(&format!("{line} {size}"))["steps"].as_u64().unwrap()
    };
    assert_eq!(["1", "100", "all", "1000"].map(steps), [128, 2, 1, 1]);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let folder = Folder::new();
    let loss = |threads| {
        let line = "regression --data data.csv --target z --epochs 2 --threads";
        folder.json(&format!("{line} {threads}"))["train_loss"].clone()
    };
    assert_eq!(loss(1), loss(3));
}
