//! A help that teaches, and errors of the command line in one line.

use crate::backend::Backend;
use crate::schedule;
use crate::task::Task;
use crate::terminal;
use burn_descent::registry::{self, Method};
use clap::{CommandFactory, FromArgMatches};

/// The width of a help.
pub(crate) const WIDTH: usize = 100;

/// Parses the command line of a task's program.
///
/// # Errors
/// What is wrong with it, or the help that was asked for.
pub fn parse_for<F: CommandFactory + FromArgMatches>(task: Task) -> Result<F, clap::Error> {
    let (about, examples) = match task {
        Task::Regression => (ABOUT_REGRESSION, EXAMPLES_REGRESSION),
        Task::Classification => (ABOUT_CLASSIFIER, EXAMPLES_CLASSIFIER),
    };
    parse(task.program(), about, examples)
}

/// Parses the command line of a program, whose help says what it does and gives examples, and
/// ends with the optimizers, schedules and backends.
///
/// # Errors
/// What is wrong with it, or the help that was asked for.
pub(crate) fn parse<F: CommandFactory + FromArgMatches>(
    program: &'static str,
    about: &'static str,
    examples: &str,
) -> Result<F, clap::Error> {
    let (optimizers, schedules) = (optimizers(), schedule::names().join(", "));
    let lists = format!("{optimizers}\n\nSchedules: {schedules}\n\n{}", backends());
    let width = terminal::width().map_or(WIDTH, |width| width.min(WIDTH));
    let after = terminal::fit(&format!("{examples}\n\n{lists}"), width);
    let command = F::command().name(program).about(about).after_help(after).term_width(width);
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

const ABOUT_REGRESSION: &str = "Trains a small network to predict a number, with any optimizer.

Numeric columns are standardised with mean and deviation of the training examples, text columns \
become one column a word, rows with missing values are dropped. A fifth of the examples, chosen by \
the seed, is kept for testing. The target is standardised too: the losses are mean squared errors \
in units of its variance, so that 1 is no better than guessing the mean. R2 has no unit; RMSE has \
that of the target.";

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
  regression --batch-size all --optimizer lbfgs --weights f64    to the end
  regression --data diamonds.csv.gz --target price --optimizer adamw --epochs 10
  regression --explain adamw               what an optimizer does and costs
  regression --find-lr --plot rates.svg    which learning rate to begin with
  regression --save run.bpk --epochs 3     train 3 epochs ...
  regression --resume run.bpk --save run.bpk --epochs 6     ... and 3 more
  regression --resume run.bpk --predict new.csv --out predictions.csv";

const EXAMPLES_CLASSIFIER: &str = "\
Examples:
  classifier                               generated data: three spiral arms
  classifier --hidden none                 a linear model fails on it
  classifier --optimizer nesterov --set momentum=0.95
  classifier --data penguins.csv --target species --drop island
  classifier --data mnist --hidden 128,64 --batch-size 64 --epochs 12
  classifier --explain adamw               what an optimizer does and costs
  classifier --find-lr --plot rates.svg    which learning rate to begin with
  classifier --optimizer adamw --schedule cosine --warmup 50 --ema 0.99
  classifier --save run.bpk --epochs 3     train 3 epochs ...
  classifier --resume run.bpk --save run.bpk --epochs 6     ... and 3 more
  classifier --resume run.bpk --predict new.csv --out predictions.csv";

/// The optimizers with their learning rates and options, a line each.
fn optimizers() -> String {
    let mut text = String::from("Optimizers, the learning rate to begin with, options:");
    let searches = registry::SEARCHES.iter().map(Method::Search);
    let methods = || registry::rows().map(Method::Optimizer).chain(searches.clone());
    let longest = methods().map(|method| method.name().len()).max().unwrap_or(0);
    for method in methods() {
        let options = method.options().into_iter().map(|(name, value)| format!(" {name}={value}"));
        let options: String = options.collect();
        text += &format!("\n  {:<longest$} --lr {:<6} {options}", method.name(), method.lr());
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
    use crate::args::Flags;
    use clap::Parser;

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
    fn examples_fit_a_terminal() {
        for line in [EXAMPLES_REGRESSION, EXAMPLES_CLASSIFIER].iter().flat_map(|text| text.lines())
        {
            assert!(line.len() <= 80, "{line}");
        }
    }

    #[test]
    fn options_stand_below_each_other_in_any_terminal() {
        for width in [60, 80, 100] {
            let text = terminal::fit(&optimizers(), width);
            assert!(text.lines().all(|line| line.len() <= width), "{width}: {text}");
            let adamw = text.lines().skip_while(|line| !line.starts_with("  adamw "));
            let next = adamw.clone().nth(1).unwrap();
            assert!(next.starts_with("        ") && next.contains('='), "{width}: {next}");
        }
    }

    #[test]
    fn every_optimizer_is_in_the_help() {
        assert!(registry::rows().all(|row| optimizers().contains(row.name)));
        assert!(registry::SEARCHES.iter().all(|row| optimizers().contains(row.name)));
    }
}
