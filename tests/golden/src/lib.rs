//! Reference trajectories of other libraries, and what each of their optimizers is called here.
//!
//! A *trajectory file* holds runs ("cases") of one optimizer of one library: where the parameters
//! started, the gradient of every step, and where the parameters were after some of the steps. To
//! replay one,
//!
//! 1. read it: [`OptimizerFile::read`];
//! 2. ask which optimizer of ours it is, with which options: [`setting`], which reads [a
//!    table](LIBRARIES) and says why where there is none;
//! 3. feed the gradients to an [`Engine`] and compare: [`replay`].
//!
//! Nothing here knows burn or an update rule, so the same files hold plain slices and every device
//! to account. [`traces`] lists the files that are kept in the repository: unmodified outputs of
//! the libraries, packed with `gzip -9n`, and of the program in `oracle/`, which is none.

mod check;
mod closeness;
mod compare;
mod error;
mod mapping;
mod number;
mod problems;
mod recorded;
mod replay;
mod schedule;
mod schema;
mod shown;
mod table;

pub use closeness::{Closeness, MOVEMENT_TOLERANCE};
pub use compare::{largest_of, movement_error, relative_error};
pub use error::{BoxError, Error, Skip};
pub use mapping::{Point, Setting, setting};
pub use problems::{Problem, ProblemsFile};
pub use recorded::{Draw, Dtype, Evaluation, Projector, State};
pub use replay::{
    Engine, F32_TOLERANCE, F64_TOLERANCE, LOW_PRECISION_TOLERANCE, Outcome, Precision, ReplayError,
    replay,
};
pub use schedule::{ScheduleCase, ScheduleFile};
pub use schema::{Case, OptimizerFile, Step, Tensor};
pub use table::{Aside, Condition, LIBRARIES, Listed, Meaning, Ours, Row};

use std::path::{Path, PathBuf};

/// The folder of the trajectory files that are kept in the repository.
pub fn traces_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces")
}

/// Ends the names of files of methods that look past one element, and of their problems.
const MATRIX: &str = "_matrix";

/// The trajectory files of a folder, such as [`traces_dir`], in alphabetical order: every `.json`
/// and `.json.gz` but those of problems and the [`schedules`].
///
/// # Errors
/// [`Error::Read`] if the folder cannot be listed.
pub fn traces(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    files(folder, |stem| !problems::STEMS.contains(&stem) && !schedule::STEMS.contains(&stem))
}

/// The files of a folder that hold schedules, to be read as a [`ScheduleFile`], in alphabetical
/// order.
///
/// # Errors
/// [`Error::Read`] if the folder cannot be listed.
///
/// ```
/// use burn_descent_golden::{ScheduleFile, schedules, traces_dir};
///
/// for path in schedules(&traces_dir())? {
///     let file = ScheduleFile::read(&path)?;
///     println!("{}: {} schedules", file.library, file.cases.len());
/// }
/// # Ok::<(), burn_descent_golden::Error>(())
/// ```
pub fn schedules(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    files(folder, |stem| schedule::STEMS.contains(&stem))
}

/// The `.json` and `.json.gz` of a folder whose name without that is wanted.
fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { file: folder.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if stem(&path).is_some_and(&wanted) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The name of a `.json` or `.json.gz` without that.
fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".json.gz").or_else(|| name.strip_suffix(".json"))
}

/// Are the runs of this file of methods that look past one element?
fn is_of_matrices(path: &Path) -> bool {
    stem(path).is_some_and(|stem| stem.ends_with(MATRIX))
}
