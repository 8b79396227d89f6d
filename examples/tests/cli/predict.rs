//! New rows, predicted with the network of a save.

use crate::folder::Folder;
use serde_json::{Value, json};
use std::fs;

/// The values of a column in a CSV file.
fn column(folder: &Folder, file: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path(file)).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let at = names.iter().position(|found| found == name).unwrap_or_else(|| panic!("{text}"));
    lines.map(|mut line| line.swap_remove(at)).collect()
}

fn numbers(values: &[String]) -> Vec<f64> {
    values.iter().map(|value| value.parse().unwrap()).collect()
}

/// The rows of the table in `data.csv`, some of them, in other columns.
fn write_rows(folder: &Folder, name: &str, header: &str, row: impl Fn(&[&str]) -> String) {
    let text = fs::read_to_string(folder.path("data.csv")).unwrap();
    let rows = text.lines().skip(1).map(|line| row(&line.split(',').collect::<Vec<_>>()) + "\n");
    folder.write(name, format!("{header}\n{}", rows.collect::<String>()));
}

const NUMBER: &str = "regression --data data.csv --target z --hidden 16 --batch-size 8 --lr 0.01";
const CLASS: &str = "classifier --data data.csv --target class --drop z --hidden 16 --lr 0.01";

#[test]
fn a_number_is_predicted_in_its_unit() {
    let folder = Folder::new();
    for how in ["", "--ema 0.9", "--optimizer nesterov", "--schedule cosine --warmup 20"] {
        let trained = folder.json(&format!("{NUMBER} {how} --epochs 30 --save run.bpk"));
        // Without the target, in another order, with a column more; the training data is gone.
        write_rows(&folder, "new.csv", "word,name,y,x,class", |row| {
            format!("{},any,{},{},{}", row[2], row[1], row[0], row[3])
        });
        let targets = numbers(&column(&folder, "data.csv", "z"));
        fs::rename(folder.path("data.csv"), folder.path("away.csv")).unwrap();
        let line = "regression --resume run.bpk --predict new.csv --out out/predictions.csv";
        let json = folder.json(line);
        assert_eq!((&json["rows"], &json["predicted"]), (&json!(160), &json!(160)), "{how}");
        let predicted = numbers(&column(&folder, "out/predictions.csv", "predicted_z"));
        let errors = predicted.iter().zip(&targets).map(|(p, t)| (p - t).powi(2)).sum::<f64>();
        let rmse = (errors / 160.0).sqrt();
        assert!(rmse < 0.2, "{how}: {rmse}");
        assert_eq!(column(&folder, "out/predictions.csv", "name"), vec!["any"; 160]);
        fs::rename(folder.path("away.csv"), folder.path("data.csv")).unwrap();

        // With the target the predictions are evaluated.
        let evaluated =
            folder.json("regression --resume run.bpk --predict data.csv --out out/predictions.csv");
        assert!(
            (evaluated["rmse"].as_f64().unwrap() - rmse).abs() < 1e-6,
            "{how}: {evaluated} {rmse}"
        );
        assert!(evaluated["r2"].as_f64().unwrap() > 0.8, "{trained}");
    }
}

#[test]
fn a_class_is_predicted_with_its_probability() {
    let folder = Folder::new();
    folder.json(&format!("{CLASS} --batch-size 8 --epochs 40 --save run.bpk"));
    let line = "classifier --resume run.bpk --predict data.csv --out predictions.csv";
    let evaluated = folder.json(line);
    let found = column(&folder, "predictions.csv", "predicted_class");
    let right = column(&folder, "predictions.csv", "class");
    let hits = found.iter().zip(&right).filter(|(found, right)| found == right).count();
    assert!(hits > 144, "{hits}");
    assert_eq!(evaluated["accuracy"], json!(hits as f64 / 160.0));
    let sure = numbers(&column(&folder, "predictions.csv", "probability"));
    assert!(sure.iter().all(|p| (0.5..=1.0).contains(p)));
    let counts = evaluated["confusion"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|row| row.as_object().unwrap().values().map(|count| count.as_u64().unwrap()));
    assert_eq!(counts.sum::<u64>(), 160);
    // The new predictions replace the old ones.
    assert_eq!(folder.json(line), evaluated);
}

#[test]
fn the_test_examples_are_predicted_as_training_evaluated_them() {
    let folder = Folder::new();
    let trained = folder.json("regression --epochs 1 --save run.bpk");
    // Generated data has columns too.
    let header = (1..=10).map(|n| format!("x{n}")).collect::<Vec<_>>().join(",");
    let row =
        |i: u32| (1..=10).map(|n| format!("{}", f64::from(i * n % 97) / 97.0)).collect::<Vec<_>>();
    let friedman = |row: &[String]| {
        let x: Vec<f64> = row.iter().map(|x| x.parse().unwrap()).collect();
        let curved =
            10.0 * (std::f64::consts::PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2);
        curved + 10.0 * x[3] + 5.0 * x[4]
    };
    let rows = (1..97).map(|i| format!("{},{}\n", row(i).join(","), friedman(&row(i))));
    folder.write("new.csv", format!("{header},y\n{}", rows.collect::<String>()));
    let evaluated = folder.json("regression --resume run.bpk --predict new.csv --out p.csv");
    let rmse = |json: &Value| json["rmse"].as_f64().unwrap();
    assert!(
        rmse(&trained) < 2.5 && rmse(&evaluated) < 2.0 * rmse(&trained),
        "{trained} {evaluated}"
    );
}

#[test]
fn rows_with_gaps_stay_without_a_prediction() {
    let folder = Folder::new();
    folder.json(&format!("{CLASS} --epochs 1 --save run.bpk"));
    folder.write(
        "new.csv",
        "x,y,word\n0.5,0.5,low\n,0.5,high\n0.1,NA,low\n0.5,0.5,middle\n-1,1,high\n",
    );
    let line = "classifier --resume run.bpk --predict new.csv --out p.csv";
    let json = folder.json(line);
    assert_eq!((&json["rows"], &json["predicted"]), (&json!(5), &json!(2)));
    let found = column(&folder, "p.csv", "predicted_class");
    let empty: Vec<bool> = found.iter().map(String::is_empty).collect();
    assert_eq!(empty, [false, true, true, true, false]);
    assert_eq!(column(&folder, "p.csv", "word"), ["low", "high", "low", "middle", "high"]);
    let text = String::from_utf8(folder.run(line).stdout).unwrap();
    for note in ["`x` is missing", "`y` is missing", "`word` is a word that training did not meet"]
    {
        assert!(text.contains(&format!("1 row is not predicted: {note}")), "{text}");
    }
}

/// Images of two pixels, the first of which says the class, but for one in seven.
fn write_images(folder: &Folder, name: &str, count: u8) {
    let labels: Vec<u8> = (0..count).map(|i| 3 + i % 2).collect();
    let wrong = |i: u8| u8::from(i.is_multiple_of(7));
    let pixels = (0..count).flat_map(|i| [200 * ((i + wrong(i)) % 2), i]).collect::<Vec<_>>();
    let images = [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 2], &pixels[..]].concat();
    folder.write(&format!("{name}-images-idx3-ubyte"), images);
    let labels = [&[0, 0, 8, 1, 0, 0, 0, count], &labels[..]].concat();
    folder.write(&format!("{name}-labels-idx1-ubyte"), labels);
}

#[test]
fn images_are_predicted_as_training_evaluated_them() {
    let folder = Folder::new();
    write_images(&folder, "train", 120);
    write_images(&folder, "t10k", 80);
    for how in [
        "--schedule cosine --warmup 3",
        "--ema 0.8 --accumulate 3",
        "--optimizer nesterov --schedule one_cycle",
        "--optimizer schedule_free_adamw --schedule rex",
        "--optimizer asgd",
    ] {
        let line = format!("classifier --data . --hidden 4 --epochs 3 --lr 0.05 {how}");
        let trained = folder.json(&format!("{line} --save run.bpk"));
        let images = "t10k-images-idx3-ubyte";
        folder.json(&format!("classifier --resume run.bpk --predict {images} --out p.csv"));
        let found = column(&folder, "p.csv", "predicted_label");
        let sure = numbers(&column(&folder, "p.csv", "probability"));
        assert_eq!(found.len(), 80);
        let loss = found.iter().zip(sure).enumerate().map(|(row, (found, sure))| {
            let right = *found == (3 + row % 2).to_string();
            -(if right { sure } else { 1.0 - sure }).ln()
        });
        let (loss, expected) = (loss.sum::<f64>() / 80.0, trained["test_loss"].as_f64().unwrap());
        assert!((loss - expected).abs() < 2e-3, "{how}: {loss} {expected}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = Folder::new();
    folder.json(&format!("{NUMBER} --epochs 1 --save run.bpk"));
    folder.write("lacks.csv", "x,y,word\n1,2,low\n");
    folder.write("text.csv", "x,y,word,class\n1,many,low,in\n");
    folder.write("far.csv", "x,y,word,class\n1e300,0,low,in\n");
    folder.write("again.csv", "x,y,word,class,predicted_z\n1,2,low,in,3\n");
    folder.write("empty.csv", "");
    for (flags, expected) in [
        ("--predict lacks.csv --out p.csv", "lacks.csv: there is no column `class`"),
        ("--predict text.csv --out p.csv", "`y` must be a number, and is `many` in line 2"),
        ("--predict far.csv --out p.csv", "`x` cannot be standardised: `1e300` in line 2"),
        ("--predict again.csv --out p.csv", "a column `predicted_z` already"),
        ("--predict empty.csv --out p.csv", "empty.csv is empty"),
        ("--predict nowhere.csv --out p.csv", "cannot read nowhere.csv"),
        ("--predict . --out p.csv", "is a folder"),
        ("--predict data.csv --out data.csv", "name the same file"),
        ("--predict data.csv --out run.bpk", "name the same file"),
        ("--predict data.csv --out text.csv", "a file without predictions"),
        ("--predict data.csv --out data.csv/p.csv", "cannot write"),
        ("--predict data.csv", "--out"),
        ("--predict data.csv --out p.csv --epochs 3", "cannot be used with"),
        ("--predict data.csv --out p.csv --data data.csv", "cannot be used with"),
        ("--predict data.csv --out p.csv --find-lr", "cannot be used with"),
    ] {
        folder.refused(&format!("regression --resume run.bpk {flags}"), expected);
    }
    folder.refused("regression --predict data.csv --out p.csv", "--resume");
    folder.refused("classifier --resume run.bpk --predict data.csv --out p.csv", "of `regression`");
}
