//! A walk that was saved and taken up again never stopped.

use super::descent::Line;
use crate::Subject;
use burn_descent::schedules::{Cosine, Linear, ReduceOnPlateau};
use burn_descent::{
    Batch, Builder, Checkpoint, Descent, Ema, Fused, Lookahead, LossScale, NotFinite, Schedule,
    Swa, Transform,
};

/// What may stand around an optimizer.
type Around = fn(Builder) -> Builder;

/// Everything that remembers, or follows from the step.
const AROUND: [(&str, Around); 5] = [
    ("nothing", |builder| builder),
    ("accumulate, ema, clip_norm", |builder| {
        builder.accumulate(3).average(Ema::new(0.9).warmup()).clip_norm(0.1)
    }),
    ("lookahead, swa, noise", |builder| {
        let lookahead = Lookahead::new().k(2);
        builder.lookahead(lookahead).average(Swa::polyak(2)).transform(Transform::noise(0.01, 3))
    }),
    ("lookahead, centralize, skip", |builder| {
        let builder = builder.lookahead(Lookahead::new().k(3).alpha(0.8));
        builder.transform(Transform::centralize()).not_finite(NotFinite::Skip)
    }),
    ("loss_scale, plateau, accumulate", |builder| {
        let scale = LossScale::new().growth_interval(2);
        let plateau = ReduceOnPlateau::new(1.0).patience(1);
        builder.loss_scale(scale).reduce_on_plateau(plateau).accumulate(2)
    }),
];

/// Saved at any call, in a fresh process taken up and gone on, is never stopped: bit for bit, for
/// every optimizer with everything around it, in the middle of an accumulation too.
pub(crate) fn resume(subject: &Subject) {
    let plain = AROUND[0].1;
    for (variant, optimizer) in subject.variants() {
        resumes(subject, &optimizer, plain, &variant);
    }
    for (name, around) in AROUND {
        resumes(subject, &subject.optimizer(), around, name);
    }
}

const CALLS: u64 = 7;

fn resumes(subject: &Subject, optimizer: &Fused, around: Around, name: &str) {
    let build = || {
        let lr = subject.lr();
        let model = Line::new(subject);
        let schedule = Cosine::new(lr, 6).warmup(2).then(5, Linear::new(lr, 4));
        let builder = around(Descent::builder(optimizer.clone()).schedule(schedule));
        let descent = builder.build(&model).expect("it fits");
        (model, descent)
    };
    let call = |model: Line, descent: &mut Descent, number: u64| {
        let rows = (number as usize % 4) * 4;
        let loss = model.loss_of(subject, rows..rows + 4);
        let gradients = descent.scale_loss(loss).backward();
        descent.observe_metric(1.0);
        let batch = Batch::new().weight(1.0 + number as f64).loss(1.0 + 0.1 * number as f64);
        descent.step_weighted(model, gradients, batch).expect("a good step").0
    };
    let ends =
        |model: &Line, descent: &Descent| [model.bits(), descent.evaluate(model).bits()].concat();
    let (mut model, mut descent) = build();
    let mut files = Vec::new();
    for number in 0..CALLS {
        let checkpoint = descent.checkpoint(&model).expect("of this model");
        files.push(checkpoint.into_bytes().expect("a checkpoint"));
        model = call(model, &mut descent, number);
    }
    let expected = ends(&model, &descent);
    for (at, file) in files.into_iter().enumerate() {
        let (fresh, mut descent) = build();
        let checkpoint = Checkpoint::from_bytes(file).expect("a checkpoint");
        let mut model = checkpoint.restore(&mut descent, &fresh).expect("it fits");
        for number in at as u64..CALLS {
            model = call(model, &mut descent, number);
        }
        assert!(ends(&model, &descent) == expected, "{name}: resumed after {at} calls");
    }
}
