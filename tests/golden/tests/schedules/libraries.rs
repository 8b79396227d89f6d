//! What other libraries call our schedules, and how they give their options.

use crate::Any;
use crate::given::Given;
use burn_descent_rules::schedules::{
    Anneal, Better, Cosine, CosineRestarts, Cyclic, Exponential, Height, Linear, MultiStep,
    OneCycle, Polynomial, ReduceOnPlateau, Schedule, StepDecay, Threshold,
};
use serde_json::Value;

/// What a case is called here.
pub(crate) enum Ours {
    Lr(Any),
    WithMomentum(Any, Any),
    Plateau(ReduceOnPlateau),
}

/// Makes ours from what was given to theirs.
pub(crate) type Make = fn(&Given) -> Ours;

/// The classes of each library.
pub(crate) const LIBRARIES: &[(&str, &[(&str, Make)])] = &[
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

pub(crate) fn lr(schedule: impl Schedule) -> Ours {
    Ours::Lr(Box::new(schedule))
}

/// PyTorch's cosine goes up again after `T_max` steps, and down again, for ever.
pub(crate) fn torch_cosine(g: &Given) -> Ours {
    let (high, low, steps) = (g.base, g.or("eta_min", 0.0), g.steps("T_max"));
    let half = |i: u64| {
        let (from, to) = if i.is_multiple_of(2) { (high, low) } else { (low, high) };
        Cosine::new(from, steps).end(to)
    };
    let halves = g.len / steps;
    let last: Any = Box::new(half(halves));
    Ours::Lr((0..halves).rev().fold(last, |after, i| Box::new(half(i).then(steps, after))))
}

pub(crate) fn torch_one_cycle(g: &Given) -> Ours {
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

pub(crate) fn torch_cyclic(g: &Given) -> Ours {
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

pub(crate) fn with_momentum(g: &Given, cycle: impl Schedule, momentum: impl Schedule) -> Ours {
    if g.is("cycle_momentum", true) {
        Ours::WithMomentum(Box::new(cycle), Box::new(momentum))
    } else {
        lr(cycle)
    }
}

pub(crate) fn torch_plateau(g: &Given) -> Ours {
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

pub(crate) fn optax_polynomial(g: &Given, power: f64) -> Any {
    let value = g.number("init_value");
    let way = Polynomial::new(value, g.steps("transition_steps"), power);
    delayed(g, value, way.end(g.number("end_value")))
}

pub(crate) fn optax_exponential(g: &Given, value: &str) -> Any {
    let value = g.number(value);
    let mut decay = Exponential::new(value, g.number("decay_rate"))
        .every(g.steps("transition_steps"))
        .staircase(g.is("staircase", false));
    decay.end = g.maybe("end_value");
    delayed(g, value, decay)
}

/// After `transition_begin` steps at its first value.
pub(crate) fn delayed(g: &Given, value: f64, schedule: impl Schedule) -> Any {
    match g.or("transition_begin", 0.0) as u64 {
        0 => Box::new(schedule),
        begin => Box::new(value.then(begin, schedule)),
    }
}

pub(crate) fn optax_warmup(g: &Given, schedule: impl Schedule) -> Ours {
    lr(schedule.warmup(g.steps("warmup_steps")).start(g.number("init_value")))
}

pub(crate) fn optax_one_cycle(g: &Given, anneal: Anneal) -> OneCycle {
    let (peak, steps) = (g.number("peak_value"), g.steps("transition_steps"));
    let start = peak / g.or("div_factor", 25.0);
    OneCycle::new(peak, steps)
        .start(start)
        .end(start / g.or("final_div_factor", 1e4))
        .rise(whole(g.or("pct_start", 0.3), steps))
        .anneal(anneal)
}

/// optax cuts the steps of a phase down to a whole number.
pub(crate) fn whole(share: f64, steps: u64) -> f64 {
    (share * steps as f64).floor() / steps as f64
}
