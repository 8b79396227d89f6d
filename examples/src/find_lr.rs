//! Which learning rate? Instead of training, a short run over all of them.

use crate::args::Flags;
use crate::backend::Backend;
use crate::plot;
use crate::report::{say, tell};
use crate::train::{Classroom, Learner, Plan};
use anyhow::Result;
use burn_descent::RangeTest;
use serde_json::json;

/// Runs the range test from the weights of a learner, says what it suggests, and draws it.
///
/// # Errors
/// If a step is refused, or the plot cannot be written.
pub fn find_lr(
    flags: &Flags,
    optimizer: &str,
    backend: Backend,
    learner: &Learner,
    classroom: &Classroom,
    plan: &Plan,
) -> Result<()> {
    let batches = classroom.endless(plan);
    let loss = |model: &_, batch: &_| plan.loss(model, batch);
    let curve = RangeTest::new().run(&learner.descent, &learner.model, batches, loss)?;
    if let Some(path) = &flags.plot {
        plot::range(path, optimizer, &curve)?;
    }
    tell(format_args!("{optimizer}, {} steps: {}", curve.points.len(), curve.summary()));
    let rates = [
        (curve.suggestion(), "where the loss falls fastest"),
        (curve.minimum_over_ten(), "a tenth of where it is least"),
    ];
    for (lr, what) in rates {
        let lr = lr.map_or("none".into(), |lr| format!("{lr:.2e}"));
        tell(format_args!("--lr {lr:<8}  {what}"));
    }
    if flags.json {
        say(json!({
            "optimizer": optimizer,
            "backend": backend.name,
            "suggestion": curve.suggestion(),
            "minimum_over_ten": curve.minimum_over_ten(),
            "unstable_from": curve.unstable_from(),
            "diverged": curve.diverged,
            "points": curve.points,
        }));
    }
    Ok(())
}
