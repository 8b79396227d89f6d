//! Every trajectory file there is, in the repository and where the reference trajectories are.

use burn_descent_golden::{Case, Error, OptimizerFile, Skip, setting, traces, traces_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The folders to look into. `BURN_DESCENT_TRACES` names the second; a folder that is not there is
/// left out.
fn folders() -> Vec<PathBuf> {
    let elsewhere = std::env::var_os("BURN_DESCENT_TRACES").map(PathBuf::from);
    let elsewhere = elsewhere.unwrap_or_else(|| traces_dir().join("../../../../shared/golden"));
    let mut folders = vec![traces_dir()];
    folders.extend(elsewhere.is_dir().then_some(elsewhere));
    folders
}

/// What a file holds, with its path.
static FILES: LazyLock<Vec<(PathBuf, Result<OptimizerFile, Error>)>> = LazyLock::new(|| {
    let paths = folders().into_iter().flat_map(|folder| traces(&folder).unwrap());
    paths.map(|path| (path.clone(), OptimizerFile::read(&path))).collect()
});

/// Every case, with its file and the path of that.
fn cases() -> impl Iterator<Item = (&'static Path, &'static OptimizerFile, &'static Case)> {
    let of_runs = |(path, file): &'static (PathBuf, Result<OptimizerFile, Error>)| match file {
        Ok(file) => Some((path, file)),
        Err(Error::NotOptimizer { .. }) => None,
        Err(error) => panic!("{error}"),
    };
    let files = FILES.iter().filter_map(of_runs);
    files.flat_map(|(path, file)| file.cases.iter().map(move |case| (path.as_path(), file, case)))
}

fn is_of_matrices(path: &Path) -> bool {
    path.to_string_lossy().contains("_matrix.json")
}

#[test]
fn every_file_in_the_repository_can_be_read() {
    let traces = traces(&traces_dir()).unwrap();
    assert!(traces.len() >= 25, "{traces:?}");
    for path in traces {
        let (_, file) = FILES.iter().find(|(other, _)| *other == path).unwrap();
        assert!(file.is_ok(), "{file:?}");
    }
}

#[test]
fn every_case_is_ours_or_there_is_a_reason() {
    let (mut all, mut of_matrices) = (0, BTreeMap::<String, usize>::new());
    for (path, file, case) in cases() {
        let what = match setting(file, case) {
            Ok(setting) => setting.name.to_string(),
            Err(reason @ (Skip::Differs(_) | Skip::Bf16Weights)) => reason.to_string(),
            Err(reason) => panic!("{}: case {}: {reason}", path.display(), case.id),
        };
        all += 1;
        if is_of_matrices(path) {
            *of_matrices.entry(what).or_default() += 1;
        }
    }
    println!("{all} cases; of these, of whole matrices: {of_matrices:#?}");
}

#[test]
fn every_case_has_gradients_or_evaluated_the_loss() {
    for (path, _, case) in cases() {
        let evaluated = case.evals.is_some() || case.n_evals.is_some();
        assert!(case.grads.is_some() != evaluated, "{}: {}", path.display(), case.id);
    }
}

#[test]
fn runs_of_whole_matrices_are_looked_at_more_closely() {
    for (path, _, case) in cases() {
        let looked_at = case.closeness.movement.is_finite();
        assert_eq!(looked_at, is_of_matrices(path), "{}: {}", path.display(), case.id);
    }
}

#[test]
fn a_table_of_codes_holds_no_runs() {
    for (_, file) in
        FILES.iter().filter(|(path, _)| path.ends_with("bitsandbytes__dynamic_map_matrix.json"))
    {
        assert!(matches!(file, Err(Error::NotOptimizer { .. })), "{file:?}");
    }
}
