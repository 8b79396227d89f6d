//! Wolfe's conditions by cubic interpolation.

use super::{Line, Ray, Trial};
use crate::descent::DescentError;

/// A bracket that moves no weight by more is small enough.
const SMALLEST: f64 = 1e-9;

/// Algorithm 3.5: further out until a minimum is bracketed; then algorithm 3.6, [`zoom`]. It makes one
/// evaluation more than `most` at most.
pub(super) fn search(
    line: &Line,
    ray: &mut Ray<'_, '_>,
    t: f64,
    most: u64,
) -> Result<Trial, DescentError> {
    let mut before = ray.start.clone();
    let mut now = ray.at(t)?;
    let mut tried = 0;
    while tried < most {
        let rises = falls_short(line, ray, &now) || tried > 1 && now.loss >= before.loss;
        if !rises && is_flat(line, ray, &now) {
            return Ok(now);
        }
        if rises || now.slope >= 0.0 {
            return zoom(line, ray, [before, now], most - tried);
        }
        let within = [now.t + 0.01 * (now.t - before.t), 10.0 * now.t];
        let t = minimizer(&before, &now, within);
        before = core::mem::replace(&mut now, ray.at(t)?);
        tried += 1;
    }
    Ok(ray.start.clone().lower(now))
}

/// Algorithm 3.6: a minimum lies between the ends of the bracket, of which it keeps the lower one.
fn zoom(
    line: &Line,
    ray: &mut Ray<'_, '_>,
    mut bracket: [Trial; 2],
    most: u64,
) -> Result<Trial, DescentError> {
    let lower = |bracket: &[Trial; 2]| usize::from(bracket[1].loss < bracket[0].loss);
    let mut low = lower(&bracket);
    let scale = ray.d.largest();
    let mut slow = false;
    for _ in 0..most {
        let (least, largest) = (bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t));
        if (largest - least) * scale < SMALLEST {
            break;
        }
        let mut t = minimizer(&bracket[0], &bracket[1], [least, largest]);
        // Twice in a row near an end, or at it: a tenth inside of it.
        let margin = 0.1 * (largest - least);
        let near = f64::min(largest - t, t - least) < margin;
        let moves_in = near && (slow || t >= largest || t <= least);
        if moves_in {
            t = if (t - largest).abs() < (t - least).abs() {
                largest - margin
            } else {
                least + margin
            };
        }
        slow = near && !moves_in;

        let trial = ray.at(t)?;
        if falls_short(line, ray, &trial) || trial.loss >= bracket[low].loss {
            bracket[1 - low] = trial;
            low = lower(&bracket);
            continue;
        }
        if is_flat(line, ray, &trial) {
            return Ok(trial);
        }
        if trial.slope * (bracket[1 - low].t - bracket[low].t) >= 0.0 {
            bracket[1 - low] = bracket[low].clone();
        }
        bracket[low] = trial;
    }
    let [first, second] = bracket;
    Ok(if low == 0 { first } else { second })
}

/// `φ(t) > φ(0) + c₁ t φ'(0)`: not enough for the length of the step.
fn falls_short(line: &Line, ray: &Ray<'_, '_>, trial: &Trial) -> bool {
    trial.loss > ray.start.loss + line.c1 * trial.t * ray.start.slope
}

/// `|φ'(t)| ≤ c₂ |φ'(0)|`.
fn is_flat(line: &Line, ray: &Ray<'_, '_>, trial: &Trial) -> bool {
    trial.slope.abs() <= -line.c2 * ray.start.slope
}

/// The minimizer of the cubic through the losses and slopes of two points (Nocedal & Wright 3.59),
/// within limits; their middle where the cubic has none.
fn minimizer(a: &Trial, b: &Trial, [least, most]: [f64; 2]) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt();
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    if t.is_nan() { (least + most) / 2.0 } else { t.max(least).min(most) }
}
