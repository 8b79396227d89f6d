//! A run that is made up, without a file.

use burn_descent_golden::Case;
use serde_json::{Value, json};

/// A case of two steps down from (1, 2), and these fields added to it.
pub(crate) fn case(changes: Value) -> Case {
    let mut case = json!({
        "id": "sgd/0/quad", "problem": "quad", "shapes": [[2]], "hyper": {},
        "steps": 2, "init": [[1, 2]], "grads": [[[1, 0]], [[0, 1]]],
        "record": [1, 2], "params": [[[0.5, 2]], [[0.5, 1.5]]],
    });
    case.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(case).unwrap()
}
