//! What can be wrong with a trajectory file, and why one of its cases may be left out.

use std::path::PathBuf;

/// An error of any kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A file that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", .file.display())]
    Read {
        /// The file, or the folder.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not JSON, or a field has another type than it should.
    #[error("{}: is damaged or not a trajectory file, write it again: {source}", .file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file is JSON, but holds no runs of an optimizer.
    #[error(
        "{}: holds {what}, not the runs of an optimizer: \
         give a file with the fields `library`, `optimizer` and `cases`, where a case has `steps`",
        .file.display()
    )]
    NotOptimizer {
        /// The file.
        file: PathBuf,
        /// What it seems to hold.
        what: &'static str,
    },
    /// A case contradicts itself.
    #[error("{}: case {case}: {what}; write the file again", .file.display())]
    Inconsistent {
        /// The file.
        file: PathBuf,
        /// The `id` of the case.
        case: String,
        /// What does not fit.
        what: String,
    },
    /// A case takes its gradients from a file that is not there.
    #[error(
        "{}: case {case} takes its gradients from problem `{problem}` of set `{set}`: \
         put the {needs}.json of that set into the same folder",
        .file.display()
    )]
    MissingProblems {
        /// The file.
        file: PathBuf,
        /// The `id` of the case.
        case: String,
        /// The name of the problem.
        problem: String,
        /// The set of files it belongs to.
        set: String,
        /// The name of the file it is looked for in, without its extension.
        needs: &'static str,
    },
}

/// Why a case is not replayed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Skip {
    /// The table has no row for the optimizer.
    #[error("the table of golden/src/table has no row for {library} {optimizer}")]
    NoOptimizer {
        /// The library.
        library: String,
        /// Its name of the optimizer.
        optimizer: String,
    },
    /// The library computes something else, which no option of ours expresses.
    #[error("another rule: {0}")]
    Differs(&'static str),
    /// A hyper-parameter that the table does not know.
    #[error("hyper-parameter `{key}` is not in the table of {library} {optimizer}")]
    Unlisted {
        /// The library.
        library: String,
        /// Its name of the optimizer.
        optimizer: String,
        /// The hyper-parameter.
        key: String,
    },
    /// A hyper-parameter that the table needs is not in the file.
    #[error("the file does not say what `{0}` is")]
    Missing(&'static str),
    /// A hyper-parameter with a value of another kind than the table expects.
    #[error("hyper-parameter `{key}` is {value}, not {expected}")]
    Value {
        /// The hyper-parameter.
        key: String,
        /// Its value in the file.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The weights are bf16.
    #[error(
        "its weights are bf16: how they are rounded is a matter of the stores of weights, and of no \
         rule"
    )]
    Bf16Weights,
    /// The run cannot be fed with recorded gradients.
    #[error("it has no sequence of gradients: the optimizer asked for them as it went")]
    NoGradients,
    /// The file has no f32 run.
    #[error("it has no run in f32")]
    NoF32,
    /// The library could not run it in f32.
    #[error("the library failed in f32: {0}")]
    F32Failed(String),
}
