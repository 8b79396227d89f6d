//! Back until the loss has fallen enough.

use super::{Line, Ray, Trial};
use crate::descent::DescentError;

/// ```text
/// until φ(t) ≤ reference + c₁ t φ'(0):    t ← the minimum of the parabola by φ(0), φ'(0) and φ(t),
///                                              between t / 10 and t / 2
/// ```
pub(super) fn search(
    line: &Line,
    ray: &mut Ray<'_, '_>,
    t: f64,
    most: u64,
) -> Result<Trial, DescentError> {
    let mut trial = ray.at(t)?;
    for _ in 1..most.max(1) {
        if is_enough(line, ray, &trial) {
            return Ok(trial);
        }
        let Trial { t, loss, .. } = trial;
        let bends = loss - ray.start.loss - ray.start.slope * t;
        let minimum = -ray.start.slope * t * t / (2.0 * bends);
        trial = ray.at(minimum.max(0.1 * t).min(0.5 * t))?;
    }
    Ok(if is_enough(line, ray, &trial) { trial } else { ray.start.clone().lower(trial) })
}

fn is_enough(line: &Line, ray: &Ray<'_, '_>, trial: &Trial) -> bool {
    trial.loss <= ray.reference + line.c1 * trial.t * ray.start.slope
}
