//! Losses that are scaled, gradients that are not finite, rates that fall, weights that look ahead.

use crate::{all, gradients, model, sgd, vector};
use burn::optim::GradientsParams;
use burn_descent::schedules::ReduceOnPlateau;
use burn_descent::{Descent, DescentError, Lookahead, LossScale, NotFinite, Report};
use burn_descent_tests::values;

/// All gradients, one of them with a NaN at its end.
fn broken(model: &crate::Model) -> GradientsParams {
    let mut gradients = gradients(model, 1000);
    let id = model.vectors[2].id;
    let vector = gradients.remove::<1>(id).expect("it has one");
    gradients.register(id, vector.slice_fill(6..7, f32::NAN));
    gradients
}

#[test]
fn zero_is_put_for_what_is_not_finite() {
    let start = model();
    let builder = Descent::builder(sgd()).lr(1.0).clip_norm(1e9);
    let mut descent = builder.not_finite(NotFinite::Zero).build(&start).expect("it fits");
    let before = values(&start.vectors[2].val());
    let given = values(&vector(1002, 7));
    let gradients = broken(&start);
    let (after, report) = descent.step(start, gradients).expect("a good step");
    let after = values(&after.vectors[2].val());
    assert!(report.stepped && report.grad_norm.is_some_and(|norm| norm.get().is_finite()));
    for i in 0..6 {
        assert!((before[i] - given[i] - after[i]).abs() < 1e-6);
    }
    assert_eq!(before[6], after[6]);
}

#[test]
fn the_scale_of_the_loss_grows_falls_and_leaves_the_step_as_it_is() {
    let start = model();
    let scale = LossScale::new().init_scale(8.0).growth_interval(2).min_scale(4.0).max_scale(32.0);
    let builder = || Descent::builder(sgd()).lr(0.1).clip_norm(2.0);
    let mut plain = builder().build(&start).expect("it fits");
    let mut descent = builder().loss_scale(scale.clone()).build(&start).expect("it fits");
    let (mut a, mut b) = (start.clone(), start);
    let mut scales = Vec::new();
    for step in 0..6 {
        let scale = descent.scale_loss(vector(0, 1).ones_like()).into_scalar::<f32>();
        let unscaled = gradients(&a, 1000 + step);
        let mut scaled = GradientsParams::new();
        let source = gradients(&b, 1000 + step);
        for param in &b.vectors {
            let g = source.get::<1>(param.id).expect("it has one");
            scaled.register(param.id, g.mul_scalar(scale));
        }
        for param in &b.matrices {
            let g = source.get::<2>(param.id).expect("it has one");
            scaled.register(param.id, g.mul_scalar(scale));
        }
        let (report_a, report_b);
        (a, report_a) = plain.step(a, unscaled).expect("a good step");
        (b, report_b) = descent.step(b, scaled).expect("a good step");
        let scale = report_b.loss_scale;
        let norm = |report: Report| report.grad_norm.expect("clips").get();
        let norms = (norm(report_a), norm(report_b));
        assert!((norms.0 - norms.1).abs() < 1e-6 * norms.0, "{norms:?}");
        scales.push(scale.expect("it is scaled"));
    }
    assert_eq!(scales, [8.0, 16.0, 16.0, 32.0, 32.0, 32.0]);
    all(&a).iter().zip(all(&b)).for_each(|(a, b)| assert!((a - b).abs() < 1e-6));

    let before = all(&b);
    let mut fell = Vec::new();
    for _ in 0..5 {
        let report;
        let gradients = broken(&b);
        (b, report) = descent.step(b, gradients).expect("skipped");
        assert!(report.skipped && !report.stepped);
        fell.push(report.loss_scale.expect("it is scaled"));
    }
    assert_eq!(fell, [16.0, 8.0, 4.0, 4.0, 4.0]);
    assert_eq!(all(&b), before);

    // With nothing left to fall, the policy is asked.
    let strict = builder().loss_scale(scale.init_scale(8.0)).not_finite(NotFinite::Error);
    let mut strict = strict.build(&b).expect("it fits");
    let gradients = broken(&b);
    let (b, report) = strict.step(b, gradients).expect("it can fall");
    assert!(report.skipped && report.loss_scale == Some(4.0));
    let gradients = broken(&b);
    let refused = strict.step(b, gradients).expect_err("it cannot fall");
    assert_eq!(refused.error, DescentError::NotFinite { parameter: "vectors.2".into(), step: 1 });
}

#[test]
fn a_plateau_lowers_all_rates() {
    let start = model();
    let plateau = ReduceOnPlateau::new(1.0).patience(1).factor(0.5);
    let builder = Descent::builder(sgd()).lr(0.4).reduce_on_plateau(plateau);
    let mut descent = builder.build(&start).expect("it fits");
    let factors: Vec<_> = (0..3).map(|_| descent.observe_metric(2.0)).collect();
    assert_eq!(factors, [Some(1.0), Some(1.0), Some(0.5)]);
    let gradients = gradients(&start, 1000);
    let (_, report) = descent.step(start, gradients).expect("a good step");
    assert_eq!(report.learning_rates[0].1, 0.2);
}

#[test]
fn lookahead_goes_back_part_of_the_way() {
    let start = model();
    let lookahead = Lookahead::new().k(2).alpha(0.25);
    let mut fast = Descent::builder(sgd()).lr(0.3).build(&start).expect("it fits");
    let mut descent =
        Descent::builder(sgd()).lr(0.3).lookahead(lookahead).build(&start).expect("it fits");
    // The gradients depend on nothing, so the fast weights move alike in both.
    let (mut a, mut b) = (start.clone(), start.clone());
    let mut slow = all(&start);
    let mut met = all(&start);
    for step in 1..=6 {
        let moved = gradients(&a, 1000 + step);
        let before = all(&a);
        (a, _) = fast.step(a, moved).expect("a good step");
        let gradients = gradients(&b, 1000 + step);
        (b, _) = descent.step(b, gradients).expect("a good step");
        for (i, (before, after)) in before.iter().zip(all(&a)).enumerate() {
            met[i] += after - before;
        }
        if step % 2 == 0 {
            slow.iter_mut().zip(&mut met).for_each(|(slow, met)| {
                *slow += 0.25 * (*met - *slow);
                *met = *slow;
            });
        }
        met.iter().zip(all(&b)).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "step {step}"));
        let evaluated = all(&descent.evaluate(&b));
        slow.iter().zip(evaluated).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "step {step}"));
    }
}

#[test]
fn updates_are_measured_when_asked_for() {
    let start = model();
    let mut descent =
        Descent::builder(sgd()).lr(0.5).measure_updates(2).build(&start).expect("it fits");
    let first = gradients(&start, 1000);
    let (at, report) = descent.step(start, first).expect("a good step");
    assert_eq!(report.update, None);
    let (before, second) = (all(&at), gradients(&at, 1001));
    let (at, report) = descent.step(at, second).expect("a good step");
    let update = report.update.expect("it was asked for");
    let norm = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    let moved: Vec<f64> = before.iter().zip(all(&at)).map(|(a, b)| a - b).collect();
    let (length, weights) = (update.norm.get(), update.weight_norm.get());
    assert!((length - norm(&moved)).abs() < 1e-6 * length);
    assert!((weights - norm(&before)).abs() < 1e-6 * weights);
    assert!((update.ratio() - length / weights).abs() < 1e-12);
}

#[test]
fn scales_that_cannot_be_are_refused() {
    let start = model();
    for (scale, option) in [
        (LossScale::new().min_scale(0.0), "min_scale"),
        (LossScale::new().max_scale(0.5), "max_scale"),
        (LossScale::new().init_scale(f64::NAN), "init_scale"),
        (LossScale::new().growth_factor(0.9), "growth_factor"),
        (LossScale::new().backoff_factor(1.0), "backoff_factor"),
        (LossScale::new().growth_interval(0), "growth_interval"),
    ] {
        let builder = Descent::builder(sgd()).lr(0.1).loss_scale(scale);
        let error = builder.build(&start).expect_err("it cannot be").to_string();
        assert!(error.contains(option), "{error}");
    }
    for lookahead in [Lookahead::new().k(0), Lookahead::new().alpha(1.5)] {
        let builder = Descent::builder(sgd()).lr(0.1).lookahead(lookahead);
        assert!(builder.build(&start).is_err());
    }
}
