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
    let expected = "optimizer backend epochs train_loss test_loss r2 rmse seconds steps schedule \
                    clip_norm accumulate flush ema mechanic state weights";
    assert_eq!(keys.join(" "), expected);
    assert_eq!(json["steps"], 2 * 128_u64.div_ceil(32));
    assert!(fs::read_to_string(folder.path("new/loss.svg")).unwrap().contains("data.csv: R2"));

    let output = folder.run("regression --data data.csv --target z --hidden 8 --epochs 2");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 2, "{text}");
    assert!(text.contains("examples/s") && text.contains("adam"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn errors_have_the_unit_of_the_target() {
    let folder = Folder::new();
    let rows = |unit: f64| {
        let row = |i: u32| format!("{},{}\n", i % 13, unit * f64::from(i % 13 + i % 3));
        format!("x,y\n{}", (0..120).map(row).collect::<String>())
    };
    let run = |unit| {
        folder.write("rows.csv", rows(unit));
        folder.json("regression --data rows.csv --target y --hidden 16 --epochs 60 --batch-size 8 --lr 0.01")
    };
    let number = |json: &serde_json::Value, key: &str| json[key].as_f64().unwrap();
    let (one, thousand) = (run(1.0), run(1000.0));
    assert!((number(&one, "r2") - number(&thousand, "r2")).abs() < 1e-4);
    assert!((number(&thousand, "rmse") / number(&one, "rmse") / 1000.0 - 1.0).abs() < 1e-3);
    // i % 3 cannot be learned: its deviation is the root of 2/3.
    assert!((0.6..1.1).contains(&number(&one, "rmse")), "{one}");
}

#[test]
fn classes_that_are_confused_are_told() {
    let folder = Folder::new();
    // `right` follows from x; `even` and `odd` cannot be told apart.
    let row = |i: u32| match i % 4 {
        0 | 1 => format!("1,{}\n", ["even", "odd"][(i / 4 % 2) as usize]),
        _ => "0,right\n".into(),
    };
    folder.write("rows.csv", format!("x,class\n{}", (0..400).map(row).collect::<String>()));
    let line =
        "classifier --data rows.csv --target class --hidden 8 --epochs 9 --batch-size 8 --lr 0.05";
    let confusion = folder.json(line)["confusion"].clone();
    let count = |right: &str, found: &str| confusion[right][found].as_u64().unwrap_or(0);
    let all = ["even", "odd", "right"]
        .map(|right| ["even", "odd", "right"].iter().map(|found| count(right, found)).sum::<u64>());
    assert_eq!(all.iter().sum::<u64>(), 80);
    assert_eq!(count("right", "right"), all[2]);
    assert_eq!(count("even", "right") + count("odd", "right"), 0);
    assert!(count("even", "odd") + count("odd", "even") > 0, "{confusion}");
    let text = String::from_utf8(folder.run(line).stdout).unwrap();
    assert!(text.contains("right, predicted:") && text.contains("even"), "{text}");
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
