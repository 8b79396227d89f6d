//! AdaGrad and RMSProp.

use super::bowl::{Point, START, around, arrival, distance, first_angle, strides, walk};
use super::{Effort, Finding, Picture, line, through};
use anyhow::Result;
use burn_descent::{AdaGrad, RmsProp, Rule, Sgd};

/// Where walks begin, all around the optimum.
const STARTS: usize = 90;

/// Where the walks begin that are drawn: not where AdaGrad's way is a straight line.
const ASIDE: Point = [4.0, 2.0];

/// AdaGrad's rate in the registry.
const LR: f64 = 0.05;

/// A walk has arrived when it stays within this share of its first distance.
const NEAR: f64 = 0.02;

pub(super) fn adagrad_is_direct(_: &Effort) -> Result<Finding> {
    let (descent, detour) = directness(&Sgd::new(), 0.02)?;
    let (adagrad, shortcut) = directness(&AdaGrad::new(), 0.5)?;
    let xy = |path: Vec<Point>| path.into_iter().map(|p| (p[0], p[1]));
    Ok(Finding {
        measured: format!(
            "From {STARTS} points all around, the first step is {adagrad:.1}° off the way to the \
             optimum, gradient descent's {descent:.1}°; the whole way is {shortcut:.2} times as \
             long as the straight one, gradient descent's {detour:.2} times",
        ),
        holds: adagrad < descent && shortcut < detour,
        picture: Picture::new(
            ("x", false),
            ("y", false),
            vec![
                through("gradient descent", xy(walk(Sgd::new(), 0.02, ASIDE, 400)?)),
                through("adagrad", xy(walk(AdaGrad::new(), 0.5, ASIDE, 400)?)),
            ],
        ),
    })
}

/// The mean angle of the first step, and the mean of how much longer a way is than the straight
/// one.
fn directness<U: Rule>(rule: &U, lr: f64) -> Result<(f64, f64)> {
    let (mut angles, mut detours) = (0.0, 0.0);
    for start in around(STARTS) {
        let path = walk(rule.clone(), lr, start, 1000)?;
        let long: f64 = path
            .windows(2)
            .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]))
            .sum();
        let straight = distance(&start) - path.last().map_or(0.0, distance);
        angles += first_angle(&path);
        detours += long / straight;
    }
    Ok((angles / STARTS as f64, detours / STARTS as f64))
}

pub(super) fn adagrad_stops_early(_: &Effort) -> Result<Finding> {
    let steps = 1000;
    let strides = strides(AdaGrad::new(), LR, steps)?;
    let adagrad = walk(AdaGrad::new(), LR, START, steps)?;
    let rmsprop = walk(RmsProp::new(), LR, START, steps)?;
    let shrunk = strides[steps - 1] / strides[0];
    let arrived = arrival(&rmsprop, NEAR);
    let left = |path: &[Point], step: usize| distance(&path[step]) / distance(&path[0]);
    let when = arrived.map_or("does not arrive".into(), |step| format!("has arrived after {step}"));
    Ok(Finding {
        measured: format!(
            "Under a constant gradient step {steps} is {:.1} % of the first; on the bowl at {LR} \
             {:.0} % of the distance is left after {steps} steps, where RMSProp at the same rate \
             {when}",
            100.0 * shrunk,
            100.0 * left(&adagrad, steps),
        ),
        holds: shrunk < 0.1 && left(&adagrad, steps) > 0.1 && arrived.is_some(),
        picture: Picture::new(
            ("step", false),
            ("distance to the optimum", false),
            vec![
                line("adagrad", adagrad.iter().map(distance)),
                line("rmsprop", rmsprop.iter().map(distance)),
            ],
        ),
    })
}

pub(super) fn rmsprop_keeps_going(_: &Effort) -> Result<Finding> {
    let steps = 1000;
    let rmsprop = strides(RmsProp::new(), LR, steps)?;
    let adagrad = strides(AdaGrad::new(), LR, steps)?;
    let path = walk(RmsProp::new(), LR, START, steps)?;
    let (kept, shrunk) = (rmsprop[steps - 1], adagrad[steps - 1]);
    let rest = path.last().map_or(0.0, distance);
    Ok(Finding {
        measured: format!(
            "Under a constant gradient step {steps} is {kept:.3} learning rates long, AdaGrad's \
             {shrunk:.3}; on the bowl it does not come to rest, but stays {rest:.3} away, {:.1} \
             learning rates",
            rest / LR
        ),
        holds: kept > 0.9 && kept > 10.0 * shrunk,
        picture: Picture::new(
            ("step", true),
            ("length of a step, in learning rates", true),
            vec![
                through("rmsprop", (1..).map(f64::from).zip(rmsprop)),
                through("adagrad", (1..).map(f64::from).zip(adagrad)),
            ],
        ),
    })
}
