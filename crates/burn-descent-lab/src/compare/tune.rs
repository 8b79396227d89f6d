//! What is tuned, and the points that are tried.

use crate::choice::Choice;
use anyhow::{Context, Result, bail, ensure};
use burn_descent::rules::check_lr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The learning rate is tuned as options are, under this name.
const LR: &str = "lr";

/// A wish to tune an option, as in `beta1=0.8..0.99`, `weight_decay=1e-4..0.1:log`,
/// `adam.beta2=0.9..0.9999:decay` or `lr=1e-4..1:log`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tune {
    /// Only of this optimizer; of every one that has the option if there is none.
    pub optimizer: Option<String>,
    /// Which option, and where.
    pub axis: Axis,
}

/// An option and the values that are tried of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The option.
    pub name: String,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
    /// Which values are equally likely.
    pub scale: Scale,
}

/// Which values are equally likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Equal differences.
    Linear,
    /// Equal ratios.
    Log,
    /// Equal ratios of what is missing to 1: 0.9 is as far from 0.99 as that from 0.999.
    Decay,
}

/// The settings of an optimizer that are tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// The learning rate.
    lr: Axis,
    /// Options.
    options: Vec<Axis>,
}

/// A learning rate, and values of the options that are tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The learning rate.
    pub lr: f64,
    /// Option and value.
    pub options: Vec<(String, f64)>,
}

impl Axis {
    fn new(name: &str, low: f64, high: f64, scale: Scale) -> Result<Self> {
        ensure!(low.is_finite() && high.is_finite() && low < high, "{low} is not less than {high}");
        ensure!(scale != Scale::Log || low > 0.0, "with :log both must be greater than 0");
        ensure!(scale != Scale::Decay || high < 1.0, "with :decay both must be less than 1");
        Ok(Self { name: name.into(), low, high, scale })
    }

    /// The value at a place from 0 to 1.
    fn at(&self, place: f64) -> f64 {
        let between = |low: f64, high: f64| low + place * (high - low);
        let geometric = |low: f64, high: f64| between(low.ln(), high.ln()).exp();
        match self.scale {
            Scale::Linear => between(self.low, self.high),
            Scale::Log => geometric(self.low, self.high),
            Scale::Decay => 1.0 - geometric(1.0 - self.low, 1.0 - self.high),
        }
    }
}

impl Space {
    /// What is tuned of an optimizer: the learning rate, from its start in the registry divided by
    /// `span` to that times `span` unless a wish says otherwise, and the options that it has.
    ///
    /// # Errors
    /// If an end of a range is not allowed.
    pub fn new(choice: &Choice, span: f64, wishes: &[Tune]) -> Result<Self> {
        let start = choice.method.lr();
        let mut lr = Axis::new(LR, start / span, start * span, Scale::Log)?;
        let mut options: Vec<Axis> = Vec::new();
        for Tune { optimizer, axis } in wishes.iter().filter(|wish| wish.concerns(choice)) {
            if axis.name == LR {
                lr = axis.clone();
                continue;
            }
            let set = choice.options.iter().any(|(name, _)| *name == axis.name);
            ensure!(!set, "--tune: {} of {choice} is set already", axis.name);
            // What is said of one optimizer goes before what is said of all.
            match options.iter_mut().find(|other| other.name == axis.name) {
                Some(other) if optimizer.is_some() => *other = axis.clone(),
                Some(_) => {}
                None => options.push(axis.clone()),
            }
        }
        let space = Self { lr, options };
        for place in [0.0, 1.0_f64.next_down()] {
            let place = |_| place;
            space.setting(place).check(choice).context("--tune")?;
        }
        Ok(space)
    }

    /// Point `index` of a scrambled Sobol sequence: wherever one stops, the points so far are
    /// spread evenly (Burley 2020, <http://www.jcgt.org/published/0009/04/01/>). The same index and
    /// seed give every optimizer the same places.
    pub fn point(&self, index: u32, seed: u32) -> Setting {
        self.setting(|axis| f64::from(sobol_burley::sample(index, axis, seed)))
    }

    fn setting(&self, place: impl Fn(u32) -> f64) -> Setting {
        let option =
            |(dimension, axis): (u32, &Axis)| (axis.name.clone(), axis.at(place(dimension)));
        Setting {
            lr: self.lr.at(place(0)),
            options: (1..).zip(&self.options).map(option).collect(),
        }
    }
}

impl Setting {
    /// The options as a registry takes them.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.options.iter().map(|(name, value)| (name.clone(), value.to_string()))
    }

    fn check(&self, choice: &Choice) -> Result<()> {
        check_lr(choice.method.name(), self.lr)?;
        let options = choice.options.iter().cloned().chain(self.pairs()).collect();
        Choice::new(choice.method, options).map(drop)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lr {:.2e}", self.lr)?;
        self.options.iter().try_for_each(|(name, value)| write!(f, " {name} {value:.4}"))
    }
}

impl Tune {
    /// Does the optimizer have this option, and is it meant?
    fn concerns(&self, choice: &Choice) -> bool {
        let method = choice.method;
        let has = || {
            self.axis.name == LR || method.options().iter().any(|(name, _)| *name == self.axis.name)
        };
        self.optimizer.as_ref().is_none_or(|name| name == method.name()) && has()
    }

    /// Finds out whether a wish concerns any of some optimizers.
    ///
    /// # Errors
    /// If not: it would be without effect.
    pub fn check(&self, choices: &[Choice]) -> Result<()> {
        if choices.iter().any(|choice| self.concerns(choice)) {
            return Ok(());
        }
        let name = &self.axis.name;
        match &self.optimizer {
            Some(optimizer) => bail!(
                "--tune {optimizer}.{name}: `{optimizer}` with an option `{name}` is not compared"
            ),
            None => bail!("--tune {name}: no optimizer that is compared has an option `{name}`"),
        }
    }
}

impl fmt::Display for Tune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Axis { name, low, high, scale } = &self.axis;
        let scale = match scale {
            Scale::Linear => "",
            Scale::Log => ":log",
            Scale::Decay => ":decay",
        };
        self.optimizer.iter().try_for_each(|optimizer| write!(f, "{optimizer}."))?;
        write!(f, "{name}={low}..{high}{scale}")
    }
}

impl FromStr for Tune {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let form = "it must be [OPTIMIZER.]OPTION=LOW..HIGH[:log|:decay], as in beta1=0.8..0.99";
        let (name, range) = text.split_once('=').context(form)?;
        let (optimizer, name) = match name.trim().split_once('.') {
            Some((optimizer, name)) => (Some(optimizer.into()), name),
            None => (None, name.trim()),
        };
        let (range, scale) = match range.split_once(':') {
            None => (range, Scale::Linear),
            Some((range, "log")) => (range, Scale::Log),
            Some((range, "decay")) => (range, Scale::Decay),
            Some((_, other)) => bail!("`:{other}` must be :log or :decay"),
        };
        let (low, high) = range.split_once("..").context(form)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().context(form);
        Ok(Self { optimizer, axis: Axis::new(name, number(low)?, number(high)?, scale)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(choice: &str, wishes: &[&str]) -> Result<Space> {
        let wishes: Vec<Tune> = wishes.iter().map(|wish| wish.parse().unwrap()).collect();
        Space::new(&choice.parse().unwrap(), 100.0, &wishes)
    }

    /// What makes a Sobol sequence one: of its first 2^k points one lies in each of 2^k equal
    /// intervals, in every dimension; and of two dimensions, in every box of 2^-a times 2^-(k-a).
    #[test]
    fn points_are_spread_as_a_sobol_sequence() {
        let space = space("adamw", &["beta1=0.0..0.5"]).unwrap();
        let place = |setting: &Setting| {
            let lr = (setting.lr / 1e-5).ln() / 1e4_f64.ln();
            [lr, setting.options[0].1 / 0.5]
        };
        for seed in [0, 7] {
            let points: Vec<[f64; 2]> = (0..64).map(|i| place(&space.point(i, seed))).collect();
            for bits in 0..=6 {
                let (wide, high) = (f64::from(1 << bits), f64::from(1 << (6 - bits)));
                let mut boxes: Vec<[u32; 2]> = points
                    .iter()
                    .map(|[x, y]| [(x * wide + 1e-7) as u32, (y * high + 1e-7) as u32])
                    .collect();
                boxes.sort_unstable();
                boxes.dedup();
                assert_eq!(boxes.len(), 64, "seed {seed}, {wide} x {high}");
            }
        }
    }

    #[test]
    fn scales_run_from_end_to_end() {
        let at = |wish: &str, place| wish.parse::<Tune>().unwrap().axis.at(place);
        assert_eq!(at("a=1..3", 0.5), 2.0);
        assert!((at("a=1e-4..1e-2:log", 0.5) - 1e-3).abs() < 1e-12);
        assert!((at("a=0.9..0.999:decay", 0.5) - 0.99).abs() < 1e-12);
        assert!((at("a=0..0.99:decay", 0.0)).abs() < 1e-12);
    }

    #[test]
    fn the_learning_rate_lies_around_its_start() {
        let lrs = (0..32).map(|i| space("adam", &[]).unwrap().point(i, 1).lr);
        assert!(lrs.clone().all(|lr| (1e-5..0.1).contains(&lr)));
        let given = space("adam", &["lr=0.5..1"]).unwrap();
        assert!((0.5..1.0).contains(&given.point(3, 1).lr));
    }

    #[test]
    fn what_is_said_of_one_goes_before_what_is_said_of_all() {
        for wishes in
            [["beta1=0.1..0.2", "adam.beta1=0.8..0.9"], ["adam.beta1=0.8..0.9", "beta1=0.1..0.2"]]
        {
            let value = |choice| space(choice, &wishes).unwrap().point(5, 0).options[0].1;
            assert!((0.8..0.9).contains(&value("adam")));
            assert!((0.1..0.2).contains(&value("adamw")));
        }
        assert!(space("sgd", &["beta1=0.1..0.2"]).unwrap().options.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parse = |text: &str| text.parse::<Tune>().unwrap_err().to_string();
        assert!(parse("beta1").contains("OPTION=LOW..HIGH"));
        assert!(parse("beta1=0.9").contains("OPTION=LOW..HIGH"));
        assert!(parse("beta1=0.9..0.8").contains("0.9 is not less than 0.8"));
        assert!(parse("eps=0..1:log").contains("greater than 0"));
        assert!(parse("eps=1..2:lin").contains(":log or :decay"));
        let error = |wish| format!("{:#}", space("adam", &[wish]).unwrap_err());
        assert!(error("beta1=0.5..1.5").contains("beta1 = 1.5 is not allowed"));
        let fixed = space("adam:beta1=0.8", &["beta1=0.5..0.9"]).unwrap_err().to_string();
        assert!(fixed.contains("is set already"));
        let choices = ["sgd".parse().unwrap()];
        let none = "beta1=0.5..0.9".parse::<Tune>().unwrap().check(&choices).unwrap_err();
        assert!(none.to_string().contains("no optimizer that is compared has"));
    }
}
