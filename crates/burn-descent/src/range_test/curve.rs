use crate::Ema;
use serde::Serialize;

/// One step of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RangePoint {
    /// The learning rate of the step.
    pub lr: f64,
    /// The loss before it.
    pub loss: f64,
    /// The debiased moving average of the losses up to this one.
    pub smoothed: f64,
}

/// The loss against the learning rate, as a [`RangeTest`](crate::RangeTest) has found it.
///
/// ```
/// use burn_descent::{RangeCurve, RangePoint};
///
/// let losses = [(0.01, 8.0), (0.1, 7.0), (1.0, 3.0), (10.0, 2.5), (100.0, 9.0)];
/// let points = losses.map(|(lr, loss)| RangePoint { lr, loss, smoothed: loss }).to_vec();
/// let curve = RangeCurve { points, diverged: true };
/// assert_eq!(curve.suggestion(), Some(0.1));
/// assert_eq!(curve.minimum_over_ten(), Some(1.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RangeCurve {
    /// The steps in order. All their numbers are finite.
    pub points: Vec<RangePoint>,
    /// Has the loss grown too much, or was it or a gradient not finite, before the greatest rate
    /// was reached?
    pub diverged: bool,
}

impl RangeCurve {
    /// The learning rate at which the loss falls fastest against the logarithm of the rate, as
    /// fastai (`steep`) and PyTorch Lightning suggest it: a rate to begin with, or the peak of a
    /// schedule. `None` if it never falls.
    ///
    /// They take the slope between neighbours of the smoothed loss, which lags behind and still
    /// follows the noise. Here a line is fitted to the losses themselves, over an eighth of the
    /// sweep (three points at least), and the middle of the steepest is suggested. The first tenth
    /// of the points is left out.
    pub fn suggestion(&self) -> Option<f64> {
        let width = (self.points.len() / 8).max(3);
        let slopes = self.settled().windows(width).map(|line| (slope(line), line[width / 2].lr));
        let steepest = slopes.min_by(|a, b| a.0.total_cmp(&b.0));
        steepest.filter(|(slope, _)| *slope < 0.0).map(|(_, lr)| lr)
    }

    /// A tenth of the learning rate at which the smoothed loss is least: fastai's other suggestion.
    /// `None` if there is no point.
    pub fn minimum_over_ten(&self) -> Option<f64> {
        let least = self.settled().iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed));
        least.map(|point| point.lr / 10.0)
    }

    /// The points whose average is of more than a few losses.
    fn settled(&self) -> &[RangePoint] {
        &self.points[self.points.len() / 10..]
    }

    pub(super) fn add(&mut self, lr: f64, loss: f64, smoothing: &Ema) {
        let before = self.points.last().map_or(0.0, |point| point.smoothed);
        let share = smoothing.share(self.points.len() as u64 + 1);
        self.points.push(RangePoint { lr, loss, smoothed: before + share * (loss - before) });
    }

    /// Is the last smoothed loss more than so many times the best?
    pub(super) fn exceeds(&self, times: f64) -> bool {
        let smoothed = || self.points.iter().map(|point| point.smoothed);
        let best = smoothed().fold(f64::INFINITY, f64::min);
        smoothed().next_back().is_some_and(|last| last - best > (times - 1.0) * best.abs())
    }
}

/// The slope of the line nearest to the losses, against the logarithm of the rate.
fn slope(points: &[RangePoint]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&RangePoint) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.lr.ln()), mean(|point| point.loss));
    let both: f64 = points.iter().map(|point| (point.lr.ln() - x) * (point.loss - y)).sum();
    both / points.iter().map(|point| (point.lr.ln() - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Losses at the rates 1, 2, 4 and so on, not smoothed.
    fn curve(losses: &[f64]) -> RangeCurve {
        let mut curve = RangeCurve::default();
        for (number, loss) in losses.iter().enumerate() {
            curve.add((number as f64).exp2(), *loss, &Ema::new(0.0));
        }
        curve
    }

    #[test]
    fn the_steepest_descent_and_the_minimum() {
        let found = curve(&[5.0, 5.0, 4.0, 1.0, 0.5, 0.4, 7.0]);
        assert_eq!(found.suggestion(), Some(4.0));
        assert_eq!(found.minimum_over_ten(), Some(3.2));
    }

    #[test]
    fn there_may_be_nothing_to_suggest() {
        for losses in [&[][..], &[1.0], &[1.0, 0.5], &[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0, 4.0]] {
            assert_eq!(curve(losses).suggestion(), None, "{losses:?}");
        }
        assert_eq!(curve(&[]).minimum_over_ten(), None);
    }

    #[test]
    fn the_noise_of_the_beginning_is_left_out() {
        let mut losses = vec![9.0, 1.0];
        losses.extend((0..18).map(|step| 5.0 - 0.1 * f64::from(step)));
        let found = curve(&losses);
        assert!(found.suggestion() > Some(2.0) && found.minimum_over_ten() > Some(2.0));
    }

    #[test]
    fn the_average_is_debiased() {
        let mut curve = RangeCurve::default();
        for loss in [1.0, 2.0, 4.0] {
            curve.add(1.0, loss, &Ema::new(0.5));
        }
        let smoothed: Vec<f64> = curve.points.iter().map(|point| point.smoothed).collect();
        for (found, expected) in smoothed.iter().zip([1.0, 5.0 / 3.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{smoothed:?}");
        }
    }

    #[test]
    fn divergence_is_measured_from_the_best() {
        assert!(!curve(&[]).exceeds(4.0) && !curve(&[3.0]).exceeds(4.0));
        assert!(!curve(&[2.0, 1.0, 4.0]).exceeds(4.0) && curve(&[2.0, 1.0, 4.1]).exceeds(4.0));
        assert!(!curve(&[-1.0, -1.1]).exceeds(4.0), "a loss below 0 may fall");
        assert!(!curve(&[-1.0, 1.9]).exceeds(4.0) && curve(&[-1.0, 2.1]).exceeds(4.0));
    }
}
