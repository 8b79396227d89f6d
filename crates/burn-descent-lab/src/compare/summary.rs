//! What all trainings together say.

use super::journal::{Phase, Trial};
use super::study::best;
use super::tune::Setting;
use crate::statistics::{Spread, holm, quantile, signed_rank};
use crate::training::Outcome;
use serde::Serialize;

/// A difference is claimed where the chance of one as great, if there were none, is below this.
pub(super) const LEVEL: f64 = 0.05;

/// How the optimizers stand against one another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contest {
    /// The score that steps and seconds are counted to; there is none if nothing was reached.
    pub target: Option<f64>,
    /// The optimizers, the best first.
    pub standings: Vec<Standing>,
    /// All pairs of them.
    pub pairs: Vec<Pair>,
    /// Who is best.
    pub verdict: Verdict,
    /// Is a difference possible with so many seeds that is as sure as it has to be? If not, so many
    /// would be needed.
    pub seeds_needed: Option<u32>,
}

/// What came of an optimizer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Its name, as it was asked for.
    pub optimizer: String,
    /// The best of the settings that were tried; there is none if all diverged.
    pub setting: Option<Setting>,
    /// Is its learning rate the least or the greatest that was tried? A wider range may have better
    /// ones.
    pub at_edge: bool,
    /// The best test score of each final training, by seed; minus infinity where it diverged.
    pub scores: Vec<f64>,
    /// Their spread.
    pub score: Option<Spread>,
    /// How many final trainings reached the target.
    pub reached: usize,
    /// The median of the steps to the target, if half of them reached it.
    pub steps: Option<f64>,
    /// The median of the seconds to the target, if half of them reached it.
    pub seconds: Option<f64>,
    /// The share of the settings that were tried whose score was nearly the best.
    pub nearly_best: f64,
    /// How many of the settings that were tried diverged.
    pub tried_diverged: usize,
    /// How many settings were tried.
    pub tried: usize,
    /// How many of the final trainings diverged.
    pub evaluated_diverged: usize,
}

/// Two optimizers, scored with the same seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// One of them, the better one in the median.
    pub better: String,
    /// The other.
    pub worse: String,
    /// The median of the differences of their scores, seed by seed.
    pub difference: f64,
    /// The p-value of the signed-rank test.
    pub p: f64,
    /// The same, adjusted for the number of pairs.
    pub adjusted: f64,
}

/// Who is best.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// One is better than each other one, beyond chance.
    Winner(String),
    /// The first of these has the greatest median; the others are not worse beyond chance.
    Undecided(Vec<String>),
    /// There is nothing to compare.
    Alone,
}

impl Contest {
    /// Of so many seeds with which each optimizer was evaluated. Without a target it is the greatest score that
    /// half of the final trainings of every optimizer reach; scores less than `within` below the
    /// best are nearly as good.
    pub fn new(
        names: &[String],
        seeds: u32,
        trials: &[Trial],
        target: Option<f64>,
        within: f64,
    ) -> Self {
        let evaluated: Vec<Vec<Option<&Outcome>>> =
            names.iter().map(|name| outcomes(trials, Phase::Evaluate, name, 1..=seeds)).collect();
        let scores = |outcomes: &Vec<Option<&Outcome>>| -> Vec<f64> {
            let score = |outcome: &Option<&Outcome>| outcome.and_then(Outcome::best);
            outcomes.iter().map(|outcome| score(outcome).unwrap_or(f64::NEG_INFINITY)).collect()
        };
        let medians = evaluated.iter().filter_map(|outcomes| quantile(&scores(outcomes), 0.5));
        let least = medians.filter(|median| median.is_finite()).reduce(f64::min);
        let target = target.or(least);
        let mut standings: Vec<Standing> = names
            .iter()
            .zip(&evaluated)
            .map(|(name, outcomes)| {
                let reached: Vec<_> = outcomes
                    .iter()
                    .map(|outcome| outcome.and_then(|outcome| outcome.reached(target?)))
                    .collect();
                let half = |part: fn((u64, f64)) -> f64| {
                    let values: Vec<f64> =
                        reached.iter().map(|reached| reached.map_or(f64::INFINITY, part)).collect();
                    quantile(&values, 0.5).filter(|median| median.is_finite())
                };
                let tried = outcomes_of(trials, Phase::Tune, name);
                let scores = scores(outcomes);
                Standing {
                    optimizer: name.clone(),
                    setting: best(trials, name).cloned(),
                    at_edge: at_edge(trials, name),
                    score: Spread::of(&scores),
                    reached: reached.iter().flatten().count(),
                    steps: half(|(steps, _)| steps as f64),
                    seconds: half(|(_, seconds)| seconds),
                    nearly_best: nearly_best(&tried, within),
                    tried_diverged: tried
                        .iter()
                        .filter(|outcome| outcome.diverged.is_some())
                        .count(),
                    tried: tried.len(),
                    evaluated_diverged: scores.iter().filter(|score| !score.is_finite()).count(),
                    scores,
                }
            })
            .collect();
        let median =
            |standing: &Standing| standing.score.map_or(f64::NEG_INFINITY, |score| score.median);
        standings.sort_by(|a, b| median(b).total_cmp(&median(a)));
        let pairs = pairs(&standings);
        let verdict = verdict(&standings, &pairs);
        let seeds_needed = seeds_needed(seeds, pairs.len());
        Self { target, standings, pairs, verdict, seeds_needed }
    }
}

/// The outcomes of trainings with these numbers, where there are any.
fn outcomes<'a>(
    trials: &'a [Trial],
    phase: Phase,
    optimizer: &str,
    numbers: impl Iterator<Item = u32>,
) -> Vec<Option<&'a Outcome>> {
    let of = |index: u32| {
        let key = |trial: &&Trial| {
            let key = &trial.key;
            key.phase == phase && key.optimizer == optimizer && key.index == index
        };
        trials.iter().find(key).map(|trial| &trial.outcome)
    };
    numbers.map(of).collect()
}

/// All outcomes of a phase.
pub(super) fn outcomes_of<'a>(
    trials: &'a [Trial],
    phase: Phase,
    optimizer: &str,
) -> Vec<&'a Outcome> {
    let of = |trial: &&Trial| trial.key.phase == phase && trial.key.optimizer == optimizer;
    trials.iter().filter(of).map(|trial| &trial.outcome).collect()
}

/// Is the learning rate of the best setting the least or the greatest that was tried?
fn at_edge(trials: &[Trial], optimizer: &str) -> bool {
    let of = |trial: &&Trial| trial.key.phase == Phase::Tune && trial.key.optimizer == optimizer;
    let rates = || trials.iter().filter(of).map(|trial| trial.setting.lr);
    let (least, greatest) = (rates().reduce(f64::min), rates().reduce(f64::max));
    let best = best(trials, optimizer).map(|setting| setting.lr);
    best.is_some() && (best == least || best == greatest)
}

/// The share of outcomes whose score is less than `within` below the best.
fn nearly_best(tried: &[&Outcome], within: f64) -> f64 {
    let scores = || tried.iter().filter_map(|outcome| outcome.best());
    let best = scores().fold(f64::NEG_INFINITY, f64::max);
    scores().filter(|score| best - score < within).count() as f64 / tried.len().max(1) as f64
}

/// All pairs: each in the order of the standings.
fn pairs(standings: &[Standing]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for (i, better) in standings.iter().enumerate() {
        for worse in &standings[i + 1..] {
            let both = better.scores.iter().zip(&worse.scores);
            // Where both diverged there is no difference.
            let differences: Vec<f64> =
                both.map(|(a, b)| if a == b { 0.0 } else { a - b }).collect();
            pairs.push(Pair {
                better: better.optimizer.clone(),
                worse: worse.optimizer.clone(),
                difference: quantile(&differences, 0.5).unwrap_or(0.0),
                p: signed_rank(&better.scores, &worse.scores),
                adjusted: 1.0,
            });
        }
    }
    let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
    pairs.iter_mut().zip(adjusted).for_each(|(pair, adjusted)| pair.adjusted = adjusted);
    pairs
}

fn verdict(standings: &[Standing], pairs: &[Pair]) -> Verdict {
    let [first, _, ..] = standings else { return Verdict::Alone };
    let unsure = pairs.iter().filter(|pair| {
        pair.better == first.optimizer && !(pair.adjusted < LEVEL && pair.difference > 0.0)
    });
    let others: Vec<String> = unsure.map(|pair| pair.worse.clone()).collect();
    if others.is_empty() {
        return Verdict::Winner(first.optimizer.clone());
    }
    Verdict::Undecided([first.optimizer.clone()].into_iter().chain(others).collect())
}

/// How many seeds it takes for a difference to be sure, were it ever so great: the least p-value of `n`
/// seeds is `2 / 2^n`, and Holm's method holds the least of all against the level divided by their number.
pub(super) fn least_seeds(pairs: usize) -> u32 {
    let sure = |n: &u32| pairs as f64 * 2.0 * 0.5_f64.powi(*n as i32) < LEVEL;
    (1..u32::MAX).find(sure).unwrap_or(u32::MAX)
}

/// How many seeds it takes, if these are too few.
pub(super) fn seeds_needed(seeds: u32, pairs: usize) -> Option<u32> {
    let needed = least_seeds(pairs);
    (seeds < needed).then_some(needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::journal::Key;
    use burn_descent_examples::train::Epoch;

    fn trial(phase: Phase, optimizer: &str, index: u32, scores: &[f64]) -> Trial {
        let epoch = |score: &f64| Epoch {
            train_loss: 1.0,
            test_loss: 1.0 - score,
            score: Some(*score),
            seconds: 2.0,
        };
        Trial {
            key: Key { phase, optimizer: optimizer.into(), index },
            setting: Setting { lr: f64::from(index), options: Vec::new() },
            outcome: Outcome {
                epochs: scores.iter().map(epoch).collect(),
                steps_an_epoch: 100,
                diverged: scores.is_empty().then(|| "it is NaN".into()),
                estimates: Vec::new(),
            },
        }
    }

    fn names() -> Vec<String> {
        ["a", "b", "c"].map(Into::into).into()
    }

    /// a is always 0.1 better than b, and diverges never; c diverges with every seed but one.
    fn trials(seeds: u32) -> Vec<Trial> {
        let mut trials = Vec::new();
        for name in ["a", "b", "c"] {
            trials.push(trial(Phase::Tune, name, 0, &[0.5, 0.895]));
            trials.push(trial(Phase::Tune, name, 1, &[0.9]));
            trials.push(trial(Phase::Tune, name, 2, &[]));
            trials.push(trial(Phase::Tune, name, 3, &[0.2]));
        }
        for seed in 1..=seeds {
            let luck = f64::from(seed % 4) / 50.0;
            trials.push(trial(Phase::Evaluate, "b", seed, &[0.3, 0.7 + luck]));
            trials.push(trial(Phase::Evaluate, "a", seed, &[0.75, 0.8 + luck]));
            trials.push(trial(Phase::Evaluate, "c", seed, if seed == 1 { &[0.99] } else { &[] }));
        }
        trials
    }

    #[test]
    fn the_better_one_wins_where_seeds_are_enough() {
        let contest = Contest::new(&names(), 8, &trials(8), Some(0.75), 0.01);
        assert_eq!(contest.verdict, Verdict::Winner("a".into()));
        assert_eq!(contest.seeds_needed, None);
        let order: Vec<_> = contest.standings.iter().map(|standing| &*standing.optimizer).collect();
        assert_eq!(order, ["a", "b", "c"]);
        let first = &contest.standings[0];
        assert_eq!((first.reached, first.steps, first.seconds), (8, Some(100.0), Some(2.0)));
        assert_eq!((first.tried, first.tried_diverged, first.nearly_best), (4, 1, 0.5));
        assert_eq!(first.setting.as_ref().unwrap().lr, 1.0);
        assert!(!first.at_edge);
        let last = &contest.standings[2];
        assert_eq!((last.evaluated_diverged, last.reached, last.steps), (7, 1, None));
        let pair = &contest.pairs[0];
        assert!((pair.difference - 0.1).abs() < 1e-12);
        assert_eq!((pair.p, pair.adjusted), (2.0 / 256.0, 6.0 / 256.0));
    }

    #[test]
    fn the_best_of_the_greatest_rate_is_at_the_edge() {
        let mut trials = trials(1);
        trials.push(trial(Phase::Tune, "a", 4, &[0.99]));
        assert!(at_edge(&trials, "a") && !at_edge(&trials, "b") && !at_edge(&trials, "d"));
    }

    #[test]
    fn too_few_seeds_decide_nothing_and_say_so() {
        let contest = Contest::new(&names(), 5, &trials(5), None, 0.01);
        assert!(matches!(&contest.verdict, Verdict::Undecided(who) if who[..2] == ["a", "b"]));
        assert_eq!(contest.seeds_needed, Some(7));
        assert_eq!(seeds_needed(5, 1), Some(6));
        assert_eq!(seeds_needed(6, 1), None);
        assert_eq!(seeds_needed(1, 0), None);
    }

    #[test]
    fn the_target_is_what_every_optimizer_reaches_by_half() {
        let two = &names()[..2];
        let contest = Contest::new(two, 8, &trials(8), None, 0.01);
        let medians = contest.standings.iter().map(|standing| standing.score.unwrap().median);
        assert_eq!(contest.target, medians.reduce(f64::min));
        assert!(contest.standings.iter().all(|standing| standing.reached >= 4));
        let alone = Contest::new(&names()[..1], 8, &trials(8), None, 0.01);
        assert_eq!(alone.verdict, Verdict::Alone);
    }
}
