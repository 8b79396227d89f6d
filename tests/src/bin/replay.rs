//! Replays recorded trajectories of other libraries on the devices there are.

use burn::tensor::Device;
use burn_descent_golden::{Error, OptimizerFile, Outcome, Precision, ReplayError, Skip, setting};
use burn_descent_tests::devices;
use burn_descent_tests::print::say;
use burn_descent_tests::replayer::{self, replay_on};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Replay recorded trajectories of other libraries with the optimizers of burn-descent.
///
/// Prints one line for each case and engine: name, engine, largest relative error, and `ok`,
/// `FAIL` or `skip: reason`. The last line counts them. Exit status 1 if a case failed, 2 if a
/// file cannot be read or there is no case.
///
/// An error is relative to the largest element of the reference tensor at that step. It may be
/// 1e-9 in f64 and 2e-5 in f32.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  cargo run --release --bin replay -- tests/golden/traces/*.json.gz"
)]
struct Arguments {
    /// Trajectory files, .json or .json.gz; gradients of the problem `fixed` are read from
    /// problems.json beside them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only the engines whose name contains this, such as `f64` or `flex/f32`.
    #[arg(long, default_value = "")]
    engine: String,
    /// Only lines that are not `ok`, and the counts.
    #[arg(long, short)]
    quiet: bool,
}

/// A device in one precision.
struct Engine {
    name: String,
    device: Device,
    precision: Precision,
}

fn engines(filter: &str) -> Vec<Engine> {
    let mut engines = Vec::new();
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        for (name, dtype, precision) in [
            ("f64", burn::tensor::DType::F64, Precision::F64),
            ("f32", burn::tensor::DType::F32, Precision::F32),
        ] {
            let name = format!("{}/{name}", entry.name);
            if device.supports_dtype(dtype) && name.contains(filter) {
                engines.push(Engine { name, device: device.clone(), precision });
            }
        }
    }
    engines
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    quiet: bool,
}

impl Tally {
    fn line(&mut self, case: &str, engine: &str, error: Option<f64>, verdict: &str) {
        let ok = verdict == "ok";
        if ok && self.quiet {
            return;
        }
        let error = error.map_or_else(|| "-".to_owned(), |error| format!("{error:.1e}"));
        say(format_args!("{case:<58} {engine:<12} {error:>8}  {verdict}"));
    }

    fn skip(&mut self, case: &str, engine: &str, reason: &Skip) {
        self.skipped += 1;
        self.line(case, engine, None, &format!("skip: {reason}"));
    }

    fn fail(&mut self, case: &str, engine: &str, error: Option<f64>, why: &str) {
        self.failed += 1;
        self.line(case, engine, error, &format!("FAIL{why}"));
    }

    fn ran(&mut self, case: &str, engine: &str, result: Result<Outcome, ReplayError>) {
        match result {
            Ok(outcome) if outcome.agrees() => {
                self.passed += 1;
                self.line(case, engine, Some(outcome.max_error), "ok");
            }
            Ok(Outcome { max_error, step, tensor, .. }) => {
                let why = format!(" at step {step}, tensor {tensor}");
                self.fail(case, engine, Some(max_error), &why);
            }
            Err(ReplayError::Skip(reason)) => self.skip(case, engine, &reason),
            Err(error) => self.fail(case, engine, None, &format!(": {error}")),
        }
    }
}

fn run(arguments: &Arguments) -> Result<Tally, String> {
    let engines = engines(&arguments.engine);
    if engines.is_empty() {
        return Err(format!("no engine is named like `{}`", arguments.engine));
    }
    let mut tally = Tally { quiet: arguments.quiet, ..Tally::default() };
    for path in &arguments.files {
        let file = match OptimizerFile::read(path) {
            Ok(file) => file,
            Err(error @ Error::NotOptimizer { .. }) => {
                eprintln!("{error}");
                continue;
            }
            Err(error) => return Err(error.to_string()),
        };
        for case in &file.cases {
            let name = format!("{} {}", file.library, case.id);
            match setting(&file, case) {
                Err(reason) => tally.skip(&name, "-", &reason),
                Ok(setting) => {
                    for Engine { name: engine, device, precision } in &engines {
                        let result =
                            replay_on(device, replayer::Engine::Own, *precision, case, &setting);
                        tally.ran(&name, engine, result);
                    }
                }
            }
        }
    }
    if tally.passed + tally.failed + tally.skipped == 0 {
        return Err("there is no case of an optimizer in these files".into());
    }
    Ok(tally)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(Tally { passed, failed, skipped, .. }) => {
            say(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
