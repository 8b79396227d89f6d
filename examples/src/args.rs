//! The flags, and a help that teaches.

use crate::backend::Backend;
use crate::data::Wish;
use crate::recipe::{BatchSize, Hidden};
use crate::task::Task;
use burn_descent::registry;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use std::path::PathBuf;

/// The width of a help, and where the options of an optimizer begin in it.
pub(crate) const WIDTH: usize = 100;
const OPTIONS_AT: usize = 23;

/// The flags of every program: what to learn from, how, and where.
#[derive(Args, Debug)]
pub struct Common {
    /// What to learn from: a CSV file (also .csv.gz), or for the classifier a folder of MNIST-style
    /// IDX files. Without it, data is generated from the seed
    #[arg(long, value_name = "FILE|DIR", help_heading = "Data")]
    pub data: Option<PathBuf>,

    /// The column of the CSV file to predict
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub target: Option<String>,

    /// Columns not to learn from
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', help_heading = "Data")]
    pub drop: Vec<String>,

    /// The only columns to learn from [default: all]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', help_heading = "Data")]
    pub features: Vec<String>,

    /// The optimizer, one of the list below [default: adam]
    #[arg(long, value_name = "NAME", help_heading = "Training")]
    pub optimizer: Option<String>,

    /// An option of the optimizer, as in --set beta1=0.95; can be repeated
    #[arg(long, value_name = "OPTION=VALUE", value_parser = setting, help_heading = "Training")]
    pub set: Vec<(String, String)>,

    /// The learning rate [default: the optimizer's in the list below]
    #[arg(long, allow_negative_numbers = true, help_heading = "Training")]
    pub lr: Option<f64>,

    /// How often to go through the training examples, the epochs before a --resume included
    /// [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Training")]
    pub epochs: Option<u64>,

    /// How many examples make a step: `all` is batch gradient descent, 1 is stochastic gradient
    /// descent, what is between is called mini-batch [default: 32]
    #[arg(long, value_name = "all|N", help_heading = "Training")]
    pub batch_size: Option<BatchSize>,

    /// The widths of the hidden layers; `none` makes a linear model [default: 64,64]
    #[arg(long, value_name = "N,...", help_heading = "Training")]
    pub hidden: Option<Hidden>,

    /// Chance follows from this number: generated data, test examples, first weights, order
    /// [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub seed: Option<u64>,

    /// The backend, one of those this program was built with [default: the first of them]
    #[arg(long, value_name = "NAME", help_heading = "Machine")]
    pub backend: Option<Backend>,

    /// How many threads compute on a CPU [default: one a core]. The matrix products of ndarray
    /// follow the environment variable MATMUL_NUM_THREADS instead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Machine")]
    pub threads: Option<u16>,
}

impl Common {
    /// What the flags say of the data.
    pub fn data(&self) -> Wish {
        Wish {
            path: self.data.clone(),
            target: self.target.clone(),
            drop: self.drop.clone(),
            features: self.features.clone(),
        }
    }
}

/// The flags of `classifier` and `regression`.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true, max_term_width = WIDTH)]
pub struct Flags {
    /// What all programs have.
    #[command(flatten)]
    pub common: Common,

    /// Print a JSON object on the last line; its seconds are those of training, all epochs together
    #[arg(long, help_heading = "Results")]
    pub json: bool,

    /// Draw the losses of the epochs
    #[arg(long, value_name = "FILE.svg|.png", help_heading = "Results")]
    pub plot: Option<PathBuf>,

    /// Write the network, the optimizer's state and the position at the end; an older save there
    /// is replaced
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub save: Option<PathBuf>,

    /// Go on from a save, to the total of --epochs, on this or another backend. What is not given
    /// is as it was; optimizer, seed, hidden layers and data cannot change
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub resume: Option<PathBuf>,
}

impl Flags {
    /// Parses the command line of a task's program.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub fn parse_for(task: Task) -> Result<Self, clap::Error> {
        let (about, examples) = match task {
            Task::Regression => (ABOUT_REGRESSION, EXAMPLES_REGRESSION),
            Task::Classification => (ABOUT_CLASSIFIER, EXAMPLES_CLASSIFIER),
        };
        parse(task.program(), about, examples)
    }
}

/// Parses the command line of a program, whose help says what it does and gives examples, and
/// ends with the optimizers and backends.
///
/// # Errors
/// What is wrong with it, or the help that was asked for.
pub(crate) fn parse<F: CommandFactory + FromArgMatches>(
    program: &'static str,
    about: &'static str,
    examples: &str,
) -> Result<F, clap::Error> {
    let (optimizers, backends) = (optimizers(), backends());
    let command = F::command()
        .name(program)
        .about(about)
        .after_help(format!("{examples}\n\n{optimizers}\n\n{backends}"));
    F::from_arg_matches(&command.try_get_matches()?)
}

/// The text of a wrong command line in one line: what is wrong, and the tip if there is one.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim);
    let what: Vec<&str> = lines.clone().take_while(|line| !line.is_empty()).collect();
    let tips = lines.filter(|line| line.starts_with("tip: ")).map(|tip| format!("; {tip}"));
    let what = what.join(" ");
    what.strip_prefix("error: ").unwrap_or(&what).to_string() + &tips.collect::<String>()
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be OPTION=VALUE, as in beta1=0.95")?;
    Ok((name.trim().into(), value.trim().into()))
}

const ABOUT_REGRESSION: &str = "Trains a small network to predict a number, with any optimizer.

Numeric columns are standardised with mean and deviation of the training examples, text columns \
become one column a word, rows with missing values are dropped. A fifth of the examples, chosen by \
the seed, is kept for testing. The target is standardised too: the losses are mean squared errors \
in units of its variance, so that 1 is no better than guessing the mean. R2 has no unit.";

const ABOUT_CLASSIFIER: &str = "Trains a small network to tell classes apart, with any optimizer.

Numeric columns are standardised with mean and deviation of the training examples, text columns \
become one column a word, rows with missing values are dropped. A fifth of the examples, chosen by \
the seed, is kept for testing, unless a folder of images says which. The losses are mean \
cross-entropies in nats.";

const EXAMPLES_REGRESSION: &str = "\
Examples:
  regression                               generated data: Friedman's function
  regression --optimizer nesterov --set momentum=0.95
  regression --batch-size all --epochs 500 batch gradient descent
  regression --data diamonds.csv.gz --target price --optimizer adamw --epochs 10
  regression --save run --epochs 3         train 3 epochs ...
  regression --resume run --epochs 6       ... and 3 more";

const EXAMPLES_CLASSIFIER: &str = "\
Examples:
  classifier                               generated data: a spiral of three arms
  classifier --hidden none                 a linear model fails on it
  classifier --optimizer nesterov --set momentum=0.95
  classifier --data penguins.csv --target species --drop island
  classifier --data mnist --hidden 128,64 --batch-size 64 --epochs 12
  classifier --save run --epochs 3         train 3 epochs ...
  classifier --resume run --epochs 6       ... and 3 more";

/// The optimizers with their learning rates and options.
fn optimizers() -> String {
    let mut text = String::from("Optimizers, the learning rate to begin with, options:");
    for row in &registry::ROWS {
        text += &format!("\n  {:<9} --lr {:<6}", row.name, row.lr);
        let mut column = OPTIONS_AT;
        for (name, value) in row.options() {
            let option = format!(" {name}={value}");
            if column + option.len() > WIDTH {
                text += &format!("\n{:OPTIONS_AT$}", "");
                column = OPTIONS_AT;
            }
            column += option.len();
            text += &option;
        }
    }
    text
}

fn backends() -> String {
    let names: Vec<&str> = Backend::compiled().map(|backend| backend.name).collect();
    let names = if names.is_empty() { "none".into() } else { names.join(", ") };
    format!("Backends in this program: {names}. Others by cargo feature: --features wgpu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn errors_take_one_line() {
        let error = |flag: &[&str]| {
            let error = Flags::try_parse_from([&["classifier"], flag].concat()).unwrap_err();
            one_line(&error)
        };
        assert_eq!(
            error(&["--epoch", "3"]),
            "unexpected argument '--epoch' found; tip: a similar argument exists: '--epochs'"
        );
        assert!(error(&["--hidden", "12,,x"]).contains("widths of the hidden layers"));
        assert!(error(&["--set", "beta1"]).contains("OPTION=VALUE"));
        assert!(!error(&["--batch-size", "0"]).contains('\n'));
    }

    #[test]
    fn every_optimizer_is_in_the_help() {
        assert!(registry::ROWS.iter().all(|row| optimizers().contains(row.name)));
    }
}
