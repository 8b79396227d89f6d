//! Momentum and Nesterov's.

use super::bowl::{CURVATURE, Point, START, arrival, crossings, distance, strides, walk};
use super::{Effort, Finding, Picture, line, through};
use anyhow::{Context, Result};
use burn_descent::{Nesterov, Sgd};

/// Velocities that have become this equal differ by rounding only.
const ROUNDING: f64 = 1e-11;

pub(super) fn terminal_velocity(_: &Effort) -> Result<Finding> {
    let mut lines = Vec::new();
    let mut told = Vec::new();
    let mut worst: f64 = 0.0;
    for beta in [0.0, 0.5, 0.9, 0.99] {
        let strides = strides(Sgd::new().momentum(beta), 0.1, 5000)?;
        let last = strides.last().copied().context("no step")?;
        worst = worst.max((last * (1.0 - beta) - 1.0).abs());
        told.push(format!("{last:.10} at {beta}"));
        lines.push(line(format!("momentum {beta}"), strides.into_iter().take(600)));
    }
    Ok(Finding {
        measured: format!(
            "Under a constant gradient, learning rates a step in the end: {}. Off 1/(1 - beta) by {worst:.0e} at most",
            told.join(", ")
        ),
        holds: worst < ROUNDING,
        picture: Picture::new(("step", false), ("velocity, in learning rates a step", true), lines),
    })
}

/// The same walk with both, over learning rates.
struct Duel {
    lr: f64,
    /// Momentum's and Nesterov's.
    paths: [Vec<Point>; 2],
    /// The steps after which they have arrived, if they have.
    arrivals: [Option<usize>; 2],
}

/// A walk has arrived when it stays within this share of its first distance.
const NEAR: f64 = 1e-3;

const MOMENTUM: f64 = 0.9;

/// Rates from where both crawl to where Nesterov diverges, at `(2 + 2β)/(1 + 2β)` by curvature.
fn duels() -> Result<Vec<Duel>> {
    let steps = 3000;
    let last = (2.0 + 2.0 * MOMENTUM) / (1.0 + 2.0 * MOMENTUM) / CURVATURE[1];
    let rates = (0..24).map(|i| last * 0.99 * 10_f64.powf(-1.75 * f64::from(i) / 23.0));
    let duel = |lr| {
        let momentum = walk(Sgd::new().momentum(MOMENTUM), lr, START, steps)?;
        let nesterov = walk(Nesterov::new().momentum(MOMENTUM), lr, START, steps)?;
        let paths = [momentum, nesterov];
        let arrivals = [arrival(&paths[0], NEAR), arrival(&paths[1], NEAR)];
        Ok(Duel { lr, paths, arrivals })
    };
    rates.map(duel).collect()
}

/// The duel in which one of them arrives first.
fn best(duels: &[Duel], who: usize) -> Result<(&Duel, usize)> {
    let arrived = duels.iter().filter_map(|duel| Some((duel, duel.arrivals[who]?)));
    arrived.min_by_key(|(_, steps)| *steps).context("it arrives at no rate")
}

pub(super) fn fewer_steps(_: &Effort) -> Result<Finding> {
    let duels = duels()?;
    let ((slow, momentum), (quick, nesterov)) = (best(&duels, 0)?, best(&duels, 1)?);
    let both: Vec<_> =
        duels.iter().filter_map(|duel| Some((duel.arrivals[0]?, duel.arrivals[1]?))).collect();
    let fewer = both.iter().filter(|(momentum, nesterov)| nesterov < momentum).count();
    let arrivals = |who: usize| {
        duels.iter().filter_map(move |duel| Some((duel.lr, duel.arrivals[who]? as f64)))
    };
    Ok(Finding {
        measured: format!(
            "To {NEAR} of the first distance: {nesterov} steps at its best rate {:.4}, momentum \
             {momentum} at {:.4}; fewer at {fewer} of {} rates",
            quick.lr,
            slow.lr,
            both.len(),
        ),
        holds: nesterov < momentum && 2 * fewer > both.len(),
        picture: Picture::new(
            ("learning rate", true),
            ("steps to arrive", true),
            vec![through("momentum", arrivals(0)), through("nesterov", arrivals(1))],
        ),
    })
}

/// A walk until it arrives: how often it changes sides, and how far it goes in both coordinates, in
/// straight ways to the optimum.
fn restlessness(path: &[Point], arrival: usize) -> (usize, f64) {
    let path = &path[..=arrival];
    let far: f64 =
        path.windows(2).map(|p| (p[1][0] - p[0][0]).abs() + (p[1][1] - p[0][1]).abs()).sum();
    (crossings(path), far / (path[0][0].abs() + path[0][1].abs()))
}

pub(super) fn oscillates_less(_: &Effort) -> Result<Finding> {
    let duels = duels()?;
    let both = |duel: &Duel| {
        let [momentum, nesterov] =
            [0, 1].map(|who| Some(restlessness(&duel.paths[who], duel.arrivals[who]?)));
        Some([momentum?, nesterov?])
    };
    let both: Vec<_> = duels.iter().filter_map(both).collect();
    let fewer = both.iter().filter(|[momentum, nesterov]| nesterov.0 < momentum.0).count();
    let more = both.iter().filter(|[momentum, nesterov]| nesterov.0 > momentum.0).count();
    let shorter = both.iter().filter(|[momentum, nesterov]| nesterov.1 < momentum.1).count();
    let mean = |who: usize| both.iter().map(|duel| duel[who].1).sum::<f64>() / both.len() as f64;
    let duel = duels.get(duels.len() / 3).context("no rate")?;
    let distances = |who: usize| duel.paths[who].iter().take(150).map(distance);
    Ok(Finding {
        measured: format!(
            "Over {} learning rates, until it arrives: it changes sides less often than momentum at \
             {fewer}, more often at {more}; its way is shorter at {shorter}, in the mean {:.1} against \
             {:.1} straight ones",
            both.len(),
            mean(1),
            mean(0),
        ),
        holds: 2 * fewer > both.len() && 2 * shorter > both.len(),
        picture: Picture::new(
            ("step", false),
            ("distance to the optimum", true),
            vec![
                line(format!("momentum, learning rate {:.3}", duel.lr), distances(0)),
                line(format!("nesterov, learning rate {:.3}", duel.lr), distances(1)),
            ],
        ),
    })
}
