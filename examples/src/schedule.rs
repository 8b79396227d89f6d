//! Schedules by name.

use anyhow::{Result, anyhow, ensure};
use burn_descent::Schedule;
use burn_descent::rules::unknown;
use burn_descent::schedules::{Cosine, Linear, OneCycle, Rex};

/// Makes a schedule of a learning rate and a number of steps.
type Make = fn(f64, u64) -> Box<dyn Schedule>;

/// Those that a learning rate and a number of steps say all of.
const SCHEDULES: [Make; 5] = [
    |lr, _| Box::new(lr),
    |lr, steps| Box::new(Linear::new(lr, steps)),
    |lr, steps| Box::new(Cosine::new(lr, steps)),
    |lr, steps| Box::new(OneCycle::new(lr, steps)),
    |lr, steps| Box::new(Rex::new(lr, steps)),
];

/// Their names.
pub fn names() -> Vec<&'static str> {
    SCHEDULES.iter().map(|make| make(1.0, 1).name()).collect()
}

/// Finds out whether there is a schedule of this name.
///
/// # Errors
/// If not, with a suggestion.
pub fn check(name: &str) -> Result<()> {
    find(name).map(drop)
}

/// The schedule of this name for so many steps, with the first of them for a warmup.
///
/// # Errors
/// If there is none of this name, or the warmup leaves it no step.
pub fn make(name: &str, lr: f64, steps: u64, warmup: u64) -> Result<Box<dyn Schedule>> {
    let make = find(name)?;
    ensure!(warmup < steps, "--warmup {warmup} is too long: there are {steps} steps in all");
    let schedule = make(lr, steps - warmup);
    Ok(if warmup > 0 { Box::new(schedule.warmup(warmup)) } else { schedule })
}

fn find(name: &str) -> Result<Make> {
    SCHEDULES
        .into_iter()
        .find(|make| make(1.0, 1).name() == name)
        .ok_or_else(|| anyhow!(unknown("schedule", name, names().iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warmup_is_of_the_steps() {
        let lr = make("linear", 1.0, 6, 2).unwrap();
        let rates: Vec<f64> = (0..7).map(|step| lr.at(step)).collect();
        assert_eq!(rates, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
        assert!(make("linear", 1.0, 6, 6).unwrap_err().to_string().contains("6 steps in all"));
    }

    #[test]
    fn names_are_found_or_suggested() {
        assert!(names().into_iter().all(|name| make(name, 0.1, 10, 0).is_ok()));
        let error = check("cosin").unwrap_err().to_string();
        assert!(error.contains("did you mean `cosine`?"), "{error}");
    }
}
