//! Learning rates too big and too small.

use super::bowl::{CURVATURE, START, arrival, crossings, height, walk};
use super::{Effort, Finding, Picture, line};
use anyhow::Result;
use burn_descent::Sgd;

/// The rate that takes the steep direction to its optimum in one step.
const FITTING: f64 = 1.0 / CURVATURE[1];

/// Just below twice [`FITTING`], from where on gradient descent diverges.
const TOO_BIG: f64 = 1.99 * FITTING;

const TOO_SMALL: f64 = FITTING / 100.0;

const DIVERGES: f64 = 2.02 * FITTING;

pub(super) fn too_big_bounces(_: &Effort) -> Result<Finding> {
    let steps = 100;
    let paths = [FITTING, TOO_BIG, DIVERGES].map(|lr| walk(Sgd::new(), lr, START, steps));
    let [fitting, big, diverges] = paths;
    let (fitting, big, diverges) = (fitting?, big?, diverges?);
    let end = |path: &[_]| path.last().map_or(f64::INFINITY, height);
    let [calm, bouncing] = [&fitting, &big].map(|path| crossings(path));
    Ok(Finding {
        measured: format!(
            "In {steps} steps at {TOO_BIG:.4} it changes sides {bouncing} times and ends at a \
             height of {:.1}, at {FITTING:.4} {calm} times and at {:.4}; at {DIVERGES:.4} it climbs \
             from {:.0} to {:.0}",
            end(&big),
            end(&fitting),
            height(&START),
            end(&diverges),
        ),
        holds: calm == 0
            && bouncing >= steps * 9 / 10
            && end(&big) > end(&fitting)
            && end(&diverges) > height(&START),
        picture: Picture::new(
            ("step", false),
            ("y, across the valley", false),
            [(FITTING, &fitting), (TOO_BIG, &big), (DIVERGES, &diverges)]
                .map(|(lr, path)| line(format!("learning rate {lr:.4}"), path.iter().map(|p| p[1])))
                .into(),
        ),
    })
}

pub(super) fn too_small_crawls(_: &Effort) -> Result<Finding> {
    let steps = 20_000;
    let near = 0.01;
    let fitting = walk(Sgd::new(), FITTING, START, steps)?;
    let small = walk(Sgd::new(), TOO_SMALL, START, steps)?;
    let [quick, slow] = [&fitting, &small].map(|path| arrival(path, near));
    let tell = |arrival: Option<usize>| match arrival {
        Some(step) => format!("{step} steps"),
        None => format!("more than {steps} steps"),
    };
    let ratio = quick.map(|quick| slow.unwrap_or(steps) as f64 / quick as f64);
    let heights = |path: &[_]| path.iter().take(1200).map(height).collect::<Vec<_>>();
    Ok(Finding {
        measured: format!(
            "Within {:.0} % of the first distance after {} at {FITTING:.4}, after {} at \
             {TOO_SMALL:.4}; it changes sides {} times on the way",
            100.0 * near,
            tell(quick),
            tell(slow),
            crossings(&small),
        ),
        holds: crossings(&small) == 0 && ratio.is_some_and(|ratio| ratio > 10.0),
        picture: Picture::new(
            ("step", false),
            ("height", true),
            vec![
                line(format!("learning rate {FITTING:.4}"), heights(&fitting[..200])),
                line(format!("learning rate {TOO_SMALL:.4}"), heights(&small)),
            ],
        ),
    })
}
