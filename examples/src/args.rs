//! The flags.

use crate::around::Around;
use crate::backend::Backend;
use crate::data::{Layout, Wish};
use crate::help::{self, WIDTH};
use crate::model::Kind;
use crate::precision::Precision;
use crate::recipe::{BatchSize, Hidden};
use crate::task::Task;
use anyhow::{Context, Result};
use burn::tensor::Device;
use burn_descent::Store;
use burn_descent::registry::Selection;
use clap::{Args, Parser};
use std::path::PathBuf;

/// The flags that say what to learn from.
#[derive(Args, Clone, Debug, Default)]
pub struct Data {
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

    /// How the file is written down.
    #[command(flatten)]
    pub layout: Layout,
}

impl Data {
    /// What the flags say of the data.
    pub fn wish(&self) -> Wish {
        Wish {
            path: self.data.clone(),
            target: self.target.clone(),
            drop: self.drop.clone(),
            features: self.features.clone(),
            layout: self.layout.clone(),
        }
    }
}

/// The flags that say who computes.
#[derive(Args, Clone, Debug, Default)]
pub struct Machine {
    /// The backend, one of those this program was built with [default: the first of them]
    #[arg(long, value_name = "NAME", help_heading = "Machine")]
    pub backend: Option<Backend>,

    /// How many threads compute on a CPU [default: one a core]. The matrix products of ndarray
    /// follow the environment variable MATMUL_NUM_THREADS instead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Machine")]
    pub threads: Option<u16>,
}

impl Machine {
    /// The backend, and its device, with so many threads from now on.
    ///
    /// # Errors
    /// If the backend is not in this program, or finds no adapter to work on.
    pub fn open(&self) -> Result<(Backend, Device)> {
        if let Some(threads) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
            pool.build_global().context("--threads")?;
        }
        let backend = self.backend.map_or_else(Backend::first, Ok)?;
        Ok((backend, backend.open()?))
    }
}

/// The flags of every program: what to learn from, how, and where.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// What to learn from.
    #[command(flatten)]
    pub data: Data,

    /// The optimizer, one of the list below; its options may follow, as in sgd:momentum=0.9
    /// [default: adam]
    #[arg(long, value_name = "NAME[:OPTION=VALUE]", help_heading = "Training")]
    pub optimizer: Option<Selection>,

    /// An option of the optimizer, as in --set beta1=0.95; can be repeated
    #[arg(long, value_name = "OPTION=VALUE", value_parser = setting, help_heading = "Training")]
    pub set: Vec<(String, String)>,

    /// The format of the optimizer's states, for tensors of 4096 weights or more: f32, bf16, bf16-stochastic, f16, int8 or
    /// dynamic8 (bitsandbytes'), the last two with a block of their own as in int8:128 [default: f32]
    #[arg(long, value_name = "FORMAT", help_heading = "Training")]
    pub state: Option<Store>,

    /// The type of the weights, and what the optimizer does with the bits that it cannot hold: f32, f64, bf16, bf16-stochastic, bf16-kahan,
    /// bf16-split, f16, f16-stochastic or f16-kahan. Steps of f64 take 10 to 25 times as long on a CPU, unless this was built with
    /// `--features f64` [default: f32]
    #[arg(long, value_name = "FORMAT", help_heading = "Training")]
    pub weights: Option<Precision>,

    /// The learning rate [default: the optimizer's in the list below]
    #[arg(long, allow_negative_numbers = true, help_heading = "Training")]
    pub lr: Option<f64>,

    /// How the learning rate changes from --lr over the steps of all epochs: one of the list below
    /// [default: constant]
    #[arg(long, value_name = "NAME", help_heading = "Training")]
    pub schedule: Option<String>,

    /// Steps of linear warm-up to --lr; the schedule has the steps after them [default: 0]
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..), help_heading = "Training")]
    pub warmup: Option<u32>,

    /// How often to go through the training examples in all; a resumed run counts the epochs before
    /// it was saved [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Training")]
    pub epochs: Option<u64>,

    /// Examples in a batch, and a step for each batch: `all` is batch gradient descent, 1 is
    /// stochastic gradient descent, and all between is called mini-batch [default: 32]
    #[arg(long, value_name = "all|N", allow_negative_numbers = true, help_heading = "Training")]
    pub batch_size: Option<BatchSize>,

    /// The kind of network: linear layers, or two convolutions before them, for square images
    /// [default: mlp]
    #[arg(long, value_name = "mlp|cnn", hide_possible_values = true, help_heading = "Training")]
    pub model: Option<Kind>,

    /// The widths of the hidden layers; `none` makes a linear model [default: 64,64]
    #[arg(long, value_name = "N,...", help_heading = "Training")]
    pub hidden: Option<Hidden>,

    /// The seed of all that is random: generated data, test examples, first weights, order
    /// [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Training")]
    pub seed: Option<u64>,

    /// Who computes.
    #[command(flatten)]
    pub machine: Machine,
}

impl Common {
    /// The options that the flags give the optimizer.
    pub fn options(&self) -> impl Iterator<Item = (String, String)> {
        let selected = self.optimizer.iter().flat_map(Selection::pairs);
        selected.chain(self.set.iter().cloned())
    }
}

/// The flags of `classifier` and `regression`.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true, max_term_width = WIDTH)]
pub struct Flags {
    /// What all programs have.
    #[command(flatten)]
    pub common: Common,

    /// What is done around the optimizer.
    #[command(flatten)]
    pub around: Around,

    /// Print a JSON object on the last line; its seconds are those of training, all epochs together
    #[arg(long, help_heading = "Results")]
    pub json: bool,

    /// Draw the losses of the epochs
    #[arg(long, value_name = "FILE.svg|.png", help_heading = "Results")]
    pub plot: Option<PathBuf>,

    /// Write a line for each step: learning rate, and norm of the gradients where it is clipped. A
    /// resumed run adds to its log
    #[arg(long, value_name = "FILE.jsonl|.csv", help_heading = "Results")]
    pub log: Option<PathBuf>,

    /// Save the whole run after each epoch, to resume it from there; an older save is replaced
    #[arg(long, value_name = "FILE.bpk", help_heading = "Results")]
    pub save: Option<PathBuf>,

    /// Resume a save, until --epochs in total, on this or another backend. Flags that are not given
    /// are as they were; optimizer, seed, network and data cannot change. With other --epochs the
    /// schedule goes on as one over the new total. Without --save the result is not kept
    #[arg(long, value_name = "FILE.bpk", help_heading = "Results")]
    pub resume: Option<PathBuf>,

    /// Predict the rows of this file with the network of --resume, and write them to --out with the
    /// predictions: a CSV file with the columns of the training, or a file of images. If it has the
    /// target too, the predictions are scored
    #[arg(long, value_name = "FILE", requires_all = ["resume", "out"], conflicts_with_all = TRAINING, help_heading = "Instead of training")]
    pub predict: Option<PathBuf>,

    /// Where to write the predicted rows, as CSV
    #[arg(
        long,
        value_name = "FILE.csv",
        requires = "predict",
        help_heading = "Instead of training"
    )]
    pub out: Option<PathBuf>,

    /// Try learning rates instead of training, a greater one at each step, and suggest one. Small
    /// batches are noisy: --plot shows how far to trust it. Nothing is saved or logged
    #[arg(long, conflicts_with_all = ["explain", "print_plan"], help_heading = "Instead of training")]
    pub find_lr: bool,

    /// Print what an optimizer computes and what it costs: formula, operations, bytes moved and state,
    /// with the options that are set [default: the one of --optimizer]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["json", "print_plan"], help_heading = "Instead of training")]
    pub explain: Option<Option<String>>,

    /// Print every parameter with its shape, what steps it, and the memory of its state
    #[arg(long, help_heading = "Instead of training")]
    pub print_plan: bool,
}

/// The flags that predicting has no use for.
const TRAINING: [&str; 27] = [
    "data",
    "target",
    "drop",
    "features",
    "optimizer",
    "set",
    "state",
    "weights",
    "lr",
    "schedule",
    "warmup",
    "epochs",
    "batch_size",
    "model",
    "hidden",
    "seed",
    "clip_norm",
    "accumulate",
    "flush",
    "ema",
    "mechanic",
    "plot",
    "log",
    "save",
    "find_lr",
    "explain",
    "print_plan",
];

impl Flags {
    /// Parses the command line of a task's program.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub fn parse_for(task: Task) -> Result<Self, clap::Error> {
        help::parse_for(task)
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be OPTION=VALUE, as in beta1=0.95")?;
    Ok((name.trim().into(), value.trim().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn predicting_reads_rows_and_trains_nothing() {
        let flags = Flags::command();
        let used = ["separator", "no_header", "missing", "backend", "threads", "json", "resume"];
        let used = [&used[..], &["predict", "out"]].concat();
        let others = flags.get_arguments().map(|flag| flag.get_id().as_str());
        let others: Vec<&str> = others.filter(|name| !used.contains(name)).collect();
        assert_eq!(others.len(), TRAINING.len());
        assert!(others.iter().all(|name| TRAINING.contains(name)), "{others:?}");
    }
}
