//! What every schedule keeps, whatever another library says.

use crate::Any;
use burn_descent_rules::schedules::{
    Anneal, Better, Cosine, CosineRestarts, Cyclic, Exponential, Height, InverseSqrt, Linear,
    MultiStep, Noam, OneCycle, Polynomial, ReduceOnPlateau, Rex, Schedule, StepDecay, Warmup,
    WarmupStableDecay,
};
use serde::{Serialize, de::DeserializeOwned};

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
fn a_warmup_of_no_steps_is_none() {
    for Known { schedule, .. } in every() {
        let plain: Vec<f64> = (0..50).map(|step| schedule.at(step)).collect();
        let warm = schedule.warmup(0).start(0.01);
        warm.check().unwrap();
        assert_eq!((0..50).map(|step| warm.at(step)).collect::<Vec<_>>(), plain, "{warm:?}");
    }
    let wsd = WarmupStableDecay::new(0.3, 0, 40, 50);
    wsd.check().unwrap();
    assert_eq!((wsd.at(0), wsd.at(40), wsd.at(65)), (0.3, 0.3, 0.15));
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
        (Box::new(WarmupStableDecay::new(0.1, 1, 0, 1)), "warmup_stable_decay", "stable"),
        (Box::new(WarmupStableDecay::new(0.1, 1, 1, 0)), "warmup_stable_decay", "decay"),
        (Box::new(Rex::new(0.1, 0)), "rex", "steps"),
    ];
    for (schedule, name, option) in wrong {
        let error = schedule.check().unwrap_err();
        assert_eq!((error.owner, &*error.option), (name, option), "{schedule:?}: {error}");
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
