//! What a comparison is asked for.

use super::tune::Tune;
use crate::choice::Choices;
use burn_descent::Store;
use burn_descent_examples::args::{Data, Machine};
use burn_descent_examples::model::Kind;
use burn_descent_examples::precision::Precision;
use burn_descent_examples::recipe::{BatchSize, Hidden};
use burn_descent_examples::task::Task;

/// What is compared, and with how much work.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// What to train: classifier or regression
    #[arg(long, value_name = "TASK", default_value = "classifier")]
    pub task: Task,

    /// The optimizers, with options that are not tuned: adam,sgd:momentum=0.9
    #[arg(long, value_name = "NAME,...", default_value = "sgd,nesterov,rmsprop,adam,adamw")]
    pub optimizers: Choices,

    /// How many settings of each optimizer are tried
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub trials: u32,

    /// How many seeds the best setting of each is evaluated with; see below how many it takes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,

    /// Epochs of a training
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: u64,

    /// End a training after the epoch in which it has taken so many seconds: a fair limit where steps
    /// differ in cost [default: none]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub budget: Option<f64>,

    /// Tune an option beside the learning rate: beta1=0.8..0.99, weight_decay=1e-4..0.1:log (equal
    /// ratios), beta2=0.9..0.9999:decay (equal ratios of 1 - beta2), adam.eps=..: of one optimizer only,
    /// lr=1e-4..1:log: instead of --lr-span
    #[arg(long, value_name = "OPTION=LOW..HIGH,...", value_delimiter = ',')]
    pub tune: Vec<Tune>,

    /// Try learning rates from the default of each optimizer divided by this number to the default
    /// times it
    #[arg(long, value_name = "FACTOR", default_value_t = 100.0, value_parser = factor)]
    pub lr_span: f64,

    /// Count steps and seconds until this score, accuracy or R² [default: the highest that half of the
    /// final trainings of every optimizer reach]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = score)]
    pub reach: Option<f64>,

    /// A setting counts as close to the best if its score is lower by less than this
    #[arg(long, value_name = "SCORE", default_value_t = 0.01, allow_negative_numbers = true, value_parser = positive)]
    pub within: f64,

    /// The format of the optimizers' states: f32, bf16, bf16-stochastic, f16, int8 or dynamic8 [default: f32]
    #[arg(long, value_name = "FORMAT")]
    pub state: Option<Store>,

    /// The type of the weights, and what the optimizers do with the bits that it cannot hold: f32, bf16, bf16-stochastic, bf16-kahan,
    /// bf16-split, f16, f16-stochastic or f16-kahan [default: f32]
    #[arg(long, value_name = "FORMAT")]
    pub weights: Option<Precision>,

    /// Let Mechanic tune a factor of the steps of each optimizer
    #[arg(long)]
    pub mechanic: bool,

    /// How the learning rate changes over the steps
    #[arg(long, value_name = "NAME", default_value = "constant")]
    pub schedule: String,

    /// Examples in a batch
    #[arg(long, value_name = "all|N", default_value = "32")]
    pub batch_size: BatchSize,

    /// The kind of network: linear layers, or two convolutions before them
    #[arg(long, value_name = "mlp|cnn", hide_possible_values = true, default_value_t = Kind::Mlp)]
    pub model: Kind,

    /// The widths of the hidden layers; `none` makes a linear model
    #[arg(long, value_name = "N,...", default_value = "64,64")]
    pub hidden: Hidden,

    /// The seed of all that is random: data, settings that are tried, and, counted up from it, the seeds
    /// of the evaluation
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1_000_000_000))]
    pub seed: u64,

    /// What to learn from.
    #[command(flatten)]
    pub data: Data,

    /// Who computes.
    #[command(flatten)]
    pub machine: Machine,
}

fn score(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && *x <= 1.0);
    number.ok_or_else(|| "it must be a number, 1 at most".into())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| "it must be a number greater than 0".into())
}

fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 1.0);
    number.ok_or_else(|| "it must be a number greater than 1".into())
}
