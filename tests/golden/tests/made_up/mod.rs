//! Small trajectory files that are made up.

use burn_descent_golden::{Error, OptimizerFile};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A new folder with these files in it.
pub(crate) fn folder(name: &str, files: &[(&str, Vec<u8>)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, bytes) in files {
        std::fs::write(folder.join(file), bytes).unwrap();
    }
    folder
}

/// Reads a file of these bytes, alone in its folder.
pub(crate) fn read(name: &str, bytes: Vec<u8>) -> Result<OptimizerFile, Error> {
    OptimizerFile::read(&folder(name, &[("file.json", bytes)]).join("file.json"))
}

/// A file with one case of two steps, and these fields of the case replaced; `null` removes one.
pub(crate) fn file(changes: Value) -> Vec<u8> {
    let mut case = json!({
        "id": "sgd/0/quad", "problem": "quad", "shapes": [[2]], "hyper": {"lr": 0.5},
        "steps": 2, "init": [[1.0, 2]], "grads": [[[1, 0]], [[0, 1]]],
        "record": [2], "params": [[[0.5, 1.5]]], "someday": "more",
    });
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => case.as_object_mut().unwrap().remove(key),
            value => case.as_object_mut().unwrap().insert(key.clone(), value.clone()),
        };
    }
    let file = json!({"library": "x", "optimizer": "sgd", "set": "other", "cases": [case]});
    file.to_string().into_bytes()
}
