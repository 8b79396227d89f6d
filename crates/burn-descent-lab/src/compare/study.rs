//! All trainings of a comparison.

use super::args::Args;
use super::journal::{Journal, Key, Phase, Trial};
use super::summary::seeds_needed;
use super::tune::{Setting, Space};
use crate::choice::Choice;
use crate::progress;
use crate::training::{Bench, Limits, Outcome};
use anyhow::{Context, Result};
use burn_descent_examples::args::{Common, Machine};
use burn_descent_examples::around::Around;
use burn_descent_examples::recipe::Recipe;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::io::{Write, stderr};
use std::path::Path;

/// A comparison that is asked for, checked.
#[derive(Debug)]
pub struct Study {
    /// How every training begins; optimizer, setting and seed are each one's own.
    base: Recipe,
    candidates: Vec<Candidate>,
    trials: u32,
    seeds: u32,
    limits: Limits,
    asked: Map<String, Value>,
    within: f64,
    machine: Machine,
    around: Around,
}

/// An optimizer, and what is tried of it.
#[derive(Debug)]
struct Candidate {
    name: String,
    choice: Choice,
    space: Space,
}

impl Study {
    /// Checks what is asked for, before anything takes time.
    ///
    /// # Errors
    /// If it does not fit together.
    pub fn new(args: &Args) -> Result<Self> {
        let common = Common {
            data: args.data.clone(),
            state: args.state,
            weights: args.weights,
            schedule: Some(args.schedule.clone()),
            batch_size: Some(args.batch_size),
            model: Some(args.model),
            hidden: Some(args.hidden.clone()),
            seed: Some(args.seed),
            ..Common::default()
        };
        let base = Recipe::new(args.task, &common, None)?;
        let choices = &args.optimizers.0;
        args.tune.iter().try_for_each(|wish| wish.check(choices))?;
        let candidate = |choice: &Choice| {
            let space = Space::new(choice, args.lr_span, &args.tune)?;
            Ok(Candidate { name: choice.to_string(), choice: choice.clone(), space })
        };
        let candidates = choices.iter().map(candidate).collect::<Result<Vec<_>>>()?;
        let asked = json!({
            "task": args.task.program(),
            "data": base.source,
            "optimizers": candidates.iter().map(|candidate| &candidate.name).collect::<Vec<_>>(),
            "trials": args.trials,
            "seeds": args.seeds,
            "epochs": args.epochs,
            "budget": args.budget,
            "tune": args.tune.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "lr_span": args.lr_span,
            "state": base.state,
            "weights": base.weights,
            "mechanic": args.mechanic,
            "schedule": args.schedule,
            "batch_size": base.batch_size.to_string(),
            "model": base.model.to_string(),
            "hidden": base.hidden.to_string(),
            "seed": args.seed,
        });
        Ok(Self {
            base,
            candidates,
            trials: args.trials,
            seeds: args.seeds,
            limits: Limits { epochs: args.epochs, seconds: args.budget },
            asked: asked.as_object().cloned().unwrap_or_default(),
            within: args.within,
            machine: args.machine.clone(),
            around: Around { mechanic: args.mechanic, ..Around::default() },
        })
    }

    /// The optimizers as they were asked for.
    pub fn names(&self) -> Vec<String> {
        self.candidates.iter().map(|candidate| candidate.name.clone()).collect()
    }

    /// All that decides what the trainings give, by name.
    pub fn asked(&self) -> &Map<String, Value> {
        &self.asked
    }

    /// The name of the score.
    pub fn score(&self) -> &'static str {
        self.base.task.score()
    }

    /// What is less than this below the best is nearly as good.
    pub fn within(&self) -> f64 {
        self.within
    }

    /// The data in words.
    pub fn data(&self) -> String {
        self.base.source.name()
    }

    /// Trains all that is not done yet.
    ///
    /// # Errors
    /// If the folder is of another comparison, or a training fails for a reason other than that it
    /// diverges.
    pub fn run(&self, folder: Option<&Path>) -> Result<Journal> {
        let data = self.base.source.load(self.base.task, self.base.seed)?;
        let (backend, device) = self.machine.open()?;
        let mut asked = self.asked.clone();
        asked.insert("checksum".into(), json!(data.checksum()));
        asked.insert("backend".into(), json!(backend.name));
        let journal = Journal::open(folder, &asked)?;
        data.notes.iter().for_each(tell);
        if let Some(needed) = seeds_needed(self.seeds, self.pairs()) {
            tell(format_args!(
                "with {} seeds no difference can be claimed, however great: it takes --seeds {needed}",
                self.seeds
            ));
        }
        let mut work = Work {
            journal,
            limits: self.limits,
            bar: progress::bar(
                u64::from(self.trials + self.seeds) * self.candidates.len() as u64,
                "compare",
            ),
        };

        // All optimizers take turns: one that is interrupted has come equally far with each.
        let bench = Bench::new(data.for_choosing(self.base.seed)?, &device);
        let bench = bench.around(self.around.clone());
        for index in 0..self.trials {
            for candidate in &self.candidates {
                let setting = candidate.space.point(index, self.base.seed as u32);
                let recipe = self.recipe(candidate, &setting, self.base.seed);
                work.train(&bench, &recipe, candidate.key(Phase::Tune, index), &setting)?;
            }
        }
        let bench = Bench::new(data, &device).around(self.around.clone());
        for seed in 1..=self.seeds {
            for candidate in &self.candidates {
                match best(work.journal.trials(), &candidate.name).cloned() {
                    Some(setting) => {
                        let recipe =
                            self.recipe(candidate, &setting, self.base.seed + u64::from(seed));
                        work.train(
                            &bench,
                            &recipe,
                            candidate.key(Phase::Evaluate, seed),
                            &setting,
                        )?;
                    }
                    None => work.bar.inc(1),
                }
            }
        }
        work.bar.finish_and_clear();
        Ok(work.journal)
    }

    fn pairs(&self) -> usize {
        let n = self.candidates.len();
        n * (n - 1) / 2
    }

    fn recipe(&self, candidate: &Candidate, setting: &Setting, seed: u64) -> Recipe {
        let Choice { method, options } = &candidate.choice;
        let options =
            method.options().into_iter().chain(options.iter().cloned()).chain(setting.pairs());
        Recipe {
            optimizer: method.name().into(),
            options: options.collect(),
            lr: setting.lr,
            seed,
            ..self.base.clone()
        }
    }
}

impl Candidate {
    fn key(&self, phase: Phase, index: u32) -> Key {
        Key { phase, optimizer: self.name.clone(), index }
    }
}

/// The setting with the greatest score of those that were tried; where scores are equal, as
/// accuracies often are, that with the least loss. There is none if all diverged.
pub(super) fn best<'a>(trials: &'a [Trial], optimizer: &str) -> Option<&'a Setting> {
    let tried = trials
        .iter()
        .filter(|trial| trial.key.phase == Phase::Tune && trial.key.optimizer == optimizer)
        .filter_map(|trial| Some((trial, trial.outcome.best()?, trial.outcome.least_loss()?)));
    let better =
        |a: &(_, f64, f64), b: &(_, f64, f64)| a.1.total_cmp(&b.1).then(b.2.total_cmp(&a.2));
    // The last of equal ones would be taken.
    tried.rev().max_by(better).map(|(trial, ..)| &trial.setting)
}

/// Trainings being done.
struct Work {
    journal: Journal,
    limits: Limits,
    bar: ProgressBar,
}

impl Work {
    fn train(&mut self, bench: &Bench, recipe: &Recipe, key: Key, setting: &Setting) -> Result<()> {
        if self.journal.find(&key, setting)?.is_none() {
            let name = format!("{} {setting}", key.optimizer);
            self.bar.set_message(name.clone());
            let outcome = bench.train(recipe, self.limits).with_context(|| name.clone())?;
            self.say(&format!("{name}: {}", score(&outcome)));
            self.journal.push(Trial { key, setting: setting.clone(), outcome })?;
        }
        self.bar.inc(1);
        Ok(())
    }

    /// Where there is no bar to watch, a line.
    fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            let (done, all) = (self.bar.position() + 1, self.bar.length().unwrap_or(0));
            tell(format_args!("{done}/{all} {line}"));
        }
    }
}

/// Says something on the way. A reader that has gone away is no reason to stop.
fn tell(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}

fn score(outcome: &Outcome) -> String {
    match outcome.best() {
        Some(score) => format!("{score:.4}"),
        None => "diverged".into(),
    }
}
