//! Every schedule says what the same one of another library says, and keeps its promises.
//!
//! `BURN_DESCENT_TRACES` names another folder of files to compare with instead of the one in the
//! repository. `cargo test --test schedules -- --nocapture` prints what was compared.

use burn_descent_golden::{
    ScheduleCase, ScheduleFile, largest_of, relative_error, schedules, traces_dir,
};
use burn_descent_rules::schedules::{
    Anneal, Better, Cosine, CosineRestarts, Cyclic, Exponential, Height, InverseSqrt, Linear,
    MultiStep, Noam, OneCycle, Polynomial, ReduceOnPlateau, Rex, Schedule, StepDecay, Threshold,
    Warmup, WarmupStableDecay,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

type Any = Box<dyn Schedule>;

/// The largest [`error`] allowed.
const TOLERANCE: f64 = 1e-12;

// ---------------------------------------------------------------- what other libraries call them

/// What a case is called here.
enum Ours {
    Lr(Any),
    WithMomentum(Any, Any),
    Plateau(ReduceOnPlateau),
}

/// Makes ours from what was given to theirs.
type Make = fn(&Given) -> Ours;

/// The classes of each library.
const LIBRARIES: &[(&str, &[(&str, Make)])] = &[
    (
        "torch.optim.lr_scheduler",
        &[
            ("StepLR", |g| {
                lr(StepDecay::new(g.base, g.steps("step_size")).factor(g.or("gamma", 0.1)))
            }),
            ("MultiStepLR", |g| {
                lr(MultiStep::new(g.base, g.list("milestones")).factor(g.or("gamma", 0.1)))
            }),
            ("ConstantLR", |g| {
                let first = g.base * g.or("factor", 1.0 / 3.0);
                lr(first.then(g.steps_or("total_iters", 5), g.base))
            }),
            ("LinearLR", |g| {
                let line = Linear::new(
                    g.base * g.or("start_factor", 1.0 / 3.0),
                    g.steps_or("total_iters", 5),
                );
                lr(line.end(g.base * g.or("end_factor", 1.0)))
            }),
            ("ExponentialLR", |g| lr(Exponential::new(g.base, g.number("gamma")))),
            ("PolynomialLR", |g| {
                lr(Polynomial::new(g.base, g.steps_or("total_iters", 5), g.or("power", 1.0)))
            }),
            ("CosineAnnealingLR", torch_cosine),
            ("CosineAnnealingWarmRestarts", |g| {
                let restarts =
                    CosineRestarts::new(g.base, g.steps("T_0")).end(g.or("eta_min", 0.0));
                lr(restarts.mult(g.steps_or("T_mult", 1)))
            }),
            ("OneCycleLR", torch_one_cycle),
            ("CyclicLR", torch_cyclic),
            ("ReduceLROnPlateau", torch_plateau),
            ("SequentialLR", |g| {
                let mut parts = g.parts(|_| g.base);
                let milestones = g.list("milestones");
                let mut schedule = parts.pop().unwrap();
                for (i, part) in parts.into_iter().enumerate().rev() {
                    let before = if i == 0 { 0 } else { milestones[i - 1] };
                    schedule = Box::new(part.then(milestones[i] - before, schedule));
                }
                Ours::Lr(schedule)
            }),
            ("ChainedScheduler", |g| {
                let parts = g.parts(|i| if i == 0 { g.base } else { 1.0 });
                let product = parts.into_iter().reduce(|all, part| Box::new(all.times(part)));
                Ours::Lr(product.unwrap())
            }),
        ],
    ),
    (
        "optax.schedules",
        &[
            ("constant_schedule", |g| lr(g.number("value"))),
            ("linear_schedule", |g| Ours::Lr(optax_polynomial(g, 1.0))),
            ("polynomial_schedule", |g| Ours::Lr(optax_polynomial(g, g.number("power")))),
            ("exponential_decay", |g| Ours::Lr(optax_exponential(g, "init_value"))),
            ("cosine_decay_schedule", |g| {
                let value = g.number("init_value");
                let cosine = Cosine::new(value, g.steps("decay_steps"));
                lr(cosine.end(value * g.or("alpha", 0.0)).exponent(g.or("exponent", 1.0)))
            }),
            ("warmup_constant_schedule", |g| optax_warmup(g, g.number("peak_value"))),
            ("warmup_cosine_decay_schedule", |g| {
                let steps = g.steps("decay_steps") - g.steps("warmup_steps");
                let cosine = Cosine::new(g.number("peak_value"), steps);
                let cosine = cosine.end(g.or("end_value", 0.0)).exponent(g.or("exponent", 1.0));
                optax_warmup(g, cosine)
            }),
            ("warmup_exponential_decay_schedule", |g| {
                optax_warmup(g, optax_exponential(g, "peak_value"))
            }),
            ("piecewise_constant_schedule", |g| {
                let scales = g.value("boundaries_and_scales");
                let pieces = scales.as_ref().and_then(Value::as_object).into_iter().flatten();
                let init: Any = Box::new(g.number("init_value"));
                Ours::Lr(pieces.fold(init, |product, (boundary, scale)| {
                    let piece = 1.0.then(boundary.parse().unwrap(), scale.as_f64().unwrap());
                    Box::new(product.times(piece))
                }))
            }),
            ("cosine_onecycle_schedule", |g| lr(optax_one_cycle(g, Anneal::Cosine))),
            ("linear_onecycle_schedule", |g| {
                let cycle = optax_one_cycle(g, Anneal::Linear);
                let fall = whole(g.or("pct_final", 0.85), cycle.steps);
                lr(cycle.fall(fall))
            }),
            ("sgdr_schedule", |g| {
                let cycles = g.value("cosine_kwargs");
                let cycles = cycles.as_ref().and_then(Value::as_array).unwrap();
                let cycle = |given: &Value| {
                    let given = g.within(given.as_object().unwrap(), g.base);
                    let schedule = given.lr_of("warmup_cosine_decay_schedule");
                    (given.steps("decay_steps"), schedule)
                };
                let all = cycles.iter().rev().map(cycle);
                let all = all.reduce(|(_, after), (steps, cycle)| {
                    (steps, Box::new(cycle.then(steps, after)))
                });
                Ours::Lr(all.unwrap().1)
            }),
        ],
    ),
];

fn lr(schedule: impl Schedule) -> Ours {
    Ours::Lr(Box::new(schedule))
}

/// PyTorch's cosine goes up again after `T_max` steps, and down again, for ever.
fn torch_cosine(g: &Given) -> Ours {
    let (high, low, steps) = (g.base, g.or("eta_min", 0.0), g.steps("T_max"));
    let half = |i: u64| {
        let (from, to) = if i.is_multiple_of(2) { (high, low) } else { (low, high) };
        Cosine::new(from, steps).end(to)
    };
    let halves = g.len / steps;
    let last: Any = Box::new(half(halves));
    Ours::Lr((0..halves).rev().fold(last, |after, i| Box::new(half(i).then(steps, after))))
}

fn torch_one_cycle(g: &Given) -> Ours {
    let total = match g.maybe("total_steps") {
        Some(total) => total,
        None => g.number("epochs") * g.number("steps_per_epoch"),
    };
    let (peak, rise) = (g.number("max_lr"), g.or("pct_start", 0.3) * total - 1.0);
    let start = peak / g.or("div_factor", 25.0);
    let mut cycle = OneCycle::new(peak, total as u64 - 1)
        .start(start)
        .end(start / g.or("final_div_factor", 1e4))
        .rise(rise / (total - 1.0))
        .anneal(match g.word("anneal_strategy", "cos").as_str() {
            "cos" => Anneal::Cosine,
            "linear" => Anneal::Linear,
            other => panic!("anneal_strategy {other}"),
        });
    if g.is("three_phase", false) {
        cycle = cycle.fall(2.0 * rise / (total - 1.0));
    }
    let momentum = cycle.momentum(g.or("base_momentum", 0.85), g.or("max_momentum", 0.95));
    with_momentum(g, cycle, momentum)
}

fn torch_cyclic(g: &Given) -> Ours {
    let up = g.steps_or("step_size_up", 2000);
    let gamma = g.or("gamma", 1.0);
    let cycle = Cyclic::new(g.number("base_lr"), g.number("max_lr"), up)
        .down(g.steps_or("step_size_down", up))
        .height(match g.word("mode", "triangular").as_str() {
            "triangular" => Height::Same,
            "triangular2" => Height::Halving,
            "exp_range" => Height::Decaying { gamma },
            other => panic!("mode {other}"),
        });
    let momentum = cycle.momentum(g.or("base_momentum", 0.8), g.or("max_momentum", 0.9));
    with_momentum(g, cycle, momentum)
}

fn with_momentum(g: &Given, cycle: impl Schedule, momentum: impl Schedule) -> Ours {
    if g.is("cycle_momentum", true) {
        Ours::WithMomentum(Box::new(cycle), Box::new(momentum))
    } else {
        lr(cycle)
    }
}

fn torch_plateau(g: &Given) -> Ours {
    let plateau = ReduceOnPlateau::new(g.base)
        .better(match g.word("mode", "min").as_str() {
            "min" => Better::Min,
            "max" => Better::Max,
            other => panic!("mode {other}"),
        })
        .threshold_is(match g.word("threshold_mode", "rel").as_str() {
            "rel" => Threshold::Relative,
            "abs" => Threshold::Absolute,
            other => panic!("threshold_mode {other}"),
        })
        .factor(g.or("factor", 0.1))
        .patience(g.or("patience", 10.0) as u64)
        .threshold(g.or("threshold", 1e-4))
        .cooldown(g.or("cooldown", 0.0) as u64)
        .min(g.or("min_lr", 0.0))
        .eps(g.or("eps", 1e-8));
    Ours::Plateau(plateau)
}

fn optax_polynomial(g: &Given, power: f64) -> Any {
    let value = g.number("init_value");
    let way = Polynomial::new(value, g.steps("transition_steps"), power);
    delayed(g, value, way.end(g.number("end_value")))
}

fn optax_exponential(g: &Given, value: &str) -> Any {
    let value = g.number(value);
    let mut decay = Exponential::new(value, g.number("decay_rate"))
        .every(g.steps("transition_steps"))
        .staircase(g.is("staircase", false));
    decay.end = g.maybe("end_value");
    delayed(g, value, decay)
}

/// After `transition_begin` steps at its first value.
fn delayed(g: &Given, value: f64, schedule: impl Schedule) -> Any {
    match g.or("transition_begin", 0.0) as u64 {
        0 => Box::new(schedule),
        begin => Box::new(value.then(begin, schedule)),
    }
}

fn optax_warmup(g: &Given, schedule: impl Schedule) -> Ours {
    lr(schedule.warmup(g.steps("warmup_steps")).start(g.number("init_value")))
}

fn optax_one_cycle(g: &Given, anneal: Anneal) -> OneCycle {
    let (peak, steps) = (g.number("peak_value"), g.steps("transition_steps"));
    let start = peak / g.or("div_factor", 25.0);
    OneCycle::new(peak, steps)
        .start(start)
        .end(start / g.or("final_div_factor", 1e4))
        .rise(whole(g.or("pct_start", 0.3), steps))
        .anneal(anneal)
}

/// optax cuts the steps of a phase down to a whole number.
fn whole(share: f64, steps: u64) -> f64 {
    (share * steps as f64).floor() / steps as f64
}

/// What was given to a schedule of another library, and what of it was looked at.
struct Given<'a> {
    library: &'a str,
    hyper: &'a Map<String, Value>,
    base: f64,
    /// How many steps are compared.
    len: u64,
    seen: RefCell<BTreeSet<String>>,
}

impl<'a> Given<'a> {
    fn of(file: &'a ScheduleFile, case: &'a ScheduleCase) -> Self {
        let (base, len) = (case.base_lr.unwrap_or(f64::NAN), case.lr.len() as u64);
        let seen = RefCell::default();
        Self { library: &file.library, hyper: &case.hyper_given, base, len, seen }
    }

    /// The same with other hyper-parameters.
    fn within(&self, hyper: &'a Map<String, Value>, base: f64) -> Self {
        Self { hyper, base, seen: RefCell::default(), ..*self }
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.seen.borrow_mut().insert(key.into());
        self.hyper.get(key).filter(|value| !value.is_null()).cloned()
    }

    fn maybe(&self, key: &str) -> Option<f64> {
        self.value(key).map(|value| value.as_f64().unwrap_or_else(|| panic!("{key} = {value}")))
    }

    fn or(&self, key: &str, default: f64) -> f64 {
        self.maybe(key).unwrap_or(default)
    }

    fn number(&self, key: &str) -> f64 {
        self.maybe(key).unwrap_or_else(|| panic!("{key} is not given"))
    }

    fn steps(&self, key: &str) -> u64 {
        self.number(key) as u64
    }

    fn steps_or(&self, key: &str, default: u64) -> u64 {
        self.or(key, default as f64) as u64
    }

    fn is(&self, key: &str, default: bool) -> bool {
        self.value(key).map_or(default, |value| value.as_bool().unwrap())
    }

    fn word(&self, key: &str, default: &str) -> String {
        self.value(key).map_or(default.into(), |value| value.as_str().unwrap().into())
    }

    fn list(&self, key: &str) -> Vec<u64> {
        serde_json::from_value(self.value(key).unwrap_or_default()).unwrap()
    }

    /// The schedules that this one is made of, each with its base.
    fn parts(&self, base: impl Fn(usize) -> f64) -> Vec<Any> {
        let classes: Vec<String> =
            serde_json::from_value(self.value("schedulers").unwrap()).unwrap();
        let hypers: Vec<Map<String, Value>> =
            serde_json::from_value(self.value("args").unwrap()).unwrap();
        assert_eq!(classes.len(), hypers.len());
        let parts = classes.iter().zip(&hypers).enumerate();
        let part = |(i, (class, hyper)): (usize, (&String, _))| {
            Given { hyper, base: base(i), seen: RefCell::default(), ..*self }.lr_of(class)
        };
        parts.map(part).collect()
    }

    /// Ours, if the class and everything given is in the table.
    fn ours(&self, class: &str) -> Result<Ours, String> {
        let classes = LIBRARIES.iter().filter(|(library, _)| *library == self.library);
        let make = classes.flat_map(|(_, rows)| *rows).find(|(name, _)| *name == class);
        let (_, make) =
            make.ok_or_else(|| format!("{} {class} is not in the table", self.library))?;
        let ours = make(self);
        let seen = self.seen.borrow();
        match self.hyper.keys().find(|key| !seen.contains(*key)) {
            None => Ok(ours),
            Some(key) => Err(format!("hyper-parameter `{key}` of {class} is not in the table")),
        }
    }

    fn lr_of(&self, class: &str) -> Any {
        match self.ours(class) {
            Ok(Ours::Lr(schedule)) => schedule,
            Ok(_) => panic!("{class} is more than a schedule of the learning rate"),
            Err(error) => panic!("{error}"),
        }
    }
}

// ---------------------------------------------------------------- the comparison

/// What a schedule says at each of the first steps.
fn series(schedule: &Any, len: usize) -> Result<Vec<f64>, String> {
    schedule.check().map_err(|error| error.to_string())?;
    Ok((0..len as u64).map(|step| schedule.at(step)).collect())
}

/// The largest error of a step, relative to the reference at that step, or to a 10 000th of its
/// largest value if that is more: PyTorch comes to the 2e-6 at the end of a cycle as 0.5 − 0.499998,
/// which rounds it to 12 digits.
fn error(ours: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(ours.len(), reference.len());
    let floor = 1e-4 * largest_of(reference);
    let steps = ours.iter().zip(reference);
    steps.map(|(a, b)| relative_error(&[*a], &[*b], floor)).fold(0.0, f64::max)
}

fn compare(file: &ScheduleFile, case: &ScheduleCase) -> Result<f64, String> {
    let len = case.lr.len();
    let (lr, momentum) = match Given::of(file, case).ours(&case.class)? {
        Ours::Lr(lr) => (series(&lr, len)?, None),
        Ours::WithMomentum(lr, momentum) => (series(&lr, len)?, Some(series(&momentum, len)?)),
        Ours::Plateau(mut plateau) => {
            plateau.check().map_err(|error| error.to_string())?;
            let metrics = case.metrics.as_ref().ok_or("there are no metrics")?;
            let first = plateau.value();
            let after = metrics.iter().map(|metric| plateau.observe(*metric));
            (std::iter::once(first).chain(after).collect(), None)
        }
    };
    let error_of_momentum = match (&momentum, &case.momentum) {
        (None, None) => 0.0,
        (Some(ours), Some(reference)) => error(ours, reference),
        _ => return Err("one has a momentum and the other has not".into()),
    };
    Ok(error(&lr, &case.lr).max(error_of_momentum))
}

#[test]
fn every_schedule_agrees_with_other_libraries() {
    let elsewhere = std::env::var_os("BURN_DESCENT_TRACES").map(PathBuf::from);
    let folder = elsewhere.clone().unwrap_or_else(traces_dir);
    let mut classes: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let mut failures = vec![];
    for path in schedules(&folder).unwrap() {
        let file = ScheduleFile::read(&path).unwrap();
        for case in &file.cases {
            let named = format!("{} {}", file.library, case.id);
            match compare(&file, case) {
                Ok(error) => {
                    let (cases, worst) = classes.entry(case.class.clone()).or_default();
                    (*cases, *worst) = (*cases + 1, worst.max(error));
                    if error > TOLERANCE {
                        failures.push(format!("{named}: error {error:.1e}"));
                    }
                }
                Err(reason) => failures.push(format!("{named}: {reason}")),
            }
        }
    }
    for (class, (cases, worst)) in &classes {
        println!("{class:34} {cases} cases, max error {worst:.1e}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let cases: usize = classes.values().map(|(cases, _)| cases).sum();
    assert!(elsewhere.is_some() || cases == 41, "{cases} cases");
}

// ---------------------------------------------------------------- promises

const HUGE: [u64; 5] = [1 << 20, (1 << 53) + 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];

/// A schedule, the least and the largest value it may take, and the step at which it has come to
/// its end.
struct Known {
    schedule: Any,
    low: f64,
    high: f64,
    ends: Option<u64>,
}

fn known(schedule: impl Schedule, low: f64, high: f64, ends: Option<u64>) -> Known {
    Known { schedule: Box::new(schedule), low, high, ends }
}

/// Schedules that never rise.
fn falling() -> Vec<Known> {
    vec![
        known(0.3, 0.3, 0.3, Some(0)),
        known(Linear::new(0.3, 100).end(0.1), 0.1, 0.3, Some(100)),
        known(Polynomial::new(0.3, 100, 3.0).end(0.1), 0.1, 0.3, Some(100)),
        known(Polynomial::new(0.3, 77, 0.5), 0.0, 0.3, Some(77)),
        known(Exponential::new(0.3, 0.99), 0.0, 0.3, None),
        known(Exponential::new(0.3, 0.5).every(7).staircase(true).end(0.01), 0.01, 0.3, Some(35)),
        known(StepDecay::new(0.3, 9), 0.0, 0.3, None),
        known(MultiStep::new(0.3, [40, 7, 7]), 0.0003, 0.3, Some(40)),
        known(InverseSqrt::new(0.3, 10), 0.0, 0.3, None),
        known(Cosine::new(0.3, 100).end(0.1).exponent(1.5), 0.1, 0.3, Some(100)),
        known(Cosine::new(0.3, 1), 0.0, 0.3, Some(1)),
        known(Rex::new(0.3, 100).end(0.1), 0.1, 0.3, Some(100)),
        known(0.3.then(20, Linear::new(0.3, 30)), 0.0, 0.3, Some(50)),
        known(Cosine::new(0.3, 100).times(0.5), 0.0, 0.15, Some(100)),
    ]
}

/// Schedules that rise and fall.
fn winding() -> Vec<Known> {
    let wsd = WarmupStableDecay::new(0.3, 10, 30, 20).end(0.01);
    let three = OneCycle::new(0.3, 100).rise(0.4).fall(0.8);
    vec![
        known(Noam::new(64, 20), 0.0, 1.0 / (64.0_f64 * 20.0).sqrt(), None),
        known(CosineRestarts::new(0.3, 10).end(0.1), 0.1, 0.3, None),
        known(CosineRestarts::new(0.3, 10).end(0.1).mult(3), 0.1, 0.3, None),
        known(OneCycle::new(0.3, 100), 0.3 / 25e4, 0.3, Some(100)),
        known(OneCycle::new(0.3, 100).momentum(0.85, 0.95), 0.85, 0.95, Some(100)),
        known(OneCycle::new(0.3, 100).rise(0.0), 0.3 / 25e4, 0.3, Some(100)),
        known(OneCycle::new(0.3, 100).rise(1.0).fall(1.0), 0.3 / 25e4, 0.3, Some(100)),
        known(three.momentum(0.85, 0.95).anneal(Anneal::Linear), 0.85, 0.95, Some(80)),
        known(three, 0.3 / 25e4, 0.3, Some(100)),
        known(Cyclic::new(0.1, 0.3, 7).down(3), 0.1, 0.3, None),
        known(Cyclic::new(0.1, 0.3, 7).height(Height::Halving), 0.1, 0.3, None),
        known(Cyclic::new(0.1, 0.3, 7).height(Height::Decaying { gamma: 0.99 }), 0.1, 0.3, None),
        known(Cyclic::new(0.1, 0.3, 7).momentum(0.8, 0.9), 0.8, 0.9, None),
        known(wsd.clone(), 0.0, 0.3, Some(60)),
        known(wsd.clone().anneal(Anneal::Cosine), 0.0, 0.3, Some(60)),
        known(wsd.anneal(Anneal::Sqrt), 0.0, 0.3, Some(60)),
        known(Cosine::new(0.3, 100).end(0.1).warmup(9).start(0.05), 0.05, 0.3, Some(109)),
        known(Exponential::new(1e-6, 1.2).end(10.0), 1e-6, 10.0, Some(89)),
        known(Linear::new(0.0, 50).end(0.3), 0.0, 0.3, Some(50)),
    ]
}

fn every() -> impl Iterator<Item = Known> {
    falling().into_iter().chain(winding())
}

fn first_steps() -> impl Iterator<Item = u64> {
    (0..500).chain(HUGE)
}

/// Is one no more than the other, but for rounding?
fn at_most(a: f64, b: f64) -> bool {
    a <= b + 4.0 * f64::EPSILON * b.abs()
}

#[test]
fn a_schedule_stays_within_its_bounds_at_any_step() {
    for Known { schedule, low, high, .. } in every() {
        schedule.check().unwrap();
        for step in first_steps() {
            let value = schedule.at(step);
            let inside = value.is_finite() && at_most(low, value) && at_most(value, high);
            assert!(inside, "{schedule:?} is {value} at {step}");
        }
    }
}

#[test]
fn a_decay_never_rises() {
    for Known { schedule, high, .. } in falling() {
        assert_eq!(schedule.at(0), high, "{schedule:?}");
        let values: Vec<f64> = first_steps().map(|step| schedule.at(step)).collect();
        for (step, pair) in values.windows(2).enumerate() {
            assert!(at_most(pair[1], pair[0]), "{schedule:?} rises after {step}: {pair:?}");
        }
    }
}

#[test]
fn a_schedule_stays_at_its_end() {
    for Known { schedule, ends, .. } in every() {
        let Some(end) = ends else { continue };
        let value = schedule.at(end);
        for step in (end..end + 300).chain(HUGE) {
            assert_eq!(schedule.at(step), value, "{schedule:?} at {step}");
        }
        if let Some(before) = end.checked_sub(1) {
            assert_ne!(schedule.at(before), value, "{schedule:?} ends before {end}");
        }
    }
}

#[test]
fn a_warmup_is_a_line_that_joins() {
    for Known { schedule, .. } in every() {
        let (name, first) = (format!("{schedule:?}"), schedule.at(0));
        let plain: Vec<f64> = (0..50).map(|step| schedule.at(step)).collect();
        let warm = schedule.warmup(8).start(0.5 * first);
        warm.check().unwrap();
        for step in 0..=8 {
            let line = first * (0.5 + 0.5 * step as f64 / 8.0);
            assert!((warm.at(step) - line).abs() <= 1e-15 * line, "{name} at {step}");
        }
        let after: Vec<f64> = (8..58).map(|step| warm.at(step)).collect();
        assert_eq!(after, plain, "{name}");
    }
}

#[test]
fn noam_is_the_formula_of_its_paper() {
    let noam = Noam::new(512, 4000).scale(2.0);
    for step in [0, 1, 100, 3998, 3999, 4000, 20_000, 1_000_000] {
        let n = (step + 1) as f64;
        let paper = 2.0 * 512_f64.powf(-0.5) * n.powf(-0.5).min(n * 4000_f64.powf(-1.5));
        assert!((noam.at(step) - paper).abs() <= 1e-14 * paper, "{step}");
    }
}

#[test]
fn special_cases_are_the_general_one() {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-15;
    for step in 0..120 {
        let linear = Linear::new(0.3, 100).end(0.1).at(step);
        assert_eq!(linear, Polynomial::new(0.3, 100, 1.0).end(0.1).at(step));
        let drops = MultiStep::new(0.3, [25, 50, 75, 100]).at(step);
        assert!(close(StepDecay::new(0.3, 25).at(step), drops), "{step}");
        let cosine = Cosine::new(0.3, 100).end(0.1);
        assert_eq!(CosineRestarts::new(0.3, 100).end(0.1).at(step), cosine.at(step % 100));
        let wsd = WarmupStableDecay::new(0.3, 10, 40, 50);
        let built = 0.3.warmup(10).then(50, Linear::new(0.3, 50));
        assert_eq!(wsd.at(step), built.at(step));
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let cosine = || Cosine::new(0.1, 10);
    let cycle = || OneCycle::new(0.1, 10);
    let wrong: Vec<(Any, &str, &str)> = vec![
        (Box::new(f64::NAN), "constant", "value"),
        (Box::new(-0.1), "constant", "value"),
        (Box::new(Linear::new(f64::INFINITY, 10)), "linear", "value"),
        (Box::new(Linear::new(0.1, 0)), "linear", "steps"),
        (Box::new(Linear::new(0.1, 10).end(-1.0)), "linear", "end"),
        (Box::new(Polynomial::new(0.1, 10, 0.0)), "polynomial", "power"),
        (Box::new(Exponential::new(0.1, -0.5)), "exponential", "factor"),
        (Box::new(Exponential::new(0.1, 1.5)), "exponential", "factor"),
        (Box::new(Exponential::new(0.1, 0.5).every(0)), "exponential", "every"),
        (Box::new(Exponential::new(0.1, 0.5).end(f64::NAN)), "exponential", "end"),
        (Box::new(StepDecay::new(0.1, 0)), "step_decay", "every"),
        (Box::new(StepDecay::new(0.1, 1).factor(2.0)), "step_decay", "factor"),
        (Box::new(MultiStep::new(0.1, [5, 0])), "multi_step", "milestones"),
        (Box::new(InverseSqrt::new(0.1, 0)), "inverse_sqrt", "timescale"),
        (Box::new(Noam::new(0, 10)), "noam", "model_size"),
        (Box::new(Noam::new(64, 0)), "noam", "warmup"),
        (Box::new(cosine().exponent(0.0)), "cosine", "exponent"),
        (Box::new(Cosine::new(0.1, 0).warmup(3)), "cosine", "steps"),
        (Box::new(cosine().warmup(0)), "warmup", "steps"),
        (Box::new(cosine().warmup(3).start(f64::NAN)), "warmup", "start"),
        (Box::new(cosine().then(0, 0.1)), "then", "steps"),
        (Box::new(cosine().then(1, f64::NAN).times(0.1)), "constant", "value"),
        (Box::new(CosineRestarts::new(0.1, 0)), "cosine_restarts", "steps"),
        (Box::new(CosineRestarts::new(0.1, 10).mult(0)), "cosine_restarts", "mult"),
        (Box::new(cycle().rise(1.5)), "one_cycle", "rise"),
        (Box::new(cycle().fall(0.2)), "one_cycle", "fall"),
        (Box::new(OneCycle::new(f64::NAN, 10)), "one_cycle", "peak"),
        (Box::new(Cyclic::new(0.1, 0.2, 0)), "cyclic", "up"),
        (Box::new(Cyclic::new(0.1, 0.2, 5).down(0)), "cyclic", "down"),
        (
            Box::new(Cyclic::new(0.1, 0.2, 5).height(Height::Decaying { gamma: 1.1 })),
            "cyclic",
            "gamma",
        ),
        (Box::new(WarmupStableDecay::new(0.1, 0, 1, 1)), "warmup_stable_decay", "warmup"),
        (Box::new(WarmupStableDecay::new(0.1, 1, 0, 1)), "warmup_stable_decay", "stable"),
        (Box::new(WarmupStableDecay::new(0.1, 1, 1, 0)), "warmup_stable_decay", "decay"),
        (Box::new(Rex::new(0.1, 0)), "rex", "steps"),
    ];
    for (schedule, name, option) in wrong {
        let error = schedule.check().unwrap_err();
        assert_eq!((error.optimizer, error.option), (name, option), "{schedule:?}: {error}");
        // Nobody has to ask first: the value may be anything, but there is one.
        for step in first_steps() {
            let _ = schedule.at(step);
        }
    }
    let error = ReduceOnPlateau::new(0.1).factor(1.0).check().unwrap_err();
    let text = "reduce_on_plateau: factor = 1 is not allowed, it must be in [0, 1)";
    assert_eq!(error.to_string(), text);
}

/// Writes it, reads it, and compares.
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

#[test]
fn schedules_can_be_saved() {
    survives(Linear::new(0.1, 10));
    survives(Polynomial::new(0.1, 10, 0.9));
    survives(Exponential::new(0.1, 0.9));
    survives(Exponential::new(0.1, 0.9).end(0.01));
    survives(StepDecay::new(0.1, 10));
    survives(MultiStep::new(0.1, [10, 20]));
    survives(InverseSqrt::new(0.1, 10));
    survives(Noam::new(64, 10));
    survives(CosineRestarts::new(0.1, 10));
    survives(OneCycle::new(0.1, u64::MAX).fall(0.5));
    survives(Cyclic::new(0.1, 0.2, 5).height(Height::Decaying { gamma: 0.9 }));
    survives(WarmupStableDecay::new(0.1, 1, 2, 3).anneal(Anneal::Sqrt));
    survives(Rex::new(0.1, 10));
    survives(Cosine::new(0.1, 10).warmup(5).then(15, 0.01.times(0.5)));
    let error = serde_json::from_str::<Warmup<f64>>(r#"{"schedule": 0.1, "steps": 3, "from": 0}"#);
    assert!(error.unwrap_err().to_string().contains("from"));
}

#[test]
fn a_plateau_goes_on_where_it_was_saved() {
    let metrics = [f64::NAN, 3.0, 2.0, f64::NAN, 2.0, f64::INFINITY, 1.99, 2.0, -1.0, -1.0, -2.0];
    let options = ReduceOnPlateau::new(0.1).patience(1).cooldown(1).factor(0.5);
    for better in [Better::Min, Better::Max] {
        let mut whole = options.clone().better(better);
        let mut saved = whole.clone();
        for metric in metrics {
            saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
            assert_eq!(whole.observe(metric), saved.observe(metric));
            assert_eq!(whole, saved);
        }
        assert!(whole.value() < 0.1);
    }
}
