//! What `speed` and `replay` say where there is nothing to do.

use std::fs;
use std::process::Command;

/// Status and standard error of a program.
fn run(program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn nothing_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nothing.json");
    fs::write(&file, "{}").unwrap();
    let (status, error) = run(env!("CARGO_BIN_EXE_replay"), &[file.to_str().unwrap()]);
    assert_eq!(status, Some(2));
    assert!(error.contains("there is no case of an optimizer in these files"), "{error}");

    let flags = ["--list", "few", "--steps", "1", "--through", "floor"];
    let (status, error) = run(env!("CARGO_BIN_EXE_speed"), &flags);
    assert_eq!(status, Some(2));
    assert!(error.contains("there is nothing to time"), "{error}");
}

/// A reader that has read enough is no fault; a disk that is full is one.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_told() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut speed = Command::new(env!("CARGO_BIN_EXE_speed"));
    let output = speed.arg("--print-lists").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: the standard output cannot be written"), "{error}");
}
