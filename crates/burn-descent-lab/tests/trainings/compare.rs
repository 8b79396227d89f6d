//! `lab compare`.

use crate::folder::Folder;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const LINE: &str = "compare --data data.csv --target class --hidden 8 --batch-size 32 --epochs 2 \
                    --optimizers sgd,adam:beta2=0.99 --trials 4 --seeds 6 --tune momentum=0.5..0.95";

/// All that does not depend on the clock.
fn without_times(mut found: Value) -> Value {
    for trial in found["trials"].as_array_mut().unwrap() {
        for epoch in trial["epochs"].as_array_mut().unwrap() {
            epoch["seconds"] = Value::Null;
        }
    }
    for standing in found["contest"]["standings"].as_array_mut().unwrap() {
        standing["seconds"] = Value::Null;
    }
    found
}

#[test]
fn every_optimizer_has_the_same_budget_and_every_trial_a_line() {
    let folder = Folder::new();
    let found = folder.json(&format!("{LINE} --out found"));
    let trials = found["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 2 * (4 + 6));
    let tuned = |name: &str| {
        trials.iter().filter(|trial| trial["optimizer"] == name && trial["phase"] == "tune").count()
    };
    assert_eq!((tuned("sgd"), tuned("adam:beta2=0.99")), (4, 4));
    // Momentum is an option of one of them.
    assert!(trials.iter().all(|trial| {
        let options = trial["options"].as_array().unwrap();
        if trial["optimizer"] == "sgd" { options[0][0] == "momentum" } else { options.is_empty() }
    }));
    let lines = folder.read("found/trials.jsonl");
    assert_eq!(lines.lines().count(), 1 + trials.len());
    assert_eq!(found["contest"]["standings"].as_array().unwrap().len(), 2);
    assert_eq!(found["contest"]["pairs"].as_array().unwrap().len(), 1);
    for name in ["learning-rates", "curves"] {
        assert!(folder.path("found").join(name).with_extension("png").exists());
    }
    // Done is done, and the same arguments are answered from the file.
    let again = folder.json(&format!("{LINE} --out found"));
    assert_eq!(again, found);
    assert_eq!(folder.read("found/trials.jsonl"), lines);
}

#[test]
fn a_killed_comparison_goes_on_and_ends_as_one_that_never_stopped() {
    let folder = Folder::new();
    let whole = folder.json(&format!("{LINE} --out whole"));
    let mut run = folder.command(&format!("{LINE} --out run"));
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lines = || std::fs::read_to_string(folder.path("run/trials.jsonl")).unwrap_or_default();
    while lines().lines().count() < 4 {
        assert!(run.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    // As if the last line had been cut off while it was written.
    let before = lines();
    folder.write("run/trials.jsonl", &before[..before.len() - 5]);
    let kept = before.lines().count() - 1;
    let rest = folder.json(&format!("{LINE} --out run"));
    assert_eq!(without_times(rest), without_times(whole));
    let after = lines();
    let same = before.lines().zip(after.lines()).take_while(|(a, b)| a == b).count();
    assert!(same >= kept, "what was done is not done again");
}

#[test]
fn other_arguments_are_refused_in_the_same_folder() {
    let folder = Folder::new();
    let line = "compare --data data.csv --target z --task regression --hidden none --epochs 1 \
                --optimizers sgd,adam --trials 1 --seeds 1 --out found";
    folder.done(line);
    let kept = folder.read("found/trials.jsonl");
    folder.refused(&format!("{line} --batch-size 16"), "batch_size \"32\", not \"16\"");
    folder.refused(&line.replace("--seeds 1", "--seeds 2"), "seeds 1, not 2");
    folder.refused(&line.replace("sgd,adam", "sgd,lion"), "optimizers");
    assert_eq!(folder.read("found/trials.jsonl"), kept);
    // What only looks at the trials may change.
    folder.done(&format!("{line} --within 0.1 --reach 0.5"));
}

#[test]
fn what_diverges_is_a_row_and_too_few_seeds_are_said() {
    let folder = Folder::new();
    let line = "compare --data data.csv --target z --task regression --hidden 8 --epochs 2 \
                --optimizers sgd,adam --trials 2 --seeds 2 --tune sgd.lr=1e20..1e30:log";
    let output = folder.run(line);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("all diverged") && text.contains("2 of 2"), "{text}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("it takes --seeds 6"), "{errors}");
    assert!(folder.done("compare --help").contains("3 optimizers 7"));
}

/// What the README compares could come out with a winner.
#[test]
fn the_seeds_of_the_readme_are_enough() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.split_once("--bin lab -- compare "));
    let lines: Vec<&str> = lines.map(|(_, flags)| flags).collect();
    assert!(!lines.is_empty());
    for flags in lines {
        let mut words: Vec<&str> = flags.split_whitespace().collect();
        let out = words.iter().position(|word| *word == "--out").unwrap();
        words.drain(out..out + 2);
        let task = "--data data.csv --target class --hidden none --epochs 1";
        let output = Folder::new().run(&format!("compare {} {task}", words.join(" ")));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && !errors.contains("it takes --seeds"), "{errors}");
    }
}

#[test]
fn bad_input_is_one_line() {
    let folder = Folder::new();
    for (line, expected) in [
        ("compare --task clasifier", "classifier"),
        ("compare --optimizers adam,adamv", "did you mean `adam`?"),
        ("compare --optimizers adam,adam", "twice"),
        ("compare --tune beta1=0.9", "OPTION=LOW..HIGH"),
        ("compare --optimizers sgd --tune beta1=0.5..0.9", "no optimizer that is compared"),
        ("compare --optimizers adam --tune beta1=0.5..1.5", "beta1 = 1.5 is not allowed"),
        ("compare --lr-span 1", "greater than 1"),
        ("compare --reach 5", "1 at most"),
        ("compare --reach NaN", "1 at most"),
        ("compare --within -1", "greater than 0"),
        ("compare --budget 0", "greater than 0"),
        ("compare --schedule cosin", "did you mean `cosine`?"),
        ("compare --data data.csv", "--target COLUMN is missing"),
        ("compare --data data.csv --target class --out data.csv", "it is a file"),
    ] {
        folder.refused(line, expected);
    }
}
