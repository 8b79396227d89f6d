//! All that decides how a run trains: what the flags say, and a save where they say nothing.

use crate::args::Common;
use crate::data::Source;
use crate::model::{Kind, Network};
use crate::precision::Precision;
use crate::schedule;
use crate::task::Task;
use crate::train::Plan;
use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use burn_descent::registry::Method;
use burn_descent::rules::check_lr;
use burn_descent::{Builder, Descent, Fused, Schedule, Store, Weights, registry};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// The optimizer of a run that asks for none.
pub(crate) const OPTIMIZER: &str = "adam";

/// All that decides how a run trains, but for the number of epochs and the backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the network is trained for.
    pub task: Task,
    /// The optimizer's name in the registry.
    pub optimizer: String,
    /// Each of its options with its value.
    pub options: BTreeMap<String, String>,
    /// How its states are kept.
    #[serde(default = "full")]
    pub state: String,
    /// The type of the weights, and how they are kept.
    #[serde(default)]
    pub weights: Precision,
    /// The learning rate.
    pub lr: f64,
    /// The name of its schedule.
    pub schedule: String,
    /// The steps of its warmup.
    pub warmup: u32,
    /// How many examples make a batch.
    pub batch_size: BatchSize,
    /// Chance follows from it.
    pub seed: u64,
    /// What the network is made of.
    #[serde(default)]
    pub model: Kind,
    /// The widths of the hidden layers.
    pub hidden: Hidden,
    /// Where the examples are from.
    pub source: Source,
}

/// As they are computed.
fn full() -> String {
    Store::F32.to_string()
}

/// How many examples make a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchSize {
    /// All of them: batch gradient descent.
    All,
    /// So many: stochastic with 1, mini-batch with more.
    Rows(#[serde(deserialize_with = "one_or_more")] usize),
}

/// The widths of the hidden layers; none makes a linear model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden(#[serde(deserialize_with = "widths")] pub Vec<usize>);

/// A number in a save, 1 or more.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    NonZeroUsize::deserialize(from).map(NonZeroUsize::get)
}

/// Numbers in a save, 1 or more each.
fn widths<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<usize>, D::Error> {
    let widths = Vec::<NonZeroUsize>::deserialize(from)?;
    Ok(widths.into_iter().map(NonZeroUsize::get).collect())
}

impl Recipe {
    /// What the flags say; where they say nothing, what the save says; else the defaults.
    ///
    /// # Errors
    /// If the flags are wrong in themselves, or contradict the save in what cannot change.
    pub fn new(task: Task, flags: &Common, saved: Option<&Recipe>) -> Result<Self> {
        saved.map_or(Ok(()), |saved| saved.check_task(task))?;
        let chosen = flags.optimizer.as_ref().map(|chosen| &chosen.name);
        let optimizer = chosen.or(saved.map(|saved| &saved.optimizer));
        let optimizer = optimizer.map_or(OPTIMIZER, String::as_str).to_owned();
        let method = Method::find(&optimizer)?;
        let before = saved.filter(|saved| saved.optimizer == optimizer).map(|saved| &saved.options);
        let mut options: BTreeMap<String, String> = method.options().into_iter().collect();
        options.extend(before.cloned().unwrap_or_default());
        options.extend(flags.options());
        let state = flags.state.map(|state| state.to_string());
        let state = state.or(saved.map(|saved| saved.state.clone())).unwrap_or_else(full);
        let lr = flags.lr.or(saved.map(|saved| saved.lr)).unwrap_or(method.lr());
        check_lr(method.name(), lr)?;
        let schedule = flags.schedule.clone().or(saved.map(|saved| saved.schedule.clone()));
        let schedule = schedule.unwrap_or_else(|| "constant".into());
        schedule::check(&schedule)?;
        let source = Source::new(&flags.data.wish(), saved.map(|saved| &saved.source))?;
        let recipe = Self {
            task,
            optimizer,
            options,
            state,
            weights: flags.weights.or(saved.map(|saved| saved.weights)).unwrap_or_default(),
            lr,
            schedule,
            warmup: flags.warmup.or(saved.map(|saved| saved.warmup)).unwrap_or(0),
            batch_size: flags
                .batch_size
                .or(saved.map(|saved| saved.batch_size))
                .unwrap_or(BatchSize::Rows(32)),
            seed: flags.seed.or(saved.map(|saved| saved.seed)).unwrap_or(0),
            model: flags.model.or(saved.map(|saved| saved.model)).unwrap_or_default(),
            hidden: flags
                .hidden
                .clone()
                .or(saved.map(|saved| saved.hidden.clone()))
                .unwrap_or(Hidden(vec![64, 64])),
            source,
        };
        recipe.walk()?;
        if let Some(saved) = saved {
            recipe.agrees_with(saved)?;
        }
        Ok(recipe)
    }

    /// Finds out whether it is of a task.
    ///
    /// # Errors
    /// If it is of another.
    pub fn check_task(&self, task: Task) -> Result<()> {
        let (expected, found) = (task.program(), self.task.program());
        ensure!(self.task == task, "it is a save of `{found}`, this is `{expected}`");
        Ok(())
    }

    /// What the walk begins with.
    ///
    /// # Errors
    /// If there is nothing of this name, or it does not take these options, or cannot keep its states so.
    pub fn walk(&self) -> Result<Builder> {
        let method = Method::find(&self.optimizer)?;
        if let Method::Optimizer(_) = method {
            return Ok(Descent::builder(self.rule()?));
        }
        let name = method.name();
        let rounds = self.state != full() || self.weights.weights != Weights::AsTheyAre;
        ensure!(
            !rounds,
            "{name} moves the weights itself: leave --state and the way of --weights out"
        );
        Ok(method.walk(&self.pairs())?)
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The optimizer.
    ///
    /// # Errors
    /// If there is none of this name, or it does not take these options, or cannot keep its states so.
    pub fn rule(&self) -> Result<Fused> {
        let optimizer = registry::find(&self.optimizer)?.build(&self.pairs())?;
        let optimizer = optimizer.keep_all(self.state.parse().context("--state")?)?;
        Ok(optimizer.keep_weights(self.weights.weights))
    }

    /// The network of so many inputs and outputs, before its first step.
    ///
    /// # Errors
    /// If it is too large, or the device has no weights of its type.
    pub fn network(&self, [inputs, outputs]: [usize; 2], device: &Device) -> Result<Network> {
        let widths = [&[inputs], &self.hidden.0[..], &[outputs]].concat();
        self.weights.check(device)?;
        let network = Network::new(self.model, &widths, self.seed, &device.clone().autodiff())?;
        Ok(network.in_dtype(self.weights.dtype))
    }

    /// What is to be done with so many examples.
    pub fn plan(&self, examples: usize) -> Plan {
        let Self { task, lr, batch_size, seed, .. } = *self;
        Plan { task, lr, batch_size: batch_size.of(examples), seed }
    }

    /// The learning rate over so many steps.
    ///
    /// # Errors
    /// If the warmup leaves none of them.
    pub fn schedule(&self, steps: u64) -> Result<Box<dyn Schedule>> {
        schedule::make(&self.schedule, self.lr, steps, self.warmup.into())
    }

    /// Learning rate, batch size and options may change when a run goes on; what the saved weights,
    /// states and the choice of test examples rest on may not.
    fn agrees_with(&self, saved: &Self) -> Result<()> {
        let same = |flag: &str, given: &dyn fmt::Display, saved: &dyn fmt::Display| {
            let (given, saved) = (given.to_string(), saved.to_string());
            ensure!(given == saved, "the save was made with {flag} {saved}, not {given}");
            Ok(())
        };
        same("--optimizer", &self.optimizer, &saved.optimizer)?;
        same("--model", &self.model, &saved.model)?;
        same("--hidden", &self.hidden, &saved.hidden)?;
        same("--weights", &self.weights, &saved.weights)?;
        same("--seed", &self.seed, &saved.seed)?;
        if let Ok(Method::Search(_)) = Method::find(&self.optimizer) {
            return Ok(());
        }
        let (rule, saved) = (self.rule()?, saved.rule().context("the save's optimizer")?);
        let states = saved.state_names();
        ensure!(
            rule.state_names() == states,
            "with these options {} keeps {}, but the save has {}",
            self.optimizer,
            rule.state_names().join(" and "),
            states.join(" and ")
        );
        Ok(())
    }
}

impl BatchSize {
    /// How many of `n` examples make a batch.
    pub fn of(self, n: usize) -> usize {
        match self {
            BatchSize::All => n,
            BatchSize::Rows(rows) => rows.min(n),
        }
        .max(1)
    }

    /// How many batches make an epoch of `n` examples.
    pub fn batches(self, n: usize) -> usize {
        n.div_ceil(self.of(n))
    }
}

impl FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "all" => Ok(BatchSize::All),
            Ok(rows) if rows > 0 => Ok(BatchSize::Rows(rows)),
            _ => Err("it must be `all` or a number of examples, 1 or more".into()),
        }
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchSize::All => f.write_str("all"),
            BatchSize::Rows(rows) => rows.fmt(f),
        }
    }
}

impl FromStr for Hidden {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let width = |part: &str| part.trim().parse().ok().filter(|width| *width > 0);
        text.split(',').map(width).collect::<Option<_>>().map(Self).ok_or_else(|| {
            "it must be the widths of the hidden layers, as in 128,64, or `none`".into()
        })
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(if widths.is_empty() { "none" } else { "" })?;
        f.write_str(&widths.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Flags;
    use clap::Parser;

    fn recipe(flags: &[&str], saved: Option<&Recipe>) -> Result<Recipe> {
        let flags = Flags::try_parse_from([&["classifier"], flags].concat())?;
        Recipe::new(Task::Classification, &flags.common, saved)
    }

    #[test]
    fn defaults_are_those_of_the_registry() {
        let recipe = recipe(&["--optimizer", "sgd"], None).unwrap();
        assert_eq!(recipe.lr, registry::find("sgd").unwrap().lr);
        let options = registry::find("sgd").unwrap().options();
        assert_eq!(recipe.options, options.into_iter().collect());
    }

    #[test]
    fn a_save_fills_in_and_flags_override_what_may_change() {
        let first = ["--optimizer", "adamw", "--set", "beta1=0.8", "--lr", "0.01", "--seed", "7"];
        let saved = recipe(&first, None).unwrap();
        assert_eq!(recipe(&[], Some(&saved)).unwrap(), saved);
        let other = recipe(&["--set", "beta2=0.9", "--batch-size", "all"], Some(&saved)).unwrap();
        assert_eq!(other.batch_size, BatchSize::All);
        assert_eq!((&*other.options["beta1"], &*other.options["beta2"]), ("0.8", "0.9"));
    }

    #[test]
    fn contradictions_are_refused() {
        let saved = recipe(&[], None).unwrap();
        let error = |flags: &[&str]| recipe(flags, Some(&saved)).unwrap_err().to_string();
        assert!(error(&["--optimizer", "sgd"]).contains("--optimizer adam, not sgd"));
        assert!(error(&["--model", "cnn"]).contains("--model mlp, not cnn"));
        assert!(error(&["--hidden", "3"]).contains("--hidden 64,64, not 3"));
        assert!(error(&["--hidden", "none"]).contains("not none"));
        assert!(error(&["--seed", "1"]).contains("--seed 0, not 1"));
        assert!(error(&["--set", "amsgrad=true"]).contains("the save has"));
    }

    #[test]
    fn a_save_holds_no_size_of_nothing() {
        let saved = serde_json::to_string(&recipe(&[], None).unwrap()).unwrap();
        assert!(serde_json::from_str::<Recipe>(&saved).is_ok());
        for (good, bad) in [("[64,64]", "[0,64]"), ("{\"rows\":32}", "{\"rows\":0}")] {
            assert!(saved.contains(good), "{saved}");
            let error = serde_json::from_str::<Recipe>(&saved.replace(good, bad)).unwrap_err();
            assert!(error.to_string().contains("nonzero"), "{error}");
        }
    }

    #[test]
    fn sizes_are_parsed() {
        assert_eq!("all".parse(), Ok(BatchSize::All));
        assert_eq!("64".parse(), Ok(BatchSize::Rows(64)));
        assert!("0".parse::<BatchSize>().is_err());
        assert_eq!("128, 64".parse(), Ok(Hidden(vec![128, 64])));
        assert!("12,,3".parse::<Hidden>().is_err());
        assert!("12,,x".parse::<Hidden>().is_err());
        assert_eq!(BatchSize::Rows(64).of(10), 10);
    }
}
