//! An elongated bowl, and rules that walk over it in f64.

use anyhow::Result;
use burn_descent::Rule;
use burn_descent::rules::slices::Walk;
use std::f64::consts::TAU;

/// The curvatures of `½(x² + 25y²)`: across the valley it is 25 times as steep as along it.
pub(super) const CURVATURE: [f64; 2] = [1.0, 25.0];

/// Where walks begin, unless they begin all around.
pub(super) const START: [f64; 2] = [4.0, 4.0];

/// A point of the plane.
pub(super) type Point = [f64; 2];

/// How high the bowl is at a point.
pub(super) fn height(p: &Point) -> f64 {
    0.5 * (CURVATURE[0] * p[0] * p[0] + CURVATURE[1] * p[1] * p[1])
}

/// The distance to the optimum.
pub(super) fn distance(p: &Point) -> f64 {
    p[0].hypot(p[1])
}

/// The points to evaluate of so many steps of a rule, the start included. It ends early where a point
/// is not finite any more.
pub(super) fn walk(rule: impl Rule, lr: f64, start: Point, steps: usize) -> Result<Vec<Point>> {
    let mut p = start;
    let mut walk = Walk::new(rule, p.len())?;
    let mut path = vec![start];
    for _ in 0..steps {
        let g = [CURVATURE[0] * p[0], CURVATURE[1] * p[1]];
        walk.step(lr, &mut p, &g)?;
        let evaluated = walk.evaluate(&p);
        if !evaluated.iter().all(|x| x.is_finite()) {
            break;
        }
        path.push([evaluated[0], evaluated[1]]);
    }
    Ok(path)
}

/// How far each step of a rule goes, in learning rates, if the gradient is 1 at all of them.
pub(super) fn strides(rule: impl Rule, lr: f64, steps: usize) -> Result<Vec<f64>> {
    let mut p = [0.0_f64];
    let mut walk = Walk::new(rule, 1)?;
    let mut strides = Vec::with_capacity(steps);
    for _ in 0..steps {
        let before = p[0];
        walk.step(lr, &mut p, &[1.0])?;
        strides.push((before - p[0]) / lr);
    }
    Ok(strides)
}

/// The steps after which a path stays within this share of its first distance.
pub(super) fn arrival(path: &[Point], share: f64) -> Option<usize> {
    let near = |p: &Point| distance(p) <= share * distance(&path[0]);
    let away = path.iter().rposition(|p| !near(p)).map_or(0, |last| last + 1);
    (away < path.len()).then_some(away)
}

/// How often a path changes sides of the optimum, in both coordinates.
pub(super) fn crossings(path: &[Point]) -> usize {
    let crossed = |pair: &[Point], i: usize| pair[0][i] * pair[1][i] < 0.0;
    let count = |pair: &[Point]| usize::from(crossed(pair, 0)) + usize::from(crossed(pair, 1));
    path.windows(2).map(count).sum()
}

/// The angle in degrees between the first step of a path and the way to the optimum.
pub(super) fn first_angle(path: &[Point]) -> f64 {
    let [from, to] = [path[0], path[1]];
    let step = [to[0] - from[0], to[1] - from[1]];
    let along = -(step[0] * from[0] + step[1] * from[1]);
    let across = step[0] * from[1] - step[1] * from[0];
    across.abs().atan2(along).to_degrees()
}

/// Points all around the optimum, as far away as [`START`].
pub(super) fn around(n: usize) -> impl Iterator<Item = Point> {
    let radius = distance(&START);
    (0..n).map(move |i| {
        let angle = TAU * (i as f64 + 0.5) / n as f64;
        [radius * angle.cos(), radius * angle.sin()]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_descent::Sgd;

    #[test]
    fn gradient_descent_on_the_bowl_is_known_in_closed_form() {
        let path = walk(Sgd::new(), 0.05, [1.0, 1.0], 3).unwrap();
        let expected = |factor: f64| [1.0, factor, factor * factor, factor.powi(3)];
        for (i, factor) in [0.95, -0.25].into_iter().enumerate() {
            let close = |(p, x): (&Point, f64)| (p[i] - x).abs() < 1e-15;
            assert!(path.iter().zip(expected(factor)).all(close), "{path:?}");
        }
        assert_eq!(crossings(&path), 3);
        assert_eq!(strides(Sgd::new(), 0.5, 2).unwrap(), [1.0, 1.0]);
    }

    #[test]
    fn arrivals_and_angles() {
        let path = [[4.0, 0.0], [0.1, 0.0], [2.0, 0.0], [0.3, 0.0], [0.2, 0.0]];
        assert_eq!(arrival(&path, 0.1), Some(3));
        assert_eq!(arrival(&path, 0.01), None);
        assert_eq!(first_angle(&path), 0.0);
        assert!((first_angle(&[[1.0, 0.0], [1.0, 1.0]]) - 90.0).abs() < 1e-12);
        assert!((first_angle(&[[1.0, 1.0], [0.0, 1.0]]) - 45.0).abs() < 1e-12);
    }
}
