//! Every schedule says what the same one of another library says, and keeps its promises.
//!
//! `BURN_DESCENT_TRACES` names another folder of files to compare with instead of the one in the
//! repository. `cargo test --test schedules -- --nocapture` prints what was compared.

mod given;
mod libraries;
mod promises;

use burn_descent_golden::{
    ScheduleCase, ScheduleFile, largest_of, relative_error, schedules, traces_dir,
};
use burn_descent_rules::schedules::Schedule;
use given::Given;
use libraries::Ours;
use std::collections::BTreeMap;
use std::path::PathBuf;

type Any = Box<dyn Schedule>;

/// The largest [`error`] allowed.
const TOLERANCE: f64 = 1e-12;

/// What a schedule says at each of the first steps.
fn series(schedule: &Any, len: usize) -> Result<Vec<f64>, String> {
    schedule.check().map_err(|error| error.to_string())?;
    Ok((0..len as u64).map(|step| schedule.at(step)).collect())
}

/// The largest error of a step, relative to the reference at that step, or to a 10 000th of its
/// largest value if that is more: PyTorch comes to the 2e-6 at the end of a cycle as 0.5 − 0.499998,
/// which rounds it to 12 digits.
fn error(ours: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(ours.len(), reference.len());
    let floor = 1e-4 * largest_of(reference);
    let steps = ours.iter().zip(reference);
    steps.map(|(a, b)| relative_error(&[*a], &[*b], floor)).fold(0.0, f64::max)
}

fn compare(file: &ScheduleFile, case: &ScheduleCase) -> Result<f64, String> {
    let len = case.lr.len();
    let (lr, momentum) = match Given::of(file, case).ours(&case.class)? {
        Ours::Lr(lr) => (series(&lr, len)?, None),
        Ours::WithMomentum(lr, momentum) => (series(&lr, len)?, Some(series(&momentum, len)?)),
        Ours::Plateau(mut plateau) => {
            plateau.check().map_err(|error| error.to_string())?;
            let metrics = case.metrics.as_ref().ok_or("there are no metrics")?;
            let first = plateau.value();
            let after = metrics.iter().map(|metric| plateau.observe(*metric));
            (std::iter::once(first).chain(after).collect(), None)
        }
    };
    let error_of_momentum = match (&momentum, &case.momentum) {
        (None, None) => 0.0,
        (Some(ours), Some(reference)) => error(ours, reference),
        _ => return Err("one has a momentum and the other has not".into()),
    };
    Ok(error(&lr, &case.lr).max(error_of_momentum))
}

#[test]
fn every_schedule_agrees_with_other_libraries() {
    let elsewhere = std::env::var_os("BURN_DESCENT_TRACES").map(PathBuf::from);
    let folder = elsewhere.clone().unwrap_or_else(traces_dir);
    let mut classes: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let mut failures = vec![];
    for path in schedules(&folder).unwrap() {
        let file = ScheduleFile::read(&path).unwrap();
        for case in &file.cases {
            let named = format!("{} {}", file.library, case.id);
            match compare(&file, case) {
                Ok(error) => {
                    let (cases, worst) = classes.entry(case.class.clone()).or_default();
                    (*cases, *worst) = (*cases + 1, worst.max(error));
                    if error > TOLERANCE {
                        failures.push(format!("{named}: error {error:.1e}"));
                    }
                }
                Err(reason) => failures.push(format!("{named}: {reason}")),
            }
        }
    }
    for (class, (cases, worst)) in &classes {
        println!("{class:34} {cases} cases, max error {worst:.1e}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let cases: usize = classes.values().map(|(cases, _)| cases).sum();
    assert!(elsewhere.is_some() || cases == 41, "{cases} cases");
}
