//! How much an optimizer has to be tuned.

use super::{Effort, Finding, Picture, through};
use crate::statistics::quantile;
use crate::training::{Bench, Limits};
use anyhow::{Context, Result};
use burn_descent::registry;
use burn_descent_examples::args::Common;
use burn_descent_examples::recipe::Recipe;
use burn_descent_examples::task::Task;

/// The five of the claim: name and options.
const OPTIMIZERS: [&str; 5] = ["sgd", "nesterov", "adagrad", "rmsprop", "adam"];

/// Which of them is claimed to need the least tuning.
const CLAIMED: &str = "adam";

/// Learning rates in half decades, from a hundredth of the default to a hundred times it.
const HALF_DECADES: std::ops::RangeInclusive<i32> = -4..=4;

/// The errors of an optimizer on the test examples, over learning rates.
struct Sweep {
    name: &'static str,
    /// Rate and median error over the seeds.
    points: Vec<(f64, f64)>,
    /// The error at the default rate.
    at_default: f64,
    /// The least error.
    best: f64,
}

impl Sweep {
    /// How far the error at the default lies from the least, in percentage points.
    fn regret(&self) -> f64 {
        100.0 * (self.at_default - self.best)
    }
}

pub(super) fn adam_needs_least(effort: &Effort) -> Result<Finding> {
    let benches = (0..effort.seeds).map(|seed| {
        let recipe = recipe(OPTIMIZERS[0], 0, seed)?;
        let data = recipe.source.load(recipe.task, recipe.seed)?;
        Ok(Bench::new(data, &effort.device))
    });
    let benches = benches.collect::<Result<Vec<_>>>()?;
    let sweep = |name| sweep(name, &benches, effort.epochs);
    let sweeps = OPTIMIZERS.into_iter().map(sweep).collect::<Result<Vec<_>>>()?;
    let claimed = sweeps.iter().find(|sweep| sweep.name == CLAIMED).context(CLAIMED)?;
    let told = sweeps.iter().map(|sweep| {
        let Sweep { name, at_default, best, .. } = sweep;
        let (regret, error, best) = (sweep.regret(), 100.0 * at_default, 100.0 * best);
        format!("{name} {regret:.1} ({error:.1} % instead of {best:.1} %)")
    });
    Ok(Finding {
        measured: format!(
            "Points of test error that the default rate costs against the best of nine, over two \
             decades either way: {}",
            told.collect::<Vec<_>>().join(", ")
        ),
        holds: sweeps.iter().all(|sweep| claimed.regret() <= sweep.regret()),
        picture: Picture::new(
            ("learning rate / the default", true),
            ("test error", true),
            sweeps
                .into_iter()
                .map(|Sweep { name, points, .. }| {
                    let default = registry::find(name).map_or(1.0, |row| row.lr);
                    through(name, points.into_iter().map(|(lr, error)| (lr / default, error)))
                })
                .collect(),
        ),
    })
}

fn sweep(name: &'static str, benches: &[Bench], epochs: u64) -> Result<Sweep> {
    let limits = Limits { epochs, seconds: None };
    let mut points = Vec::new();
    let mut at_default = f64::NAN;
    for half_decade in HALF_DECADES {
        let error = |(seed, bench): (u64, &Bench)| {
            let recipe = recipe(name, half_decade, seed)?;
            // What diverges knows nothing.
            Ok(1.0 - bench.train(&recipe, limits)?.best().unwrap_or(0.0))
        };
        let errors = (0..).zip(benches).map(error).collect::<Result<Vec<_>>>()?;
        let error = quantile(&errors, 0.5).context("no seed")?;
        points.push((recipe(name, half_decade, 0)?.lr, error));
        if half_decade == 0 {
            at_default = error;
        }
    }
    let best = points.iter().map(|(_, error)| *error).fold(f64::INFINITY, f64::min);
    Ok(Sweep { name, points, at_default, best })
}

/// The generated classifier with an optimizer, so many half decades from its default rate.
fn recipe(name: &str, half_decades: i32, seed: u64) -> Result<Recipe> {
    let default = registry::find(name)?.lr;
    let flags = Common {
        optimizer: Some(name.parse()?),
        lr: Some(default * 10_f64.powf(f64::from(half_decades) / 2.0)),
        seed: Some(seed),
        ..Common::default()
    };
    Recipe::new(Task::Classification, &flags, None)
}
