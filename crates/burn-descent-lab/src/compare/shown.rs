//! A comparison in tables and charts.

use super::journal::{Phase, Trial};
use super::study::Study;
use super::summary::{Contest, LEVEL, Pair, Standing, Verdict, outcomes_of};
use crate::made::Made;
use crate::report::{Axis, Chart, Line, Part, Report, Section, Table};
use crate::statistics::Spread;
use crate::training::Outcome;

/// The report of a comparison.
pub(super) fn report(study: &Study, contest: &Contest, trials: &[Trial]) -> Report {
    let names = study.names();
    let score = study.score();
    let standings = Section {
        title: verdict(contest, study),
        text: METHOD.into(),
        parts: vec![Part::Table(table(contest, study))],
    };
    let tuning = Section {
        title: "How much the learning rate matters".into(),
        text: "Every setting that was tried, scored on examples that were held out of training. A gap is \
               a training that diverged. The wider the top, the less an optimizer has to be tuned."
            .into(),
        parts: vec![Part::Chart(sensitivity(&names, score, trials))],
    };
    let curves = Section {
        title: "How they get there".into(),
        text: "The best setting of each on the test examples: the median over the seeds, and the \
               quartiles around it. Trainings that diverged are left out."
            .into(),
        parts: vec![Part::Chart(curves(&names, score, trials))],
    };
    let mut sections = vec![standings];
    if !contest.pairs.is_empty() {
        sections.push(Section {
            title: "Which differences are beyond chance".into(),
            text: format!(
                "Wilcoxon's signed-rank test, exact, of the scores paired by seed: within a pair first \
                 weights and order of the examples are the same. p is adjusted by Holm's method for all \
                 pairs, and a difference is claimed below {LEVEL}."
            ),
            parts: vec![Part::Table(pairs(&contest.pairs))],
        });
    }
    sections.extend([tuning, curves]);
    let estimates = estimates(&names, trials);
    if !estimates.lines.is_empty() {
        sections.push(Section {
            title: "What they find in place of a learning rate".into(),
            text: "The estimate of optimizers that have one, by the steps of the best setting of each: the \
                   median over the seeds, and the quartiles around it."
                .into(),
            parts: vec![Part::Chart(estimates)],
        });
    }
    Report {
        title: format!("{} on {}", names.join(", "), study.data()),
        made: Made::default(),
        sections,
    }
}

const METHOD: &str = "Each optimizer was tuned with the same number of trainings, on the training examples \
                      alone. The best setting of each was then trained from fresh seeds; its score is that of its \
                      best epoch on the test examples. Steps, seconds and the number that reached the target are \
                      those of these final trainings. The share of settings close to the best is one of those \
                      that were tried; of what diverged, the first number is of those that were tried, the second \
                      of the final trainings. A learning rate at the edge is the least or the greatest that was \
                      tried: a wider range may have better ones. The result holds for this task, these ranges and \
                      this budget.";

fn verdict(contest: &Contest, study: &Study) -> String {
    let score = study.score();
    let verdict = match &contest.verdict {
        Verdict::Winner(name) => {
            format!(
                "{name} is best: its {score} is higher than that of every other, beyond chance."
            )
        }
        Verdict::Undecided(names) => {
            format!("No winner: {} cannot be told apart by their {score}", names.join(", "))
        }
        Verdict::Alone => "One optimizer alone: there is nothing to compare".into(),
    };
    let needed = contest.seeds_needed.map(|needed| {
        format!(". No difference can be significant with so few seeds: it takes --seeds {needed} at least")
    });
    verdict + &needed.unwrap_or_default()
}

fn table(contest: &Contest, study: &Study) -> Table {
    let target = contest.target.map_or("the target".into(), |target| format!("{target:.4}"));
    let (score, within) = (study.score(), study.within());
    let columns = [
        "optimizer".into(),
        "best setting".into(),
        format!("{score}, median"),
        "quartiles".into(),
        format!("steps to {target}"),
        "seconds".into(),
        "reached".into(),
        format!("within {within} of best"),
        "diverged".into(),
    ];
    let row = |standing: &Standing| {
        let Standing { score, scores, reached, steps, seconds, tried, .. } = standing;
        let number = |value: Option<f64>, digits| {
            value.map_or("-".into(), |value| format!("{value:.digits$}"))
        };
        let score_of =
            |part: fn(&Spread) -> f64| score.as_ref().map_or("-".into(), |s| shown(part(s)));
        vec![
            standing.optimizer.clone(),
            match &standing.setting {
                Some(setting) if standing.at_edge => format!("{setting}, at the edge"),
                Some(setting) => setting.to_string(),
                None => "all diverged".into(),
            },
            score_of(|score| score.median),
            format!("{} to {}", score_of(|score| score.lower), score_of(|score| score.upper)),
            number(*steps, 0),
            number(*seconds, 2),
            format!("{reached} of {}", scores.len()),
            format!("{:.0} % of {tried}", 100.0 * standing.nearly_best),
            format!(
                "{} of {tried}, {} of {}",
                standing.tried_diverged,
                standing.evaluated_diverged,
                scores.len()
            ),
        ]
    };
    Table { columns: columns.into(), rows: contest.standings.iter().map(row).collect() }
}

/// A score; minus infinity is that of what diverged.
fn shown(score: f64) -> String {
    if score.is_finite() { format!("{score:.4}") } else { "diverged".into() }
}

fn pairs(pairs: &[Pair]) -> Table {
    let row = |pair: &Pair| {
        let Pair { better, worse, difference, p, adjusted } = pair;
        let sure = *adjusted < LEVEL && *difference > 0.0;
        vec![
            better.clone(),
            worse.clone(),
            if difference.is_finite() { format!("{difference:+.4}") } else { "∞".into() },
            format!("{p:.4}"),
            format!("{adjusted:.4}"),
            if sure { "better" } else { "cannot be told apart" }.into(),
        ]
    };
    let columns = ["this", "against", "median difference", "p", "p, adjusted", "verdict"];
    Table { columns: columns.map(Into::into).into(), rows: pairs.iter().map(row).collect() }
}

fn sensitivity(names: &[String], score: &str, trials: &[Trial]) -> Chart {
    let line = |name: &String| {
        let of = |trial: &&Trial| trial.key.phase == Phase::Tune && trial.key.optimizer == *name;
        let mut points: Vec<(f64, Option<f64>)> = trials
            .iter()
            .filter(of)
            .map(|trial| (trial.setting.lr, trial.outcome.best()))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line::new(name, points.into_iter().map(|(lr, y)| [Some(lr), y]).collect())
    };
    Chart {
        name: "learning-rates".into(),
        title: format!("{score} over the learning rate"),
        x: Axis { name: "learning rate".into(), logarithmic: true },
        y: Axis { name: format!("{score}, on kept examples"), logarithmic: false },
        lines: names.iter().map(line).collect(),
    }
}

fn curves(names: &[String], score: &str, trials: &[Trial]) -> Chart {
    let line =
        |name: &String| spread_line(name, &spreads(&outcomes_of(trials, Phase::Evaluate, name)));
    Chart {
        name: "curves".into(),
        title: format!("{score} over the steps"),
        x: Axis { name: "step".into(), logarithmic: false },
        y: Axis { name: format!("{score}, on test examples"), logarithmic: false },
        lines: names.iter().map(line).collect(),
    }
}

/// The estimates of optimizers that find their own learning rate.
fn estimates(names: &[String], trials: &[Trial]) -> Chart {
    let line = |name: &String| {
        let outcomes = outcomes_of(trials, Phase::Evaluate, name);
        let found = outcomes.iter().flat_map(|outcome| &outcome.estimates);
        let last =
            outcomes.iter().map(|outcome| outcome.steps_an_epoch * outcome.epochs.len() as u64);
        let mut steps: Vec<u64> = found.map(|(step, _)| *step).chain(last).collect();
        steps.sort_unstable();
        steps.dedup();
        let spread = |step: u64| {
            let all: Vec<f64> =
                outcomes.iter().filter_map(|outcome| outcome.estimate(step)).collect();
            Some((step as f64, Spread::of(&all)?))
        };
        let spreads: Vec<(f64, Spread)> = steps.into_iter().filter_map(spread).collect();
        (!spreads.is_empty()).then(|| spread_line(name, &spreads))
    };
    Chart {
        name: "estimates".into(),
        title: "estimate of the learning rate over the steps".into(),
        x: Axis { name: "step".into(), logarithmic: true },
        y: Axis { name: "estimate".into(), logarithmic: true },
        lines: names.iter().filter_map(line).collect(),
    }
}

/// Medians over steps, and the quartiles around them.
fn spread_line(name: &str, spreads: &[(f64, Spread)]) -> Line {
    let median = |(step, spread): &(f64, Spread)| [Some(*step), Some(spread.median)];
    let quartiles = |(step, spread): &(f64, Spread)| [*step, spread.lower, spread.upper];
    Line {
        band: spreads.iter().map(quartiles).collect(),
        ..Line::new(name, spreads.iter().map(median).collect())
    }
}

/// Steps and the spread of the scores after them, epoch by epoch.
fn spreads(outcomes: &[&Outcome]) -> Vec<(f64, Spread)> {
    let sound: Vec<&&Outcome> =
        outcomes.iter().filter(|outcome| outcome.diverged.is_none()).collect();
    let longest = sound.iter().map(|outcome| outcome.epochs.len()).max().unwrap_or(0);
    let spread = |epoch: usize| {
        let scores: Vec<f64> =
            sound.iter().filter_map(|outcome| outcome.epochs.get(epoch)?.score).collect();
        let steps = sound.first()?.steps_an_epoch * (epoch as u64 + 1);
        Some((steps as f64, Spread::of(&scores)?))
    };
    (0..longest).filter_map(spread).collect()
}
