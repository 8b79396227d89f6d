//! Groups, schedules, averages, plans.

use crate::{all, gradients, model, sgd, vector};
use burn::module::ParamGroup;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, MuonConfig};
use burn_descent::{
    AdamW, Build, BuildError, Descent, DescentError, Ema, Group, Schedule, Swa, schedules::Linear,
};
use burn_descent_tests::{bits, values};

#[test]
fn the_norm_of_what_is_applied_is_clipped_over_all_groups() {
    for (limit, clips) in [(0.5, true), (1e6, false)] {
        let start = model();
        let mut descent = Descent::builder(sgd())
            .group(Group::new("vectors", ParamGroup::from_predicate("vectors"), sgd()))
            .group(Group::new("last", ParamGroup::from_predicate("matrices.24"), sgd()))
            .lr(1.0)
            .clip_norm(limit)
            .build(&start)
            .expect("it fits");
        let before = all(&start);
        let gradients = gradients(&start, 1000);
        let (after, report) = descent.step(start, gradients).expect("a good step");
        // At a rate of 1 plain SGD moves by what is applied.
        let moved =
            before.iter().zip(all(&after)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let norm = report.grad_norm.expect("clipping looks").get();
        assert_eq!(norm > limit, clips);
        assert!((moved - norm.min(limit)).abs() <= 1e-6 * moved, "{moved}, {norm}, {limit}");
        assert_eq!(report.learning_rates.len(), 3);
    }
}

#[test]
fn values_are_clamped() {
    let start = model();
    let mut descent = Descent::builder(sgd()).lr(1.0).clip_value(0.25).build(&start).unwrap();
    let before = all(&start);
    let gradients = gradients(&start, 1000);
    let (after, _) = descent.step(start, gradients).unwrap();
    let moved: Vec<f64> = before.iter().zip(all(&after)).map(|(a, b)| (a - b).abs()).collect();
    let most = moved.iter().fold(0.0, |most: f64, x| most.max(*x));
    assert!((most - 0.25).abs() < 1e-6, "{most}");
}

#[test]
fn schedules_reach_rates_and_options() {
    let start = model();
    let decay = Linear::new(0.2, 2);
    let group = Group::new("vectors", ParamGroup::from_predicate("vectors"), sgd())
        .lr(0.5)
        .option("weight_decay", decay.clone());
    let mut descent =
        Descent::builder(sgd()).group(group).schedule(Linear::new(0.4, 4)).build(&start).unwrap();
    let mut at = start;
    for step in 0..3 {
        let before = values(&at.vectors[3].val());
        // Without the loss there is only the penalty.
        let mut zero = GradientsParams::new();
        zero.register(at.vectors[3].id, vector(0, 8).zeros_like());
        let report;
        (at, report) = descent.step(at, zero).unwrap();
        let rates: Vec<f64> = report.learning_rates.iter().map(|(_, lr)| *lr).collect();
        assert_eq!(rates, [0.4 - 0.1 * step as f64, 0.5]);
        let factor = 1.0 - 0.5 * decay.at(step);
        for (before, after) in before.iter().zip(values(&at.vectors[3].val())) {
            assert!((before * factor - after).abs() < 1e-6, "step {step}");
        }
    }
}

#[test]
fn vectors_are_not_decayed_where_only_matrices_are() {
    let start = model();
    let adamw = AdamW::new().weight_decay(0.5).build().unwrap();
    let builder = Descent::builder(adamw).lr(0.1).decay_matrices_only();
    let mut descent = builder.build(&start).unwrap();
    let lines = &descent.plan().lines;
    assert_eq!((lines[0].weight_decay, lines[49].weight_decay), (Some(0.0), Some(0.5)));
    assert_eq!(lines[49].state_bytes, Some(2 * 4 * 12));
    let plan = descent.plan().to_string();
    assert!(plan.contains("vectors.0") && plan.ends_with("states 5800, in all 8700"), "{plan}");

    let (vector, matrix) = (bits(&start.vectors[0].val()), values(&start.matrices[0].val()));
    let mut zero = GradientsParams::new();
    zero.register(start.vectors[0].id, start.vectors[0].val().inner().zeros_like());
    zero.register(start.matrices[0].id, start.matrices[0].val().inner().zeros_like());
    let (after, _) = descent.step(start, zero).unwrap();
    assert!(bits(&after.vectors[0].val()) == vector);
    for (before, after) in matrix.iter().zip(values(&after.matrices[0].val())) {
        assert!((before * 0.95 - after).abs() < 1e-6);
    }
}

#[test]
fn averages_are_what_they_say() {
    let walk = |average: burn_descent::Average| {
        let mut at = model();
        let builder = Descent::builder(sgd()).lr(0.3).average(average);
        let mut descent = builder.build(&at).unwrap();
        let mut seen = Vec::new();
        for step in 0..6 {
            let gradients = gradients(&at, 1000 + step);
            (at, _) = descent.step(at, gradients).unwrap();
            seen.push(all(&at));
        }
        let before = all(&at);
        let evaluated = all(&descent.evaluate(&at));
        assert_eq!(all(&at), before, "evaluating has moved the training model");
        (seen, evaluated)
    };
    let check = |seen: &[Vec<f64>], evaluated: &[f64], shares: [f64; 6]| {
        let sum: f64 = shares.iter().sum();
        for (i, evaluated) in evaluated.iter().enumerate() {
            let mean: f64 = seen.iter().zip(shares).map(|(w, share)| w[i] * share / sum).sum();
            assert!((mean - evaluated).abs() < 1e-6, "element {i}: {mean} and {evaluated}");
        }
    };
    let (seen, evaluated) = walk(Ema::new(0.8).into());
    check(&seen, &evaluated, [5, 4, 3, 2, 1, 0].map(|age| 0.8_f64.powi(age)));
    let (seen, evaluated) = walk(Swa::new(2, 2).into());
    check(&seen, &evaluated, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn an_optimizer_of_burn_walks_too() {
    let adam = AdamConfig::new();
    let start = model();
    let mut module: ModuleOptimizer = adam.init();
    let mut descent = Descent::builder(adam.build()).lr(0.1).build(&start).unwrap();
    let (mut expected, mut found) = (start.clone(), start);
    for step in 0..3 {
        let (a, b) = (gradients(&expected, 1000 + step), gradients(&found, 1000 + step));
        expected = module.step(0.1, expected, a);
        (found, _) = descent.step(found, b).unwrap();
    }
    assert_eq!(all(&found), all(&expected));
    assert_eq!(descent.plan().lines[0].optimizer, "Adam");
}

#[test]
fn tied_weights_step_once_and_stay_tied() {
    let mut start = model();
    start.vectors[7] = start.vectors[2].clone();
    let mut descent = Descent::builder(sgd()).lr(1.0).build(&start).unwrap();
    assert_eq!(descent.plan().lines.len(), 49);
    let before = values(&start.vectors[2].val());
    let mut ones = GradientsParams::new();
    ones.register(start.vectors[2].id, vector(0, 7).ones_like());
    let (after, _) = descent.step(start, ones).unwrap();
    let (a, b) = (values(&after.vectors[2].val()), values(&after.vectors[7].val()));
    assert_eq!(a, b);
    assert!(before.iter().zip(a).all(|(before, after)| (before - 1.0 - after).abs() < 1e-6));
}

#[test]
fn what_cannot_be_is_refused() {
    let start = model();
    let build = |builder: burn_descent::Builder| builder.build(&start).unwrap_err();
    let none = build(Descent::builder(sgd()));
    assert_eq!(none, BuildError::NoLearningRate("all".into()));
    let nothing = Group::new("head", ParamGroup::from_predicate("head"), sgd());
    let empty = build(Descent::builder(sgd()).lr(0.1).group(nothing));
    assert!(matches!(&empty, BuildError::EmptyGroup { group, .. } if group == "head"), "{empty}");
    let text = build(Descent::builder(sgd()).lr(f64::NAN)).to_string();
    assert!(text.contains("constant") && text.contains("NaN"), "{text}");
    for builder in [
        Descent::builder(sgd()).lr(0.1).clip_norm(-1.0),
        Descent::builder(sgd()).lr(0.1).clip_value(f64::INFINITY),
        Descent::builder(sgd()).lr(0.1).accumulate(0),
        Descent::builder(sgd()).lr(0.1).average(Ema::new(1.0)),
        Descent::builder(sgd()).lr(0.1).average(Swa::new(1, 0)),
    ] {
        assert!(matches!(build(builder), BuildError::Option(_)));
    }
    let typo =
        Group::new("v", ParamGroup::from_predicate("vectors"), sgd()).option("weightdecay", 0.1);
    let text = build(Descent::builder(sgd()).lr(0.1).group(typo)).to_string();
    assert!(text.contains("did you mean `weight_decay`?"), "{text}");
    let foreign = Descent::builder(AdamConfig::new().build()).lr(0.1).decay_matrices_only();
    assert_eq!(build(foreign), BuildError::ForeignDecay("all".into()));
    let vectors = ParamGroup::from_predicate("vectors");
    let foreign = Group::new("v", vectors, AdamConfig::new().build()).option("beta1", 0.5);
    let scheduled = Descent::builder(sgd()).lr(0.1).group(foreign);
    assert_eq!(build(scheduled), BuildError::ForeignOption("v".into()));
    let muon = build(Descent::builder(MuonConfig::new().build()).lr(0.1)).to_string();
    assert!(muon.contains("`vectors.0`") && muon.contains("a group of their own"), "{muon}");

    let mut descent = Descent::builder(sgd()).lr(0.1).build(&start).unwrap();
    let other = model();
    let unknown = gradients(&other, 1000);
    let refused = descent.step(other, unknown).unwrap_err();
    assert!(matches!(refused.error, DescentError::UnknownParameter { .. }), "{refused}");
    let gradients = gradients(&start, 1000);
    let refused = descent.step_weighted(start, gradients, 0.0).unwrap_err();
    assert_eq!(refused.error, DescentError::BadWeight(0.0));
    assert_eq!(descent.steps(), 0);
}
