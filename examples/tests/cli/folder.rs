//! Running the programs in a folder of their own.

use burn_pack::{Reader, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The scalars of a file as text, and its tensors by name.
pub(crate) type Tensors = (String, BTreeMap<String, (String, Vec<u8>)>);

/// A folder to run programs in.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With a small table in `data.csv`: two numbers, a word, a class and a number that follow.
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let row = |i: u32| {
            let (x, y) =
                (f64::from(i * 37 % 101) / 50.0 - 1.0, f64::from(i * 53 % 97) / 48.0 - 1.0);
            let (word, class) =
                (["low", "high"][usize::from(x > 0.0)], ["in", "out"][usize::from(x * y > 0.0)]);
            format!("{x},{y},{word},{class},{}\n", x * y + 0.5 * x)
        };
        let rows: String = (1..=160).map(row).collect();
        folder.write("data.csv", format!("x,y,word,class,z\n{rows}"));
        folder
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Everything that a file of burn's container holds beside the note of a run, which has times in
    /// it.
    pub(crate) fn tensors(&self, name: &str) -> Tensors {
        let reader = Reader::from_file_exact(self.path(name)).unwrap();
        let scalars = format!("{:?}", reader.scalars());
        let tensor = |tensor: Tensor| {
            let (name, dtype, shape, _, bytes) = tensor.into_parts().unwrap();
            (name, (format!("{dtype:?} {shape}"), bytes.to_vec()))
        };
        (scalars, reader.into_tensors().unwrap().into_iter().map(tensor).collect())
    }

    /// Everything in it.
    pub(crate) fn listing(&self) -> BTreeSet<String> {
        let names = |dir| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        names(self.0.path()).map(name).collect()
    }

    /// Runs a command line that begins with the name of a program.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// A command line that begins with the name of a program.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let program = match words.next() {
            Some("regression") => env!("CARGO_BIN_EXE_regression"),
            #[cfg(feature = "train")]
            Some("learner") => env!("CARGO_BIN_EXE_learner"),
            _ => env!("CARGO_BIN_EXE_classifier"),
        };
        let mut command = Command::new(program);
        command.args(words).current_dir(self.0.path());
        command
    }

    /// Runs a command line with `--json`: the object on its last line.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let output = self.run(&format!("{line} --json"));
        let (text, errors) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        assert!(output.status.success(), "{line}: {}", errors.unwrap());
        serde_json::from_str(text.unwrap().lines().last().unwrap()).unwrap()
    }

    /// Runs a command line that must be refused: in one line, with status 2, writing nothing.
    pub(crate) fn refused(&self, line: &str, expected: &str) {
        let before = self.listing();
        let output = self.run(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line}: {errors}");
        assert_eq!(self.listing(), before, "{line}");
    }
}
