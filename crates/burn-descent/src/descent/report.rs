//! What came of a step.

use super::search::Stop;
use burn_descent_engine::Reading;
use serde::{Serialize, Serializer};

/// What came of a call of [`Descent::step`](super::Descent::step).
///
/// A [`Reading`] may still be on a GPU; only reading it waits for the GPU. An observer that reads every hundredth report
/// waits every hundredth step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Steps taken so far, this one included.
    pub step: u64,
    /// Was a step taken? Not while micro-batches are accumulated, nor when it was skipped.
    pub stepped: bool,
    /// How many parameters the step has changed: those that are neither frozen nor without a gradient.
    pub parameters: usize,
    /// Was the step skipped because a gradient was not finite?
    pub skipped: bool,
    /// Steps skipped so far.
    pub skipped_in_all: u64,
    /// Name and learning rate of each group at this step, whether it was taken or not.
    #[serde(serialize_with = "as_map")]
    pub learning_rates: Vec<(String, f64)>,
    /// Name of each group whose optimizer finds its own learning rate, and what it has found so far: `d` of Prodigy
    /// and D-Adaptation. Then `mechanic`, with the factor of [`Mechanic`](crate::Mechanic).
    #[serde(serialize_with = "as_read_map", skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<(String, Reading)>,
    /// How many refreshes of roots, bases and factors have failed so far, where an optimizer works on whole matrices: each
    /// left the last ones in their place. A number that keeps growing means that a factor has become NaN or infinite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_refreshes: Option<u64>,
    /// The norm of all gradients before clipping by it, if something has asked for it:
    /// `clip_norm`, a policy for what is not finite, or loss scaling.
    #[serde(serialize_with = "read_if_any")]
    pub grad_norm: Option<Reading>,
    /// The factor that clipping by norm has put on the gradients: 1 where it did nothing.
    #[serde(serialize_with = "read")]
    pub clip_factor: Reading,
    /// The factor of the loss of the next step, with loss scaling.
    pub loss_scale: Option<f64>,
    /// How far the weights moved, if it was measured.
    pub update: Option<Update>,
    /// How often a [search](super::search::Search) has evaluated the loss in this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluations: Option<u64>,
    /// Why the step ended, where a search moves the weights itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// The loss, if it is known: [`step_with`](super::Descent::step_with) sees it, and
    /// [`with_loss`](Self::with_loss) tells it.
    #[serde(serialize_with = "read_if_any")]
    pub loss: Option<Reading>,
}

impl Report {
    /// The report with the loss of its batch, for a log. A tensor is not waited for.
    ///
    /// ```
    /// use burn_descent::Report;
    ///
    /// assert_eq!(Report::default().with_loss(0.5).loss, Some(0.5.into()));
    /// ```
    pub fn with_loss(mut self, loss: impl Into<Reading>) -> Self {
        self.loss = Some(loss.into());
        self
    }
}

/// How far a step went: see [`Builder::measure_updates`](super::Builder::measure_updates).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Update {
    /// The norm of the change of all weights together.
    #[serde(serialize_with = "read")]
    pub norm: Reading,
    /// The norm of all weights that were to change, before the step.
    #[serde(serialize_with = "read")]
    pub weight_norm: Reading,
}

impl Update {
    /// The norm of the update divided by that of the weights; about 0.001 is common.
    pub fn ratio(&self) -> f64 {
        self.norm.get() / self.weight_norm.get()
    }
}

fn read<S: Serializer>(reading: &Reading, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(reading.get())
}

fn read_if_any<S: Serializer>(reading: &Option<Reading>, serializer: S) -> Result<S::Ok, S::Error> {
    reading.as_ref().map(Reading::get).serialize(serializer)
}

fn as_map<S: Serializer>(rates: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rates.iter().map(|(group, lr)| (group, lr)))
}

fn as_read_map<S: Serializer>(
    estimates: &[(String, Reading)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(estimates.iter().map(|(group, estimate)| (group, estimate.get())))
}
