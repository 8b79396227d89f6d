//! `lab claims`: what is said of optimizers, measured.

mod adaptive;
mod batches;
mod bias;
mod bowl;
mod momentum;
mod rates;
mod tuning;

use crate::findings::Findings;
use crate::made::Made;
use crate::progress;
use crate::report::{Axis, Chart, Line, Part, Report, Section, Table};
use anyhow::{Result, bail};
use burn::tensor::Device;
use burn_descent::rules::unknown;
use burn_descent_examples::args::Machine;
use serde_json::json;

/// Which claims are put to the test, and with how much work.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Only these, of the list below [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Epochs of each training in the sweep of learning rates
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: u64,

    /// Seeds of the sweep of learning rates: the median over them counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,

    /// Who computes.
    #[command(flatten)]
    pub machine: Machine,
}

/// A claim, and how it is put to the test.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its name on the command line and of its files.
    pub name: &'static str,
    /// What is said.
    pub says: &'static str,
    /// Measures it.
    pub measure: fn(&Effort) -> Result<Finding>,
}

/// What a test of a claim has at hand.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Where networks are trained.
    pub device: Device,
    /// Epochs of a training.
    pub epochs: u64,
    /// How often a training is repeated with another seed.
    pub seeds: u64,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The numbers, in a sentence.
    pub measured: String,
    /// Does the claim hold? It follows from the numbers.
    pub holds: bool,
    /// What is to be seen.
    pub picture: Picture,
}

/// A chart in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// The lines.
    pub lines: Vec<Line>,
}

/// The claims.
pub static CLAIMS: [Claim; 12] = [
    Claim {
        name: "too-big-bounces",
        says: "A learning rate that is too big bounces from wall to wall",
        measure: rates::too_big_bounces,
    },
    Claim {
        name: "too-small-crawls",
        says: "A learning rate that is too small crawls",
        measure: rates::too_small_crawls,
    },
    Claim {
        name: "small-batches-are-noisy",
        says: "The smaller a batch, the noisier its gradient: stochastic, mini-batch, batch",
        measure: batches::noise,
    },
    Claim {
        name: "small-batches-are-cheap",
        says: "The smaller a batch, the cheaper an update: stochastic, mini-batch, batch",
        measure: batches::cost,
    },
    Claim {
        name: "momentum-terminal-velocity",
        says: "Momentum's terminal velocity is 1/(1 - beta) times gradient descent's",
        measure: momentum::terminal_velocity,
    },
    Claim {
        name: "nesterov-needs-fewer-steps",
        says: "Nesterov needs fewer steps than momentum",
        measure: momentum::fewer_steps,
    },
    Claim {
        name: "nesterov-oscillates-less",
        says: "Nesterov oscillates less than momentum",
        measure: momentum::oscillates_less,
    },
    Claim {
        name: "adagrad-is-direct",
        says: "AdaGrad points more directly at the optimum than gradient descent",
        measure: adaptive::adagrad_is_direct,
    },
    Claim {
        name: "adagrad-stops-early",
        says: "AdaGrad's steps shrink until it stops too early",
        measure: adaptive::adagrad_stops_early,
    },
    Claim {
        name: "rmsprop-keeps-going",
        says: "RMSProp does not stop as AdaGrad does",
        measure: adaptive::rmsprop_keeps_going,
    },
    Claim {
        name: "bias-correction",
        says: "Adam's bias correction matters in the first steps",
        measure: bias::correction_matters_first,
    },
    Claim {
        name: "adam-needs-least-tuning",
        says: "Of five optimizers Adam, at its default 0.001, needs the least tuning",
        measure: tuning::adam_needs_least,
    },
];

/// Puts claims to the test.
///
/// # Errors
/// If there is no claim of a name, or a training fails for a reason other than that it diverges.
pub fn run(args: &Args) -> Result<Findings> {
    let claims = choose(&args.only)?;
    let (backend, device) = args.machine.open()?;
    let effort = Effort { device, epochs: args.epochs, seeds: args.seeds };
    let bar = progress::bar(claims.len() as u64, "claims");
    let mut found = Vec::new();
    for claim in claims {
        bar.set_message(claim.name);
        found.push((claim, (claim.measure)(&effort)?));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let results = found.iter().map(|(claim, finding)| {
        json!({
            "name": claim.name,
            "claim": claim.says,
            "measured": finding.measured,
            "holds": finding.holds,
            "lines": finding.picture.lines,
        })
    });
    let results = json!({
        "backend": backend.name,
        "epochs": args.epochs,
        "seeds": args.seeds,
        "claims": results.collect::<Vec<_>>(),
    });
    Ok(Findings { report: report(&found), results })
}

/// The claims of these names; all if there are none.
fn choose(names: &[String]) -> Result<Vec<&'static Claim>> {
    let find = |name: &String| {
        let claim = CLAIMS.iter().find(|claim| claim.name == name);
        let Some(claim) = claim else {
            bail!("--only: {}", unknown("claim", name, CLAIMS.iter().map(|claim| claim.name)))
        };
        Ok(claim)
    };
    if names.is_empty() { Ok(CLAIMS.iter().collect()) } else { names.iter().map(find).collect() }
}

/// The names of all claims, for a help.
pub fn names_of_all() -> String {
    CLAIMS.map(|claim| claim.name).join(", ")
}

fn report(found: &[(&Claim, Finding)]) -> Report {
    let verdict = |holds| if holds { "holds" } else { "does not hold" };
    let row = |(claim, finding): &(&Claim, Finding)| {
        vec![claim.says.into(), finding.measured.clone(), verdict(finding.holds).into()]
    };
    let table = Table {
        columns: ["claim", "measured", "verdict"].map(Into::into).into(),
        rows: found.iter().map(row).collect(),
    };
    let holding = found.iter().filter(|(_, finding)| finding.holds).count();
    let all = Section {
        title: format!("{holding} of {} claims hold", found.len()),
        text:
            "A verdict follows from the numbers beside it. What is said of a rule is measured on \
               the rule itself in f64, on the bowl ½(x² + 25y²); what is said of training, on \
               generated data."
                .into(),
        parts: vec![Part::Table(table)],
    };
    let section = |(claim, finding): &(&Claim, Finding)| {
        let Picture { x, y, lines } = finding.picture.clone();
        let title = claim.says.into();
        let chart = Chart { name: claim.name.into(), title, x, y, lines };
        let text = format!("{}. It {}.", finding.measured, verdict(finding.holds));
        Section { title: claim.says.into(), text, parts: vec![Part::Chart(chart)] }
    };
    Report {
        title: "What is said of optimizers, measured".into(),
        made: Made::default(),
        sections: [all].into_iter().chain(found.iter().map(section)).collect(),
    }
}

impl Picture {
    /// A chart with these axes, each logarithmic or not.
    fn new(x: (&str, bool), y: (&str, bool), lines: Vec<Line>) -> Self {
        let axis = |(name, logarithmic): (&str, bool)| Axis { name: name.into(), logarithmic };
        Self { x: axis(x), y: axis(y), lines }
    }
}

/// A line through numbers that follow on one another, from 0.
fn line(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Line {
    let point = |(step, value): (usize, f64)| [Some(step as f64), Some(value)];
    Line::new(name, values.into_iter().enumerate().map(point).collect())
}

/// A line through points.
fn through(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
    let point = |(x, y)| [Some(x), Some(y)];
    Line::new(name, points.into_iter().map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_descent_examples::backend::Backend;

    /// What needs no training is quick, exact, and the same on every machine.
    #[test]
    fn claims_of_the_rules_have_their_verdicts() {
        let device = Backend::first().unwrap().open().unwrap();
        let effort = Effort { device, epochs: 1, seeds: 1 };
        for claim in &CLAIMS {
            let trains = claim.name.starts_with("small-batches") || claim.name.starts_with("adam-");
            if !trains {
                let finding = (claim.measure)(&effort).unwrap();
                println!("{}: {}", claim.name, finding.measured);
                assert!(finding.holds, "{}: {}", claim.name, finding.measured);
                assert!(finding.picture.lines.iter().all(|line| line.points.len() > 1));
            }
        }
    }

    #[test]
    fn names_are_found_or_suggested() {
        assert_eq!(choose(&[]).unwrap().len(), CLAIMS.len());
        let error = choose(&["bias-corection".into()]).unwrap_err().to_string();
        assert!(error.contains("did you mean `bias-correction`?"), "{error}");
    }
}
