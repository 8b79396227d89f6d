//! What a file may look like, and what is said about one that cannot be used.

mod made_up;

use burn_descent_golden::{Error, OptimizerFile};
use made_up::{file, folder, read};
use serde_json::json;

#[test]
fn fields_that_are_not_known_or_not_there_are_fine() {
    let file = read("minimal", file(json!({}))).unwrap();
    let case = &file.cases[0];
    assert_eq!(case.init, [[1.0, 2.0]]);
    assert!(case.record_f32.is_none() && case.params_f32.is_none() && !case.lr_changes());
    assert!(file.version.is_empty() && file.notes.is_empty());
}

#[test]
fn numbers_may_be_infinite_or_nan() {
    let change = json!({"init": [["inf", "-inf"]], "params": [[["nan", 1e-300]]]});
    let file = read("infinite", file(change)).unwrap();
    assert_eq!(file.cases[0].init, [[f64::INFINITY, f64::NEG_INFINITY]]);
    assert!(file.cases[0].params[0][0][0].is_nan());
}

#[test]
fn a_file_may_be_packed() {
    let packed = {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gz.write_all(&file(json!({}))).unwrap();
        gz.finish().unwrap()
    };
    assert_eq!(read("packed", packed.clone()).unwrap().optimizer, "sgd");
    let error = read("half_packed", packed[..packed.len() / 2].to_vec()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}

#[test]
fn a_truncated_file_is_named_with_the_place() {
    let whole = file(json!({}));
    for len in [0, 1, whole.len() / 2, whole.len() - 1] {
        let error = read("truncated", whole[..len].to_vec()).unwrap_err();
        assert!(matches!(error, Error::Json { .. }), "{error}");
        assert!(error.to_string().contains("file.json"), "{error}");
        assert!(error.to_string().contains("line"), "{error}");
    }
}

#[test]
fn a_file_of_something_else_says_what_it_is() {
    for (what, content) in [
        ("problems", json!({"set": "visible", "problems": {}})),
        ("schedules", json!({"library": "x", "cases": [{"id": "StepLR/0", "lr": [0.1]}]})),
        ("something else", json!({"numbers": [1, 2]})),
    ] {
        let error = read("no_optimizer", content.to_string().into_bytes()).unwrap_err();
        assert!(matches!(error, Error::NotOptimizer { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    let error = OptimizerFile::read(&folder("empty", &[]).join("none.json")).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}

#[test]
fn gradients_of_a_fixed_problem_are_those_of_its_own_set() {
    let fixed = file(json!({"problem": "fixed", "grads": null}));
    let error = read("no_problems", fixed.clone()).unwrap_err();
    assert!(matches!(error, Error::MissingProblems { .. }), "{error}");
    assert!(error.to_string().contains("problems.json"), "{error}");

    let problems = json!({"set": "other", "problems": {"fixed": {"G": [[1, 2], [3, 4], [5, 6]]}}});
    let files = [("file.json", fixed), ("problems.json", problems.to_string().into_bytes())];
    let path = folder("problems", &files).join("file.json");
    let file = OptimizerFile::read(&path).unwrap();
    assert_eq!(file.cases[0].grads.as_ref().unwrap()[1], [[3.0, 4.0]]);
}

#[test]
fn a_case_that_contradicts_itself_is_named() {
    for (field, change) in [
        ("init", json!({"init": [[1]]})),
        ("init", json!({"shapes": [[2], [3]]})),
        ("init", json!({"shapes": [[usize::MAX, 2]]})),
        ("grads", json!({"grads": [[[1, 0]]]})),
        ("grads", json!({"grads": [[[1, 0]], [[0]]]})),
        ("lr_sequence", json!({"lr_sequence": [0.1]})),
        ("params", json!({"record": [1, 2]})),
        ("params", json!({"record": [3]})),
        ("params", json!({"record": [], "params": []})),
        ("params_f32", json!({"record_f32": [0], "params_f32": [[[0, 0]]]})),
    ] {
        let error = read("inconsistent", file(change.clone())).unwrap_err();
        assert!(matches!(error, Error::Inconsistent { .. }), "{change}: {error}");
        let text = error.to_string();
        assert!(text.contains("sgd/0/quad") && text.contains(field), "{change}: {error}");
    }
}
