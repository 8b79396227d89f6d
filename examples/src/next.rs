//! What to try after a first run.

use crate::task::Task;

/// Three runs that show something else, and what.
fn runs(task: Task) -> [(&'static str, &'static str); 3] {
    let data = match task {
        Task::Regression => ("--data FILE.csv --target COLUMN", "a table of your own"),
        Task::Classification => ("--data DIR --model cnn", "a folder of MNIST's files"),
    };
    [
        ("--optimizer muon --plot loss.svg", "another optimizer, and a plot"),
        data,
        ("--explain adamw", "what an optimizer computes"),
    ]
}

/// What to try after a run without arguments, in three lines.
pub fn next(task: Task) -> String {
    let program = task.program();
    let runs = runs(task);
    let lines = runs.map(|(flags, what)| format!("{program} {flags:<34}{what}"));
    format!("next:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Flags;
    use clap::Parser;

    #[test]
    fn each_run_has_flags_that_there_are() {
        for task in [Task::Regression, Task::Classification] {
            for (flags, _) in runs(task) {
                let words = core::iter::once(task.program()).chain(flags.split(' '));
                assert!(Flags::try_parse_from(words).is_ok(), "{flags}");
            }
            assert!(next(task).lines().all(|line| line.chars().count() <= 80), "{}", next(task));
        }
    }
}
