//! The optimizers go where the same optimizers of other libraries have gone.

use crate::checked::confirm;
use crate::replayer::{Engine, replay_on};
use burn::tensor::DType;
use burn_descent_conformance::{About, Law, Subject};
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
    about: About::Rule,
    applies: |s| matches!(s.dtype, DType::F32 | DType::F64) && !s.multiplies_in_tf32(),
    check: golden,
}];

/// Optimizers of which fewer than five runs have been recorded, and how many have been.
const FEW: &[(&str, usize)] = &[
    ("adam_mini", 4),
    ("adamh", 2),
    // Recorded in f64 alone.
    ("dion2", 0),
    ("nero", 2),
    // The others are recorded with random numbers, or with signs of singular vectors: slices replay those.
    ("apollo", 0),
    ("dash", 3),
    ("galore", 4),
    ("kron", 0),
    ("psgd_pro", 0),
    // No library's run is recorded. Their limits are known, and tests beside their texts: momentum, Nesterov's step and
    // AdamW; the authors' three points, slowly.
    ("gpa_adamw", 0),
    ("schedule_free_plus", 0),
];

/// Every recorded trajectory of this optimizer, by the engine of the device; where steps are cheap,
/// by tensor operations too.
fn golden(subject: &Subject) {
    let precision = if subject.dtype == DType::F64 { Precision::F64 } else { Precision::F32 };
    let engines: &[Engine] = match subject.on_cpu && !subject.candidate.sees_whole() {
        true => &[Engine::Own, Engine::Portable],
        false => &[Engine::Own],
    };
    let (mut agree, mut failures) = (0, Vec::new());
    for file in FILES.iter() {
        for case in &file.cases {
            let Ok(setting) = setting(file, case) else { continue };
            if setting.name != subject.name() {
                continue;
            }
            let mut fail =
                |what: String| failures.push(format!("{} {}: {what}", file.library, case.id));
            for &engine in engines {
                match replay_on(&subject.device, engine, precision, case, &setting) {
                    Ok(outcome) if outcome.agrees() => agree += usize::from(engine == Engine::Own),
                    Ok(outcome) => fail(format!("{engine:?}: off by {:e}", outcome.max_error)),
                    Err(ReplayError::Skip(_)) => {}
                    Err(error) => fail(error.to_string()),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let name = if precision == Precision::F64 { "f64" } else { "f32" };
    confirm(subject.device_name, subject.name(), name, agree);
    let few = FEW.iter().find(|(name, _)| *name == subject.name());
    let least = few.map_or(5, |(_, count)| *count);
    assert!(agree >= least, "only {agree} trajectories of {}", subject.name());
}
