//! Timing steps: our optimizers through burn and through `Descent`, against the floor of the
//! machine and against burn-optim, in turns in one process.

mod choice;
mod floor;
mod lists;
mod ways;

pub use choice::Choice;
pub use lists::{LISTS, List};
pub use ways::{Cost, Gradients, Way};

use floor::MOST_STATES;

use crate::devices::Entry;
use burn::tensor::Device;
use burn_descent::{Builder, Ema, Rounding, Store};
use serde::Serialize;
use std::time::Duration;

/// What was measured of one optimizer on one list.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Name of the parameter list.
    pub list: &'static str,
    /// The optimizer: its name, and what options are not at their defaults.
    pub optimizer: String,
    /// Name of the device.
    pub backend: &'static str,
    /// One of [`WAYS`]: `passes` (tensor by tensor, with nothing around), `module` and `descent`;
    /// `Descent` with `clip_norm` (by the norm of all gradients), with `clip_value`, with an average of the
    /// weights (`ema`), with a `scheduled` option; with states kept in fewer bytes (`bf16` to `dynamic8`), and with weights
    /// and gradients in bf16 beside states in bf16 (`half`); `nothing` (burn's `ModuleOptimizer` with an optimizer
    /// that does nothing); and `products` (burn's products of matrices alone, as many as a step of Muon takes).
    pub through: &'static str,
    /// Threads of the pool.
    pub threads: usize,
    /// Median time of a step, in milliseconds.
    pub ms: f64,
    /// That of the hand-written loop with the same threads; none on a GPU.
    pub floor_ms: Option<f64>,
    /// That of burn-optim's optimizer of the same name.
    pub burn_ms: Option<f64>,
    /// Bytes that a step has to move, over its time.
    pub gb_per_s: f64,
    /// Bytes allocated in a step.
    pub bytes_allocated: usize,
    /// Time of the first step of all, in milliseconds: on a GPU it builds the kernels.
    pub first_ms: f64,
}

/// Steps before those that are counted.
const WARM: usize = 3;

/// The ways of one of our optimizers to take a step, by name.
pub const WAYS: [&str; 15] = [
    "passes",
    "nothing",
    "module",
    "descent",
    "clip_norm",
    "clip_value",
    "ema",
    "scheduled",
    "bf16",
    "bf16-stochastic",
    "f16",
    "int8",
    "dynamic8",
    "half",
    "products",
];

/// The ways that show an optimizer one parameter and its gradient.
const ALONE: [&str; 2] = ["passes", "module"];

/// What they are compared with: the loop by hand, and burn-optim's optimizer.
pub const OTHERS: [&str; 2] = ["floor", "burn"];

/// One of [`WAYS`].
pub fn way(name: &str, choice: &Choice, shapes: &[[usize; 2]], device: &Device) -> Box<dyn Way> {
    let optimizer = choice.optimizer.clone();
    let descent = |around: fn(Builder) -> Builder| {
        ways::descent(choice.optimizer.clone(), shapes, device, around)
    };
    match name {
        "passes" => ways::passes(optimizer, shapes, device),
        "nothing" => ways::nothing(shapes, device),
        "products" => ways::products(shapes, device),
        "module" => ways::module(optimizer, shapes, device),
        "descent" => descent(|builder| builder),
        "clip_norm" => descent(|builder| builder.clip_norm(1.0)),
        "clip_value" => descent(|builder| builder.clip_value(1.0)),
        "ema" => descent(|builder| builder.average(Ema::new(0.999))),
        "scheduled" => ways::scheduled(optimizer, shapes, device),
        "half" => {
            let kept = optimizer.keep_all(Store::Bf16(Rounding::Nearest)).expect("it is allowed");
            ways::half(kept, shapes, device)
        }
        store => {
            let store = store.parse().expect("all other ways are stores");
            let kept = optimizer.keep_all(store).expect("it is allowed");
            ways::descent(kept, shapes, device, |builder| builder)
        }
    }
}

/// The bytes that a step of one of [`WAYS`] reads and writes of each weight.
fn moved(through: &str, choice: &Choice) -> f64 {
    let (all, states) = (choice.moved() as f64, choice.states() as f64);
    match through {
        "bf16" | "bf16-stochastic" | "f16" => all - 4.0 * states,
        "int8" | "dynamic8" => all - (6.0 - 1.0 / 32.0) * states,
        "half" => all - 4.0 * states - 6.0,
        _ => all,
    }
}

/// What is measured, and how.
pub struct Wish<'a> {
    /// The tensors.
    pub list: &'a List,
    /// The optimizer.
    pub choice: &'a Choice,
    /// Of [`WAYS`] and [`OTHERS`].
    pub through: &'a [String],
    /// Threads of the pool.
    pub threads: usize,
    /// How many steps count.
    pub steps: usize,
    /// When gradients are freed.
    pub gradients: Gradients,
}

/// Measures an optimizer on a list: all ways take a step in turns.
pub fn measure(wish: &Wish, entry: &Entry, device: &Device) -> Vec<Measured> {
    let Wish { list, choice, through, threads, steps, gradients } = *wish;
    let wanted = |name: &str| through.iter().any(|wanted| wanted == name);
    let (shapes, lengths) = ((list.shapes)(), list.lengths());
    // What looks at the whole model, or at the loss, goes by `Descent` alone.
    let goes = |name: &str| choice.optimizer.steps_alone() || !ALONE.contains(&name);
    let names = WAYS.into_iter().filter(|name| wanted(name) && goes(name));
    let mut ours: Vec<_> = names.map(|name| (name, way(name, choice, &shapes, device))).collect();
    let has_floor = entry.on_cpu && choice.states() <= MOST_STATES;
    let mut floor = (has_floor && wanted("floor")).then(|| ways::floor(choice, lengths.clone()));
    let mut burns = if wanted("burn") { ways::burns(choice, &shapes, device) } else { None };

    let mut times = vec![Times::default(); ours.len() + 2];
    for step in 0..WARM + steps {
        let all = ours.iter_mut().map(|(_, way)| Some(way)).chain([floor.as_mut(), burns.as_mut()]);
        for (way, times) in all.zip(&mut times) {
            if let Some(way) = way {
                times.take(way.step(gradients), step);
            }
        }
    }
    let (others, medians) = (ours.len(), times.iter_mut().map(Times::median).collect::<Vec<_>>());
    let weights = lengths.iter().sum::<usize>() as f64;
    let measured = |(number, (through, _)): (usize, &(&'static str, _))| {
        let ms = medians[number].expect("it has taken steps");
        Measured {
            list: list.name,
            optimizer: choice.to_string(),
            backend: entry.name,
            through,
            threads,
            ms,
            floor_ms: medians[others],
            burn_ms: medians[others + 1],
            gb_per_s: moved(through, choice) * weights / ms / 1e6,
            bytes_allocated: times[number].allocated,
            first_ms: times[number].first.as_secs_f64() * 1e3,
        }
    };
    ours.iter().enumerate().map(measured).collect()
}

#[derive(Clone, Default)]
struct Times {
    taken: Vec<Duration>,
    /// By the last step.
    allocated: usize,
    /// The first step of all.
    first: Duration,
}

impl Times {
    fn take(&mut self, cost: Cost, step: usize) {
        if step == 0 {
            self.first = cost.time;
        }
        if step >= WARM {
            self.taken.push(cost.time);
            self.allocated = cost.allocated;
        }
    }

    /// In milliseconds.
    fn median(&mut self) -> Option<f64> {
        self.taken.sort();
        self.taken.get(self.taken.len() / 2).map(|time| time.as_secs_f64() * 1e3)
    }
}
