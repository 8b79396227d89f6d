//! Running the program in a folder of its own.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder to run the program in.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With a small table in `data.csv`: two numbers, and a class and a number that follow.
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let row = |i: u32| {
            let (x, y) =
                (f64::from(i * 37 % 101) / 50.0 - 1.0, f64::from(i * 53 % 97) / 48.0 - 1.0);
            let class = ["in", "out"][usize::from(x + 0.3 * y > 0.0)];
            format!("{x},{y},{class},{}\n", x - 0.5 * y)
        };
        let rows: String = (1..=160).map(row).collect();
        folder.write("data.csv", &format!("x,y,class,z\n{rows}"));
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `lab` with the words of a line.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// `lab` with the words of a line.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command
    }

    /// Runs a line with `--json`: its object.
    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} --json"))).unwrap()
    }

    /// Runs a line that must succeed: what it printed.
    pub(crate) fn done(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a line that must be refused: in one line, with status 2.
    pub(crate) fn refused(&self, line: &str, expected: &str) {
        let output = self.run(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line}: {errors}");
    }
}
