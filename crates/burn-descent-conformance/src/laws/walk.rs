//! `Descent` walks as its parts say.

use super::descent::Line;
use crate::subject::LOSS;
use crate::{Subject, spoil_memory, values};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Tensor};
use burn_descent::{Batch, Descent, DescentError, NotFinite};

/// Without extras it walks as burn's `ModuleOptimizer`, bit for bit, and is evaluated alike.
pub(crate) fn plain(subject: &Subject) {
    let optimizer = subject.optimizer();
    let mut module = ModuleOptimizer::from(optimizer.clone());
    let expected = Line::new(subject).walk(subject, &mut module, 4);
    let start = Line::new(subject);
    let mut descent =
        Descent::builder(optimizer.clone()).lr(subject.lr()).build(&start).expect("it fits");
    let mut model = start;
    for step in 1..=4 {
        let gradients = model.loss(subject).backward();
        let report;
        (model, report) = descent.step(model, gradients).expect("a good step");
        assert!(report.stepped && report.step == step && report.grad_norm.is_none());
    }
    assert!(model.bits() == expected.bits());
    let evaluated = descent.evaluate(&model);
    assert!(evaluated.bits() == optimizer.evaluate(&expected, &module).bits());
}

/// The mean over uneven micro-batches is that of the whole batch.
pub(crate) fn accumulate(subject: &Subject) {
    let walk = |ends: &[usize]| {
        let starts = core::iter::once(&0).chain(ends);
        let parts: Vec<_> = starts.zip(ends).map(|(start, end)| *start..*end).collect();
        let mut model = Line::new(subject);
        let count = parts.len() as u32;
        let builder = Descent::builder(subject.optimizer()).lr(subject.lr());
        let mut descent = builder.accumulate(count).build(&model).expect("it fits");
        for _ in 0..3 {
            for part in &parts {
                let gradients = model.loss_of(subject, part.clone()).backward();
                let batch = Batch::new().weight(part.len() as f64).loss(LOSS);
                (model, _) = descent.step_weighted(model, gradients, batch).expect("good");
            }
        }
        assert_eq!(descent.steps(), 3);
        model
    };
    let whole = walk(&[16]);
    // Of 8, 4, 2, 1 and 1: their shares are exact, however few bits a product of matrices has.
    let parts = walk(&[8, 12, 14, 15, 16]);
    let most = if subject.dtype == DType::F64 { 1e-12 } else { subject.exactness.products };
    subject.assert_within(most, "w", &parts.w.val().inner(), &whole.w.val().inner());
    subject.assert_within(most, "b", &parts.b.val().inner(), &whole.b.val().inner());
}

/// A step with a NaN is skipped or refused, and all is as if it had never been.
pub(crate) fn not_finite(subject: &Subject) {
    spoil_memory(&subject.device);
    let batch = || Batch::new().loss(LOSS);
    let walk = |policy, broken_after: Option<usize>| {
        let mut model = Line::new(subject);
        let builder = Descent::builder(subject.optimizer()).lr(subject.lr());
        let mut descent = builder.not_finite(policy).build(&model).expect("it fits");
        for step in 0..3 {
            if broken_after == Some(step) {
                let mut broken =
                    GradientsParams::from_grads(model.loss(subject).backward(), &model);
                let b = broken.remove::<1>(model.b.id).expect("it has one");
                broken.register(model.b.id, b.mul_scalar(f64::NAN));
                model = match descent.step_weighted(model, broken, batch()) {
                    Ok((model, report)) => {
                        assert!(policy == NotFinite::Skip && report.skipped && !report.stepped);
                        assert_eq!(report.skipped_in_all, 1);
                        model
                    }
                    Err(refused) => {
                        let step = step as u64 + 1;
                        let expected = DescentError::NotFinite { parameter: "b".into(), step };
                        assert!(policy == NotFinite::Error && refused.error == expected);
                        refused.model
                    }
                };
            }
            let gradients = model.loss(subject).backward();
            (model, _) = descent.step_weighted(model, gradients, batch()).expect("a good step");
        }
        assert_eq!(descent.steps(), 3);
        model.bits()
    };
    let never = walk(NotFinite::Allow, None);
    assert!(walk(NotFinite::Skip, Some(1)) == never);
    assert!(walk(NotFinite::Error, Some(1)) == never);
}

/// Clipping by the norm of all gradients is the same as gradients scaled before.
pub(crate) fn clip(subject: &Subject) {
    let model = Line::new(subject);
    let gradients = || GradientsParams::from_grads(model.loss(subject).backward(), &model);
    spoil_memory(&subject.device);
    let squares = |tensor: Vec<f64>| tensor.iter().map(|x| x * x).sum::<f64>();
    let all = gradients();
    let w: Tensor<2> = all.get(model.w.id).expect("it has one");
    let b: Tensor<1> = all.get(model.b.id).expect("it has one");
    let norm = (squares(values(&w)) + squares(values(&b))).sqrt();

    let batch = || Batch::new().loss(LOSS);
    let builder = || Descent::builder(subject.optimizer()).lr(subject.lr());
    let limit = norm / 3.0;
    let mut clipped = builder().clip_norm(limit).build(&model).expect("it fits");
    let (clipped, report) =
        clipped.step_weighted(model.clone(), all, batch()).expect("a good step");
    let reported = report.grad_norm.expect("clipping looks").get();
    assert!((reported - norm).abs() <= 1e-6 * norm, "{reported} and {norm}");
    assert!((report.clip_factor.get() * reported - limit).abs() <= 1e-6 * limit);

    let mut scaled = GradientsParams::new();
    scaled.register(model.w.id, w.mul_scalar(1.0 / 3.0));
    scaled.register(model.b.id, b.mul_scalar(1.0 / 3.0));
    let mut plain = builder().clip_norm(2.0 * norm).build(&model).expect("it fits");
    let (plain, report) = plain.step_weighted(model.clone(), scaled, batch()).expect("a good step");
    assert_eq!(report.clip_factor, 1.0);
    subject.assert_close("w", &clipped.w.val().inner(), &plain.w.val().inner());
    subject.assert_close("b", &clipped.b.val().inner(), &plain.b.val().inner());
}
