//! Trainings that are to be compared: the same examples, the same first weights.

use anyhow::Result;
use burn::tensor::Device;
use burn_descent::{Observer, Report};
use burn_descent_examples::around::Around;
use burn_descent_examples::data::Dataset;
use burn_descent_examples::position::Position;
use burn_descent_examples::recipe::Recipe;
use burn_descent_examples::train::{Classroom, Diverged, Epoch, Learner};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// Examples on a device: what trainings that are compared have in common.
#[derive(Debug)]
pub struct Bench {
    classroom: Classroom,
    widths: [usize; 2],
    device: Device,
    around: Around,
}

/// When a training ends, if it does not diverge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// After so many epochs ...
    pub epochs: u64,
    /// ... or with the epoch in which it has taken so many seconds.
    pub seconds: Option<f64>,
}

/// What came of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its epochs.
    pub epochs: Vec<Epoch>,
    /// The steps of each of them.
    pub steps_an_epoch: u64,
    /// Why it ended before its time.
    pub diverged: Option<String>,
    /// What the optimizer has found in place of a learning rate, if it does: steps after which that was 1 % more or less
    /// than the last time here, and the number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<(u64, f64)>,
}

/// The estimates of a training, as [`Outcome::estimates`].
#[derive(Clone, Default)]
struct Estimates(Rc<RefCell<Vec<(u64, f64)>>>);

impl Observer for Estimates {
    fn observe(&mut self, report: &Report) -> io::Result<()> {
        if let Some((_, found)) = report.estimates.first() {
            let (found, mut all) = (found.get(), self.0.borrow_mut());
            if all.last().is_none_or(|(_, last)| (found / last - 1.0).abs() > 0.01) {
                all.push((report.step, found));
            }
        }
        Ok(())
    }
}

impl Bench {
    /// Moves examples to a device.
    pub fn new(data: Dataset, device: &Device) -> Self {
        let widths = data.widths();
        Self {
            classroom: Classroom::new(data, device),
            widths,
            device: device.clone(),
            around: Around::default(),
        }
    }

    /// The same, with this around every optimizer.
    pub fn around(mut self, around: Around) -> Self {
        self.around = around;
        self
    }

    /// The training examples, and those to test with.
    pub fn classroom(&self) -> &Classroom {
        &self.classroom
    }

    /// The network of a recipe, and its walk, before the first step. The seed of the recipe says all
    /// of its weights.
    ///
    /// # Errors
    /// If the network is too large, or the optimizer does not take its options.
    pub fn learner(&self, recipe: &Recipe, epochs: u64) -> Result<Learner> {
        let model = recipe.network(self.widths, &self.device)?;
        let position = Position {
            recipe: recipe.clone(),
            around: self.around.clone(),
            epochs,
            data: 0,
            steps: 0,
            waiting: 0,
            history: Vec::new(),
        };
        let descent = position.walk(&model, self.classroom.len())?;
        Ok(Learner { model, descent, flush: false, log: None })
    }

    /// Trains. One that diverges is an outcome as others are.
    ///
    /// # Errors
    /// If a step is refused, or the device fails.
    pub fn train(&self, recipe: &Recipe, limits: Limits) -> Result<Outcome> {
        let plan = recipe.plan(self.classroom.len());
        let mut learner = self.learner(recipe, limits.epochs)?;
        let steps_an_epoch = recipe.batch_size.batches(self.classroom.len()) as u64;
        let mut outcome = Outcome { steps_an_epoch, ..Outcome::default() };
        let estimates = Estimates::default();
        learner.log = Some(Box::new(estimates.clone()));
        for number in 1..=limits.epochs {
            match learner.epoch(&self.classroom, &plan, number, |_, _, _| ()) {
                Ok(epoch) => outcome.epochs.push(epoch),
                Err(error) if error.is::<Diverged>() => {
                    outcome.diverged = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(error),
            }
            if limits.seconds.is_some_and(|limit| outcome.seconds() >= limit) {
                break;
            }
        }
        outcome.estimates = estimates.0.take();
        Ok(outcome)
    }
}

impl Outcome {
    /// The greatest score on the test examples after an epoch: accuracy or R². Where it diverged,
    /// there is none that counts.
    pub fn best(&self) -> Option<f64> {
        let scores = self.epochs.iter().filter_map(|epoch| epoch.score);
        scores.max_by(f64::total_cmp).filter(|_| self.diverged.is_none())
    }

    /// The least loss on the test examples after an epoch.
    pub fn least_loss(&self) -> Option<f64> {
        self.epochs.iter().map(|epoch| epoch.test_loss).min_by(f64::total_cmp)
    }

    /// The time it took, without evaluation.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// The estimate of a learning rate at a step, from 1.
    pub fn estimate(&self, step: u64) -> Option<f64> {
        let known = self.estimates.partition_point(|(at, _)| *at <= step);
        Some(self.estimates[known.checked_sub(1)?].1)
    }

    /// Steps and seconds until the first epoch whose score reached a target.
    pub fn reached(&self, target: f64) -> Option<(u64, f64)> {
        let reached = |epoch: &Epoch| epoch.score.is_some_and(|score| score >= target);
        let epochs = self.epochs.iter().position(reached)? + 1;
        let seconds = self.epochs[..epochs].iter().map(|epoch| epoch.seconds).sum();
        Some((epochs as u64 * self.steps_an_epoch, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(scores: &[f64], diverged: bool) -> Outcome {
        let epoch = |score: &f64| Epoch {
            train_loss: 1.0,
            test_loss: 1.0,
            score: Some(*score),
            seconds: 0.5,
        };
        Outcome {
            epochs: scores.iter().map(epoch).collect(),
            steps_an_epoch: 10,
            diverged: diverged.then(|| "the loss is NaN".into()),
            estimates: vec![(1, 1e-6), (4, 1e-3)],
        }
    }

    #[test]
    fn the_first_epoch_that_reaches_a_target_counts() {
        let outcome = outcome(&[0.5, 0.8, 0.7, 0.9], false);
        assert_eq!(outcome.reached(0.75), Some((20, 1.0)));
        assert_eq!(outcome.reached(0.95), None);
        assert_eq!(outcome.best(), Some(0.9));
    }

    #[test]
    fn an_estimate_holds_until_the_next_one() {
        let estimate = |step| outcome(&[0.5], false).estimate(step);
        assert_eq!(
            [0, 1, 3, 4, 9].map(estimate),
            [None, Some(1e-6), Some(1e-6), Some(1e-3), Some(1e-3)]
        );
    }

    #[test]
    fn what_diverged_has_no_best() {
        assert_eq!(outcome(&[0.9], true).best(), None);
        assert_eq!(outcome(&[], false).best(), None);
    }
}
