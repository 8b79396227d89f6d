//! Methods that move the weights themselves.

use crate::folder::Folder;
use burn_descent::registry::SEARCHES;

const LINE: &str = "regression --data data.csv --target z --hidden none --batch-size all";

#[test]
fn each_gets_down_and_goes_on_from_a_save() {
    let folder = Folder::new();
    for row in SEARCHES {
        let line = format!("{LINE} --optimizer {} --set max_iter=5", row.name);
        let whole = folder.json(&format!("{line} --epochs 4"));
        assert_eq!((whole["optimizer"].as_str(), &whole["steps"]), (Some(row.name), &4.into()));
        folder.json(&format!("{line} --epochs 2 --save run.bpk --log steps.csv"));
        let resumed = folder.json("regression --resume run.bpk --epochs 4");
        assert_eq!(whole["train_loss"], resumed["train_loss"], "{}", row.name);
        let log = std::fs::read_to_string(folder.path("steps.csv")).unwrap();
        assert!(log.starts_with("step,") && log.contains(",evaluations,stop,"), "{log}");
    }
}

#[test]
fn what_a_search_cannot_do_is_said() {
    let folder = Folder::new();
    for (flags, what) in [
        ("--find-lr", "finds the lengths of its steps itself"),
        ("--explain", "is no optimizer"),
        ("--state bf16", "--state"),
        ("--weights bf16-kahan", "--weights"),
        ("--clip-norm 1", "clip_norm"),
        ("--accumulate 2", "accumulate"),
        ("--mechanic", "mechanic"),
        ("--set history=3", "did you mean `history_size`?"),
    ] {
        let output = folder.run(&format!("{LINE} --optimizer lbfgs {flags}"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags}: {error}");
        assert!(error.contains(what) && error.lines().count() == 1, "{flags}: {error}");
    }
}
