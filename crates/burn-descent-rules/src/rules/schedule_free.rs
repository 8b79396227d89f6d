//! What the Schedule-Free rules share: the walk of three points, and how much each new one counts.
//!
//! Of the points `x` (the average, to be evaluated), `y` (where gradients are taken, the weights that
//! are trained) and `z` (which the steps move) `y` is the parameter and `d = z − y` the state, so
//! that the state is 0 before the first step.

use crate::Real;

/// What the numbers that are remembered are called: the sum of the weights of all steps so far, and
/// the greatest learning rate of them.
pub(super) const MEMORY: [(&str, f64); 2] = [("weight_sum", 0.0), ("lr_max", 0.0)];

/// The share `c` of the newest point in the average: its weight `t^r η_max^p` over the sum of all
/// weights so far.
pub(super) fn share(lr: f64, t: u64, r: f64, power: f64, memory: &mut [f64]) -> f64 {
    let [weight_sum, lr_max] = memory else { unreachable!("{MEMORY:?}") };
    *lr_max = lr_max.max(lr);
    let weight = (t as f64).powf(r) * lr_max.powf(power);
    *weight_sum += weight;
    if *weight_sum > 0.0 { weight / *weight_sum } else { 0.0 }
}

/// The learning rate of the step itself: that of step `t`, or of the one before where the warm-up is from zero.
pub(super) fn warm_step(lr: f64, t: u64, steps: f64, from_zero: bool) -> f64 {
    warm(lr, if from_zero { t - 1 } else { t }, steps)
}

/// The learning rate of step `t`, which grows linearly for `steps` steps.
pub(super) fn warm(lr: f64, t: u64, steps: f64) -> f64 {
    if (t as f64) < steps { lr * t as f64 / steps } else { lr }
}

/// The new `y` and `d` after a step down `g`, with the share `c`:
///
/// ```text
/// z ← z − η g
/// x ← (1 − c) x + c z
/// y ← (1 − β) z + β x
/// ```
#[inline(always)]
pub(super) fn step<R: Real>(y: R, d: R, g: R, [lr, beta, c, one_c]: [R; 4]) -> (R, R) {
    let ahead = lr * beta * g;
    (y + (c * d - (lr * g - one_c * ahead)), one_c * (d - ahead))
}

/// The share of `d` in `x = y + back d`, where `y` is the mixture `(1 − β) (y + d) + β x`.
pub(super) fn back(beta: f64) -> f64 {
    1.0 - 1.0 / beta
}
