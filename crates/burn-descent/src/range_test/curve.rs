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
/// assert_eq!(curve.minimum_over_ten(), Some(0.1));
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
    /// The learning rate at which the loss falls fastest against the logarithm of the rate, before
    /// it is least, as fastai (`steep`) and PyTorch Lightning suggest it: a rate to begin with, or
    /// the peak of a schedule. `None` if it never falls.
    ///
    /// They take the slope between neighbours of the smoothed loss, which lags behind and still
    /// follows the noise. Here lines are fitted to the losses themselves, each over a fifth of
    /// the sweep (three points at least), and the middle of the steepest is suggested. The first
    /// tenth of the points is left out.
    pub fn suggestion(&self) -> Option<f64> {
        let lines = self.lines();
        let least = least(&lines)?;
        let steepest = lines[..=least].iter().min_by(|a, b| a.slope.total_cmp(&b.slope));
        steepest.filter(|line| line.slope < 0.0).map(|line| line.lr)
    }

    /// A tenth of the learning rate around which the loss is least: fastai's other suggestion.
    /// `None` if there are fewer than three points.
    pub fn minimum_over_ten(&self) -> Option<f64> {
        let lines = self.lines();
        least(&lines).map(|least| lines[least].lr / 10.0)
    }

    /// The least learning rate at which the loss has leapt: it is above [`bound`](Self::bound). From
    /// there on a training is not stable. `None` if it never is.
    pub fn unstable_from(&self) -> Option<f64> {
        let bound = self.bound()?;
        self.points.iter().find(|point| point.loss > bound).map(|point| point.lr)
    }

    /// What losses of a stable training stay below: twice the greatest of the first tenth of the
    /// points (below 0, the same distance above it), whose rates are too small to move it. `None` if
    /// there are no points.
    pub fn bound(&self) -> Option<f64> {
        let first = &self.points[..self.points.len().div_ceil(10)];
        let greatest = first.iter().map(|point| point.loss).reduce(f64::max)?;
        Some(greatest + greatest.abs())
    }

    /// How the loss went, in a few words: `stable up to 1.00e1`, or `unstable from 2.42e-1,
    /// diverges at 2.72e0`.
    pub fn summary(&self) -> String {
        let Some(last) = self.points.last() else { return "no finite loss at all".into() };
        let last = last.lr;
        match (self.unstable_from(), self.diverged) {
            (None, false) => format!("stable up to {last:.2e}"),
            (None, true) => format!("diverges at {last:.2e}"),
            (Some(from), false) => format!("unstable from {from:.2e}"),
            (Some(from), true) => format!("unstable from {from:.2e}, diverges at {last:.2e}"),
        }
    }

    /// The lines nearest to the losses, each around one rate.
    fn lines(&self) -> Vec<Line> {
        let width = (self.points.len() / 5).max(3);
        self.settled().windows(width).map(Line::through).collect()
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

/// A line through losses, against the logarithm of the rate.
struct Line {
    /// The rate in its middle.
    lr: f64,
    /// The mean loss.
    loss: f64,
    slope: f64,
}

impl Line {
    fn through(points: &[RangePoint]) -> Self {
        let count = points.len() as f64;
        let mean = |of: fn(&RangePoint) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, loss) = (mean(|point| point.lr.ln()), mean(|point| point.loss));
        let both: f64 = points.iter().map(|point| (point.lr.ln() - x) * (point.loss - loss)).sum();
        let spread: f64 = points.iter().map(|point| (point.lr.ln() - x).powi(2)).sum();
        Self { lr: points[points.len() / 2].lr, loss, slope: both / spread }
    }
}

/// The number of the line with the least mean loss.
fn least(lines: &[Line]) -> Option<usize> {
    (0..lines.len()).min_by(|a, b| lines[*a].loss.total_cmp(&lines[*b].loss))
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
        assert_eq!(found.minimum_over_ten(), Some(1.6));
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
    fn a_loss_that_leaps_is_told_whether_the_sweep_ended_or_not() {
        let flat = |losses: &[f64]| curve(&[&[1.0, 1.1, 0.9, 1.0, 1.0][..], losses].concat());
        let stable = flat(&[0.8, 1.9, 0.7]);
        assert_eq!((stable.unstable_from(), stable.bound()), (None, Some(2.0)));
        assert_eq!(stable.summary(), "stable up to 1.28e2");
        // Smoothed, none of these is four times the best.
        let leaps = flat(&[0.8, 2.1, 0.7, 3.0, 1.0]);
        assert_eq!(leaps.unstable_from(), Some(64.0));
        assert_eq!(leaps.summary(), "unstable from 6.40e1");
        let diverged = RangeCurve { diverged: true, ..leaps };
        assert_eq!(diverged.summary(), "unstable from 6.40e1, diverges at 5.12e2");
        let ended = RangeCurve { diverged: true, ..stable };
        assert_eq!(ended.summary(), "diverges at 1.28e2");
        assert_eq!(curve(&[]).summary(), "no finite loss at all");
        assert_eq!((curve(&[-2.0]).bound(), curve(&[]).bound()), (Some(0.0), None));
    }

    #[test]
    fn noise_of_small_batches_is_no_leap() {
        let losses: Vec<f64> = (0..60).map(|step| f64::from(step * 7 % 10) / 5.0).collect();
        assert_eq!(curve(&losses).unstable_from(), None);
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
