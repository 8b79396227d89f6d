//! Files of whole-matrix methods: problems of their own, and more fields.

mod made_up;

use burn_descent_golden::{
    Closeness, Draw, Dtype, Error, MOVEMENT_TOLERANCE, OptimizerFile, ProblemsFile, Projector,
};
use made_up::{file, folder, read};
use serde_json::{Value, json};

/// A problem of two tensors and three steps.
fn net() -> Value {
    json!({
        "init": [[1, 2], [3]], "shapes": [[2], [1]], "T": 3, "names": ["weight", "bias"],
        "G": [[[1, 2], [3]], [[4, 5], [6]], [[7, 8], ["inf"]]], "losses": [3, 2, 1],
    })
}

fn problems(problem: Value) -> Vec<u8> {
    json!({"set": "other", "problems": {"net": problem}}).to_string().into_bytes()
}

/// A case that follows it for two steps, and these fields replaced.
fn case(changes: Value) -> Vec<u8> {
    let mut case = json!({
        "id": "sgd/0/net", "problem": "net", "shapes": [[2], [1]], "init": [[1, 2], [3]],
        "grads": null, "params": [[[1, 1], [1]]],
    });
    case.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    file(case)
}

/// Reads this case of a whole-matrix method beside its problem.
fn follow(name: &str, changes: Value) -> Result<OptimizerFile, Error> {
    let files = [("x_matrix.json", case(changes)), ("problems_matrix.json", problems(net()))];
    OptimizerFile::read(&folder(name, &files).join("x_matrix.json"))
}

#[test]
fn gradients_names_and_losses_are_those_of_the_problem() {
    let file = follow("matrix_problem", json!({})).unwrap();
    let case = &file.cases[0];
    assert_eq!(case.grads.as_ref().unwrap()[1], [vec![4.0, 5.0], vec![6.0]]);
    assert_eq!(case.names.as_ref().unwrap(), &["weight", "bias"]);
    assert_eq!(case.losses.as_ref().unwrap(), &[3.0, 2.0, 1.0]);

    let own = json!({"names": ["wte", "head"], "losses": [9, 8]});
    let file = follow("matrix_own", own).unwrap();
    let case = &file.cases[0];
    assert_eq!(case.names.as_ref().unwrap(), &["wte", "head"]);
    assert_eq!(case.losses.as_ref().unwrap(), &[9.0, 8.0]);
}

#[test]
fn a_problem_says_where_it_starts_and_how_long_it_is() {
    let file: ProblemsFile = serde_json::from_slice(&problems(net())).unwrap();
    let problem = &file.problems["net"];
    assert_eq!((&file.set[..], problem.steps), ("other", Some(3)));
    assert_eq!(problem.shapes, [[2], [1]]);
    assert_eq!(problem.init.as_ref().unwrap(), &[vec![1.0, 2.0], vec![3.0]]);
    assert_eq!(problem.names.as_ref().unwrap()[0], "weight");
    assert!(problem.gradients.as_ref().unwrap()[2][1][0].is_infinite());
}

#[test]
fn the_name_of_a_file_says_where_its_problems_are() {
    for (trajectory, problems_of, other) in [
        ("x_matrix.json", "problems_matrix.json", "problems.json"),
        ("x.json", "problems.json", "problems_matrix.json"),
    ] {
        let files = |problem| [(trajectory, case(json!({}))), (problem, problems(net()))];
        let read = |problem| {
            OptimizerFile::read(&folder("matrix_names", &files(problem)).join(trajectory))
        };
        assert!(read(problems_of).is_ok());
        let error = read(other).unwrap_err();
        assert!(matches!(error, Error::MissingProblems { .. }), "{error}");
        assert!(error.to_string().contains(problems_of), "{error}");
    }
}

#[test]
fn the_repository_has_the_problems_of_its_set() {
    let gradients = |set: &str, name: &str| {
        let row = [0; 16];
        let mut whole: Value = serde_json::from_slice(&file(json!({
            "problem": "row", "shapes": [[1, 16]], "init": [row], "params": [[row]],
            "grads": null,
        })))
        .unwrap();
        whole["set"] = json!(set);
        let whole = whole.to_string().into_bytes();
        OptimizerFile::read(&folder("matrix_set", &[(name, whole)]).join(name))
    };
    let file = gradients("visible", "x_matrix.json").unwrap();
    assert_eq!(file.cases[0].grads.as_ref().unwrap().len(), 20);
    assert!(gradients("visible", "x.json").is_err());
    assert!(gradients("hidden", "x_matrix.json").is_err());
}

#[test]
fn a_gradient_is_one_list_or_one_for_each_tensor() {
    let read = |gradients: Value| -> Result<ProblemsFile, _> {
        let file = json!({"set": "", "problems": {"net": {"G": gradients, "X": [1]}}});
        serde_json::from_value(file)
    };
    let gradients = |file: ProblemsFile| file.problems["net"].gradients.clone().unwrap();
    let flat = gradients(read(json!([[1, 2], [3, "nan"]])).unwrap());
    assert_eq!(flat[0], [[1.0, 2.0]]);
    assert!(flat[1][0][1].is_nan());
    let nested = gradients(read(json!([[[1, 2]], [[3, 4]]])).unwrap());
    assert_eq!(nested, [[[1.0, 2.0]], [[3.0, 4.0]]]);
    for wrong in [json!([1, 2]), json!([[["one"]]]), json!([[1, [2]]])] {
        let error = read(wrong.clone()).unwrap_err().to_string();
        assert!(error.contains("the numbers of one tensor"), "{wrong}: {error}");
    }
}

#[test]
fn what_only_some_files_have_is_read() {
    let changes = json!({
        "draws": [{"step": 1, "fn": "randn", "shape": [1, 2], "values": [0.5, -0.25]}],
        "projectors": [{"step": 0, "tensor": 0, "shapes": [[1, 2]], "values": [[1, 0]]}],
        "attention_max_logits": [[1, 2], [3, 4]],
        "aux": {"d": [[0.5]]},
    });
    let case = follow("matrix_extras", changes).unwrap().cases.remove(0);
    assert_eq!(case.dtype, Dtype::F64);
    let draw =
        Draw { step: 1, function: "randn".into(), shape: vec![1, 2], values: vec![0.5, -0.25] };
    assert_eq!(case.draws, [draw]);
    let basis =
        Projector { step: 0, tensor: 0, shapes: vec![vec![1, 2]], values: vec![vec![1.0, 0.0]] };
    assert_eq!(case.projectors, [basis]);
    assert_eq!(case.attention_max_logits.unwrap()[1], [3.0, 4.0]);
    assert_eq!(case.aux["d"], [[0.5]]);
}

#[test]
fn weights_in_bf16_and_their_states_are_read() {
    let state = json!({"m": {"dtype": "bf16", "record": [1], "values": [[[0, 0], [0.5]]]}});
    let init = json!([[1, 2], [3]]);
    let changes = json!({"dtype": "bf16", "init_bf16": init, "state_bf16": state});
    let case = follow("matrix_bf16", changes).unwrap().cases.remove(0);
    assert_eq!((case.dtype, case.init_bf16.as_ref()), (Dtype::Bf16, Some(&case.init)));
    assert_eq!(case.state_bf16["m"].record, [1]);
    assert_eq!(case.state_bf16["m"].values[0][1], [0.5]);
}

#[test]
fn evaluations_of_the_loss_are_read() {
    let evals = json!([[{"x": [[1, 2]], "loss": "inf", "grad": [[0, 1]]}], []]);
    let case = read("matrix_evals", file(json!({"grads": null, "evals": evals}))).unwrap();
    let case = &case.cases[0];
    assert!(case.grads.is_none());
    let first = &case.evals.as_ref().unwrap()[0][0];
    assert_eq!(
        (&first.x, first.loss, &first.grad),
        (&case.init, f64::INFINITY, &vec![vec![0.0, 1.0]])
    );
}

#[test]
fn a_case_that_contradicts_itself_is_named() {
    let state = |record: Value, values: Value| json!({"m": {"dtype": "bf16", "record": record, "values": values}});
    for (field, changes) in [
        ("names", json!({"names": ["weight"]})),
        ("losses", json!({"losses": []})),
        ("grads", json!({"steps": 4})),
        ("draws", json!({"draws": [{"step": 2, "fn": "randn", "shape": [1], "values": [1]}]})),
        ("draws", json!({"draws": [{"step": 1, "fn": "randn", "shape": [2], "values": [1]}]})),
        (
            "projectors",
            json!({"projectors": [{"step": 0, "tensor": 2, "shapes": [], "values": []}]}),
        ),
        (
            "projectors",
            json!({"projectors": [{"step": 2, "tensor": 0, "shapes": [], "values": []}]}),
        ),
        (
            "projectors",
            json!({"projectors": [{"step": 0, "tensor": 0, "shapes": [[1]], "values": []}]}),
        ),
        ("attention_max_logits", json!({"attention_max_logits": [[1]]})),
        ("aux", json!({"aux": {"d": [[1], [2]]}})),
        ("init_bf16", json!({"dtype": "bf16"})),
        ("init_bf16", json!({"dtype": "bf16", "init_bf16": [[1, 2]]})),
        ("state_bf16.m", json!({"state_bf16": state(json!([3]), json!([[[0, 0], [0]]]))})),
        ("state_bf16.m", json!({"state_bf16": state(json!([1]), json!([[[0, 0]]]))})),
        ("evals.grad", json!({"evals": [[{"x": [[1, 2], [3]], "loss": 0, "grad": []}]]})),
    ] {
        let error = follow("matrix_inconsistent", changes.clone()).unwrap_err();
        assert!(matches!(error, Error::Inconsistent { .. }), "{changes}: {error}");
        let text = error.to_string();
        assert!(text.contains("sgd/0/net") && text.contains(field), "{changes}: {error}");
    }
}

#[test]
fn a_field_of_another_type_is_named_with_the_place() {
    for changes in [
        json!({"dtype": "f8"}),
        json!({"names": [1, 2]}),
        json!({"draws": [{"step": 0, "shape": [1], "values": [1]}]}),
        json!({"projectors": {"step": 0}}),
        json!({"aux": {"d": [1]}}),
        json!({"evals": 3}),
        json!({"steps": null}),
    ] {
        let error = follow("matrix_types", changes.clone()).unwrap_err();
        let expected = match changes.get("steps") {
            Some(_) => matches!(error, Error::NotOptimizer { .. }),
            None => matches!(error, Error::Json { .. }),
        };
        assert!(expected, "{changes}: {error}");
        assert!(error.to_string().contains("x_matrix.json"), "{changes}: {error}");
    }
}

#[test]
fn a_file_whose_cases_are_no_runs_says_so() {
    let codes = json!({
        "library": "bitsandbytes", "optimizer": "dynamic_map", "set": "visible",
        "cases": [{"id": "dynamic_map/signed", "code": [0, 1], "blocksize": 256}],
    });
    let error = read("matrix_codes", codes.to_string().into_bytes()).unwrap_err();
    assert!(matches!(error, Error::NotOptimizer { .. }), "{error}");
    assert!(error.to_string().contains("cases without steps"), "{error}");
}

#[test]
fn a_few_references_are_followed_less_closely() {
    let closeness = |library: &str, optimizer: &str, hyper: Value, name: &str| {
        let mut whole: Value = serde_json::from_slice(&file(json!({"hyper": hyper}))).unwrap();
        whole["library"] = json!(library);
        whole["optimizer"] = json!(optimizer);
        let files = [(name, whole.to_string().into_bytes())];
        OptimizerFile::read(&folder("matrix_close", &files).join(name)).unwrap().cases[0].closeness
    };
    let usual = Closeness { movement: MOVEMENT_TOLERANCE, ..Closeness::default() };
    let lamb = |pre_norm: bool, name| {
        closeness("pytorch_optimizer", "lamb", json!({"pre_norm": pre_norm}), name)
    };
    assert_eq!(lamb(false, "x_matrix.json"), usual);
    assert_eq!(lamb(true, "x_matrix.json"), Closeness { relative: 1e-4, movement: 1e-4, ..usual });
    let lamb = lamb(true, "x.json");
    assert_eq!((lamb.relative, lamb.movement), (1e-4, f64::INFINITY));
    assert_eq!(closeness("timm", "lamb", json!({"pre_norm": true}), "x_matrix.json"), usual);
    let dash = closeness("pytorch_optimizer", "dash_patched", json!({}), "x_matrix.json");
    assert_eq!(dash, Closeness { relative: 1e-8, narrow: 9e-5, movement: 1e-8 });
}
