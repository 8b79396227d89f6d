//! `lab compare`: which optimizer is best for a task, by a fair comparison.
//!
//! Every optimizer is tuned with the same number of trainings, at points of the same quasi-random
//! sequence, on training examples alone. The best setting of each then trains from fresh seeds, and is
//! scored on test examples that had no part in the choice.

mod args;
mod journal;
mod shown;
mod study;
mod summary;
mod tune;

pub use args::Args;
pub use journal::{Journal, Key, Phase, Trial};
pub use study::Study;
pub use summary::{Contest, Pair, Standing, Verdict};
pub use tune::{Axis, Scale, Setting, Space, Tune};

use crate::findings::Findings;
use anyhow::Result;
use serde_json::json;
use std::path::Path;

/// What a help has to say beside the flags.
pub fn help() -> String {
    let seeds = |n: usize| format!("{n} optimizers {}", summary::least_seeds(n * (n - 1) / 2));
    let seeds = (2..=8).map(seeds).collect::<Vec<_>>().join(", ");
    format!(
        "\
How many seeds it takes at least to tell the best from the others, all pairs being compared: {seeds}. More \
seeds see smaller differences.

With --out DIR each training is a line of DIR/trials.jsonl as soon as it is done. The same command goes \
on from there, whenever it was interrupted.

Examples:
  lab compare --out found
  lab compare --optimizers sgd:momentum=0.9,adamw --trials 32 --tune weight_decay=1e-4..0.1:log
  lab compare --task regression --data diamonds.csv.gz --target price --epochs 5 --out diamonds
  lab compare --budget 10 --epochs 1000    ten seconds a training, however many epochs that is"
    )
}

/// Tunes, evaluates and compares. With a folder, what is done is written down there, and is not done
/// again.
///
/// # Errors
/// If the arguments do not fit together, the folder is of another comparison, or a training fails for
/// a reason other than that it diverges.
pub fn run(args: &Args, folder: Option<&Path>) -> Result<Findings> {
    let study = Study::new(args)?;
    let journal = study.run(folder)?;
    let contest =
        Contest::new(&study.names(), args.seeds, journal.trials(), args.reach, args.within);
    Ok(Findings {
        report: shown::report(&study, &contest, journal.trials()),
        results: json!({
            "asked": study.asked(),
            "contest": contest,
            "trials": journal.trials(),
        }),
    })
}
