//! The command line.

use crate::made::Made;
use crate::out::Out;
use crate::{
    backends, choice, claims, compare, gallery, lr, recipes, schedules, speed, stopwatch, surface,
    surfaces,
};
use anyhow::Result;
use burn_descent_examples::program;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// See optimizers walk, compare them fairly, find the right one
#[derive(Parser, Debug)]
#[command(name = "lab", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    out: Out,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Train on every device, side by side
    Backends(Box<backends::Args>),
    /// Test what is said about optimizers
    #[command(after_help = format!("Claims: {}", claims::names_of_all()))]
    Claims(claims::Args),
    /// Tune optimizers with the same budget, and find out which is best
    #[command(after_help = compare::help())]
    Compare(Box<compare::Args>),
    /// Minimise functions of two numbers, and draw the paths
    #[command(after_help = format!(
        "Functions: {}\n\nOptimizers: {}", surfaces::names(), choice::names()
    ))]
    Surface(surface::Args),
    /// Draw the pictures of the documentation
    Gallery(gallery::Args),
    /// Suggest learning rates: range tests of several optimizers in one chart
    #[command(after_help = format!("Optimizers: {}", choice::names()))]
    Lr(Box<lr::Args>),
    /// Draw the schedules of the learning rate
    Schedules(schedules::Args),
    /// Draw what the program `speed` has measured
    Speed(speed::Args),
    /// Show where the time of a training goes, with burn's Adam and with this one
    Stopwatch(Box<stopwatch::Args>),
}

/// The program.
pub fn main() -> ExitCode {
    // Before the arguments, which name them.
    let added = recipes::add();
    program::exit(Cli::try_parse(), |cli| added.and_then(|()| run(cli)))
}

fn run(cli: &Cli) -> Result<()> {
    cli.out.check()?;
    let mut findings = match &cli.command {
        Command::Backends(args) => backends::run(args)?,
        Command::Claims(args) => claims::run(args)?,
        Command::Compare(args) => compare::run(args, cli.out.out.as_deref())?,
        Command::Surface(args) => surface::run(args)?,
        Command::Gallery(args) => gallery::run(args)?,
        Command::Lr(args) => lr::run(args)?,
        Command::Schedules(args) => schedules::run(args)?,
        Command::Speed(args) => speed::run(args)?,
        Command::Stopwatch(args) => stopwatch::run(args)?,
    };
    findings.report.made = Made::here(command_line(std::env::args().skip(1)));
    findings.results["made"] = findings.report.made.json();
    cli.out.publish(&findings)
}

/// The words of a command as a shell takes them.
fn command_line(words: impl Iterator<Item = String>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(c);
    words.fold("lab".into(), |line, word| {
        let quoted = if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        };
        line + " " + &quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_line_can_be_pasted() {
        let words = ["surface", "--out", "my dir", "", "it's"].map(String::from);
        assert_eq!(command_line(words.into_iter()), r"lab surface --out 'my dir' '' 'it'\''s'");
    }
}
