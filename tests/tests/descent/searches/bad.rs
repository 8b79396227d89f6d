//! Bad input: a typed error with the model as it was, or a typed outcome at the best point seen.

use super::{Pair, device, rosenbrock, start};
use burn::tensor::{Device, Tensor};
use burn_descent::own::search::{Ground, Memory, Search, Step};
use burn_descent::registry::SEARCHES;
use burn_descent::{
    Build, Descent, DescentError, Group, Lbfgs, LineSearch, LossScale, Mechanic, NotFinite, Sam,
    Select, Sgd, Stop, Until,
};

fn model() -> Pair {
    let (device, dtype) = device();
    start(8, dtype, &device)
}

fn value(pair: &Pair) -> f64 {
    rosenbrock(pair).into_scalar::<f64>()
}

/// The loss is NaN where the first number is above a wall.
fn walled(pair: &Pair, wall: f64) -> Tensor<1> {
    let beyond = pair.values()[0] > wall;
    if beyond { rosenbrock(pair) * f64::NAN } else { rosenbrock(pair) }
}

#[test]
fn a_loss_that_is_nan_on_the_way_ends_at_the_best_point_seen() {
    for row in SEARCHES {
        for kind in ["strong_wolfe", "hager_zhang", "armijo", "fixed"] {
            let search = row.build(&[("line_search", kind)]).unwrap();
            let begin = model();
            let mut descent = Descent::search(search).build(&begin).unwrap();
            let mut lowest = f64::INFINITY;
            let loss = |pair: &Pair| {
                let loss = walled(pair, -0.9);
                let value: f64 = loss.clone().into_scalar();
                lowest = if value < lowest { value } else { lowest };
                loss
            };
            let before = value(&begin);
            let (after, report, _) = descent.step_with(begin, loss).unwrap();
            let stop = report.stop.unwrap();
            assert!(after.values().iter().all(|x| x.is_finite()), "{} {kind}", row.name);
            assert!(after.values()[0] <= -0.9, "{} {kind}: {stop:?}", row.name);
            if kind != "fixed" && row.name != "barzilai_borwein" {
                assert!(value(&after) < before, "{} {kind}: {stop:?}", row.name);
                assert_eq!(value(&after), lowest, "{} {kind}: {stop:?}", row.name);
            }
        }
    }
}

#[test]
fn a_loss_that_is_nan_at_the_start_is_refused_or_skipped() {
    for bad in [f64::NAN, f64::INFINITY] {
        let before = model();
        let values = before.values();
        let mut descent = Descent::search(Lbfgs::new()).build(&before).unwrap();
        let refused = descent.step_with(before, |pair| rosenbrock(pair) * bad).unwrap_err();
        assert!(matches!(refused.error, DescentError::BadLoss { step: 1, .. }), "{refused}");
        assert_eq!((refused.model.values(), descent.steps()), (values.clone(), 0));

        // A gradient alone: that of a root at 0.
        let loss = |pair: &Pair| {
            let zero = pair.a.val() - Tensor::from_inner(pair.a.val().inner());
            zero.sqrt().sum() + 1.0
        };
        let refused = descent.step_with(refused.model, loss).unwrap_err();
        let DescentError::NotFinite { parameter, step: 1 } = &refused.error else { panic!() };
        assert_eq!(parameter, "a");

        let skip = Descent::search(Lbfgs::new()).not_finite(NotFinite::Skip);
        let mut descent = skip.build(&refused.model).unwrap();
        let loss = |pair: &Pair| rosenbrock(pair) * bad;
        let (after, report, _) = descent.step_with(refused.model, loss).unwrap();
        assert!(report.skipped && after.values() == values);
        let (after, minimum) = descent.minimize(after, loss, &Until::new()).unwrap();
        assert!(minimum.stop == Stop::NotFinite && after.values() == values);
    }
}

#[test]
fn a_loss_of_another_shape_is_refused() {
    let before = model();
    let values = before.values();
    let mut descent = Descent::search(Lbfgs::new()).build(&before).unwrap();
    let refused = descent.step_with(before, |pair| pair.all().square()).unwrap_err();
    assert!(matches!(refused.error, DescentError::LossShape { .. }), "{refused}");
    // On the way, too.
    let mut calls = 0;
    let loss = |pair: &Pair| {
        calls += 1;
        if calls < 3 { rosenbrock(pair) } else { pair.all() }
    };
    let refused = descent.step_with(refused.model, loss).unwrap_err();
    assert!(matches!(refused.error, DescentError::LossShape { .. }), "{refused}");
    assert_eq!(refused.model.values(), values);
    // One that depends on nothing.
    let loss = |_: &Pair| Tensor::<1>::from_floats([1.0], &Device::default());
    let refused = descent.step_with(refused.model, loss).unwrap_err();
    assert_eq!(refused.error, DescentError::NoGradient);
    let allowed = Descent::search(Lbfgs::new()).allow_empty_steps();
    let mut empty = allowed.build(&refused.model).unwrap();
    let (model, report, _) = empty.step_with(refused.model, loss).unwrap();
    assert!(report.stepped && model.values() == values);
    let refused = descent.step_with(model, loss).unwrap_err();
    // And without a search.
    let mut sgd =
        Descent::builder(Sgd::new().build().unwrap()).lr(0.1).build(&refused.model).unwrap();
    let refused = sgd.step_with(refused.model, |pair| pair.all().square()).unwrap_err();
    assert!(matches!(refused.error, DescentError::LossShape { .. }), "{refused}");
    assert_eq!(refused.model.values(), values);
}

/// A gradient that points uphill: nothing lower is found along it.
#[test]
fn a_direction_that_does_not_descend_leaves_the_model_where_it_is() {
    for row in SEARCHES {
        for kind in ["strong_wolfe", "hager_zhang", "armijo"] {
            let before = model();
            let values = before.values();
            let search = row.build(&[("line_search", kind)]).unwrap();
            let mut descent = Descent::search(search).build(&before).unwrap();
            let loss = |pair: &Pair| {
                let constant = Tensor::from_inner(rosenbrock(pair).inner());
                constant * 2.0 - rosenbrock(pair)
            };
            let (after, report, _) = descent.step_with(before, loss).unwrap();
            assert_eq!(report.stop, Some(Stop::NoDescent), "{} {kind}", row.name);
            assert_eq!(after.values(), values, "{} {kind}", row.name);
        }
    }
}

#[test]
fn a_gradient_of_zero_at_the_start_is_a_minimum() {
    for row in SEARCHES {
        let (device, dtype) = device();
        let before = Pair::new(&[1.0; 8], dtype, &device);
        let mut descent = Descent::search(row.build(&[]).unwrap()).build(&before).unwrap();
        let (after, minimum) = descent.minimize(before, rosenbrock, &Until::new()).unwrap();
        assert_eq!((minimum.stop, minimum.evaluations, minimum.steps), (Stop::Gradient, 1, 1));
        assert_eq!(after.values(), [1.0; 8]);
    }
}

#[test]
fn what_is_for_optimizers_is_refused_around_a_search_that_moves() {
    let model = model();
    let search = || Descent::search(Lbfgs::new());
    for builder in [
        search().clip_norm(1.0),
        search().clip_value(1.0),
        search().accumulate(2),
        search().mechanic(Mechanic::new()),
        search().loss_scale(LossScale::new()),
        search().lookahead(burn_descent::Lookahead::new()),
        search().decay_matrices_only(),
        search().lr(-1.0),
        Descent::search(Lbfgs::new().history_size(0)),
        Descent::search(Lbfgs::new().history_size(u64::MAX)),
        Descent::search(Lbfgs::new().c2(1.0)),
        Descent::search(Lbfgs::new().c1(0.5).c2(0.1)),
        // The rate of the search is not that of an optimizer.
        search().group(Group::new("vectors", Select::rank(1), Sgd::new().build().unwrap())),
        Descent::search(Lbfgs::new().tolerance_grad(f64::NAN)),
    ] {
        assert!(builder.build(&model).is_err());
    }
    let fixed = Lbfgs::new().line_search(LineSearch::Fixed);
    let mut descent = Descent::search(fixed).build(&model).unwrap();
    let gradients = rosenbrock(&model).backward();
    assert_eq!(descent.step(model, gradients).unwrap_err().error, DescentError::NeedsLoss);
}

#[test]
fn a_search_of_the_other_kind_is_refused() {
    let before = model();
    let values = before.values();
    let mut descent = Descent::search(Sam::new()).build(&before).unwrap();
    let refused = descent.step_with(before, rosenbrock).unwrap_err();
    assert!(refused.to_string().contains("Descent::builder(optimizer).search(..)"), "{refused}");
    let builder = Descent::builder(Sgd::new().build().unwrap()).lr(0.1).search(Lbfgs::new());
    let mut descent = builder.build(&refused.model).unwrap();
    let refused = descent.step_with(refused.model, rosenbrock).unwrap_err();
    assert!(refused.to_string().contains("Descent::search(..)"), "{refused}");
    assert_eq!(refused.model.values(), values);
}

/// A search of somebody's own that fails after it has changed its memory.
#[test]
fn a_refused_step_leaves_the_memory_as_it_was() {
    #[derive(Debug)]
    struct Counts;
    impl Search for Counts {
        fn name(&self) -> &'static str {
            "counts"
        }
        fn step(&self, ground: &mut Ground<'_>, memory: &mut Memory) -> Result<Step, DescentError> {
            memory.numbers("calls").push(1.0);
            assert!(memory.numbers("calls").len() < 3, "refused steps do not count");
            Ok(Step::Down(ground.look()?.gradient))
        }
    }
    let before = model();
    let builder = Descent::builder(Sgd::new().build().unwrap()).lr(1e-4).search(Counts);
    let mut descent = builder.build(&before).unwrap();
    let mut at = before;
    for _ in 0..3 {
        at = descent.step_with(at, |pair| pair.all()).unwrap_err().model;
    }
    for _ in 0..2 {
        (at, ..) = descent.step_with(at, rosenbrock).unwrap();
    }
    assert_eq!(descent.steps(), 2);
}
