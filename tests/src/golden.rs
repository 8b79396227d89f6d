//! The optimizers go where the same optimizers of other libraries have gone.

use crate::replayer::replay_on;
use burn::tensor::DType;
use burn_descent_conformance::{Law, Subject};
use burn_descent_golden::{
    Error, OptimizerFile, Precision, ReplayError, setting, traces, traces_dir,
};
use std::sync::LazyLock;

static FILES: LazyLock<Vec<OptimizerFile>> = LazyLock::new(|| {
    let paths = traces(&traces_dir()).expect("the traces of the repository");
    let read = |path| match OptimizerFile::read(path) {
        Err(Error::NotOptimizer { .. }) => None,
        file => Some(file.expect("the traces of the repository")),
    };
    paths.iter().filter_map(|path| read(path)).collect()
});

/// The law.
pub const GOLDEN: &[Law] = &[Law {
    name: "golden",
    applies: |subject| matches!(subject.dtype, DType::F32 | DType::F64),
    check: golden,
}];

/// Every recorded trajectory of this optimizer.
fn golden(subject: &Subject) {
    let precision = if subject.dtype == DType::F64 { Precision::F64 } else { Precision::F32 };
    let (mut agree, mut failures) = (0, Vec::new());
    for file in FILES.iter() {
        for case in &file.cases {
            let Ok(setting) = setting(file, case) else { continue };
            if setting.name != subject.name() {
                continue;
            }
            match replay_on(&subject.device, precision, case, &setting) {
                Ok(outcome) if outcome.agrees() => agree += 1,
                Ok(outcome) => {
                    let error = outcome.max_error;
                    failures.push(format!("{} {}: off by {error:e}", file.library, case.id));
                }
                Err(ReplayError::Skip(_)) => {}
                Err(error) => failures.push(format!("{} {}: {error}", file.library, case.id)),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(agree >= 5, "only {agree} trajectories of {}", subject.name());
}
