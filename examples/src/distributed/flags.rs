//! The flags of `distributed`, and its help.

use super::place::Place;
use crate::args::Common;
use crate::help::{WIDTH, parse};
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::MultiDeviceOptim;
use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};
use std::net::SocketAddr;

/// The flags of `distributed`.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true, max_term_width = WIDTH)]
pub(super) struct Flags {
    /// What all programs have.
    #[command(flatten)]
    pub(super) common: Common,

    /// Where to train, a copy of the network each: `loopback`, a server in this process; `local` or
    /// `local:NUMBER`, a device of this process; `ws://HOST:PORT`, the device of a server
    #[arg(
        long,
        value_name = "PLACE,...",
        value_delimiter = ',',
        default_value = "loopback,loopback",
        help_heading = "Devices"
    )]
    pub(super) on: Vec<Place>,

    /// Who steps: the first device for all, each device for a part of the weights, or, with CUDA
    /// alone, every device for itself after their gradients have been averaged by NCCL
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Strategy::Main, help_heading = "Devices")]
    pub(super) strategy: Strategy,

    /// Instead of training, serve a device to those who train, until Ctrl+C. The traffic is not
    /// encrypted: on a network that you trust
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = TRAINING, help_heading = "Devices")]
    pub(super) serve: Option<SocketAddr>,

    /// Which device to serve, where the backend counts them
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        requires = "serve",
        help_heading = "Devices"
    )]
    pub(super) device: usize,

    /// A word that servers ask for
    #[arg(long, value_name = "WORD", value_parser = NonEmptyStringValueParser::new(), help_heading = "Devices")]
    pub(super) token: Option<String>,
}

/// The flags of a training, which a server has none of.
const TRAINING: [&str; 19] = [
    "data",
    "target",
    "drop",
    "features",
    "separator",
    "no_header",
    "missing",
    "optimizer",
    "set",
    "lr",
    "schedule",
    "warmup",
    "epochs",
    "batch_size",
    "model",
    "hidden",
    "seed",
    "on",
    "strategy",
];

/// Who steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// The first device, for all.
    Main,
    /// Each device, for a part of the weights.
    Sharded,
    /// Each device for itself, after an all-reduce of the gradients.
    Ddp,
}

impl Strategy {
    /// That of burn-train's multi-device training; there is none for DDP.
    pub(super) fn optim(self) -> Option<MultiDeviceOptim> {
        match self {
            Strategy::Main => Some(MultiDeviceOptim::OptimMainDevice),
            Strategy::Sharded => Some(MultiDeviceOptim::OptimSharded),
            Strategy::Ddp => None,
        }
    }
}

/// The all-reduce of DDP. The losses are divided by the number of copies already.
pub(super) fn sum() -> DistributedConfig {
    DistributedConfig { all_reduce_op: ReduceOperation::Sum }
}

impl Flags {
    /// Parses the command line.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub(super) fn parse() -> Result<Self, clap::Error> {
        parse("distributed", ABOUT, EXAMPLES)
    }
}

const ABOUT: &str = "Trains what `classifier` trains on several devices at once, with any optimizer.

Each device has a copy of the network and an equal share of every batch: --batch-size is that of all \
of them together. burn-train's strategies are the engine; the result is that of one device with the \
same batches, to rounding.

Without --on it shows the way over two servers in its own process, on the loopback interface.";

const EXAMPLES: &str = "\
Examples:
  distributed                                          two devices on loopback
  distributed --on local --batch-size 32               one device, to compare with
  distributed --strategy sharded --optimizer lion
Two hosts, one device each:
  distributed --serve 0.0.0.0:3000 --backend cuda      on host a, and on host b
  distributed --on ws://a:3000,ws://b:3000 --batch-size 256
Two GPUs in one host:
  distributed --backend cuda --on local:0,local:1 --batch-size 256
  distributed --backend cuda --on local:0,local:1 --strategy ddp      averaged by NCCL";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_server_trains_nothing() {
        let flags = Flags::command();
        let of_training = |flag: &&clap::Arg| {
            matches!(flag.get_help_heading(), Some("Data" | "Training"))
                || ["on", "strategy"].contains(&flag.get_id().as_str())
        };
        let names: Vec<&str> =
            flags.get_arguments().filter(of_training).map(|flag| flag.get_id().as_str()).collect();
        assert_eq!(names, TRAINING);
    }

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }
}
