//! The flags of `learner`, and its help.

use crate::args::Common;
use crate::help::{WIDTH, parse};
use clap::Parser;
use std::path::PathBuf;

/// The flags of `learner`.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true, max_term_width = WIDTH)]
pub(super) struct Flags {
    /// What all programs have.
    #[command(flatten)]
    pub(super) common: Common,

    /// A new folder for what burn keeps: the metrics of each step, and the checkpoints of the last
    /// two epochs and of the best. Without it nothing is kept
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub(super) dir: Option<PathBuf>,

    /// Resume the checkpoint of this epoch in --dir, until --epochs in total. Flags that are not given
    /// are as they were; optimizer, seed, network and data cannot change
    #[arg(long, value_name = "EPOCH", requires = "dir", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Results")]
    pub(super) resume: Option<u64>,

    /// Print a line for each epoch instead of the dashboard, as always where the output is not a terminal
    #[arg(long, help_heading = "Results")]
    pub(super) no_dashboard: bool,
}

impl Flags {
    /// Parses the command line.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub(super) fn parse() -> Result<Self, clap::Error> {
        parse("learner", ABOUT, EXAMPLES)
    }
}

const ABOUT: &str =
    "Trains what `classifier` trains, in burn's Learner: its dashboard, metrics and \
checkpoints, with any optimizer and schedule of burn-descent.

The same flags give the same weights as with `classifier`. What is evaluated are the weights that are \
trained: for `nesterov` they are not quite those that `classifier` evaluates.

On the dashboard, q asks whether to stop. Its losses are means of the batches, in nats; the last \
line has loss and accuracy of all test examples.";

const EXAMPLES: &str = "\
Examples:
  learner                                  generated data: a spiral of three arms
  learner --optimizer nesterov --schedule cosine --warmup 100
  learner --data mnist --hidden 128,64 --batch-size 64 --epochs 12 --schedule one_cycle
  learner --dir run --epochs 3             train 3 epochs ...
  learner --dir run --resume 3 --epochs 6  ... and 3 more";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }
}
