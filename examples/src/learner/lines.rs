//! A line an epoch.

use crate::report::{say, tell};
use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{
    MetricAttributes, MetricDefinition, MetricId, NumericAttributes, NumericEntry, format_float,
};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use std::error::Error;

/// What is seen of a training without the dashboard. burn prints a line a step there.
#[derive(Default)]
pub(crate) struct Lines {
    /// The metrics in the order in which they were registered.
    metrics: Vec<MetricDefinition>,
    epochs: usize,
    train: Vec<(MetricId, f64)>,
    test: Vec<(MetricId, f64)>,
}

impl Lines {
    /// `loss 0.0312, accuracy 98.7500 %`; then nothing is kept.
    fn take(metrics: &[MetricDefinition], values: &mut Vec<(MetricId, f64)>) -> String {
        let part = |(id, value)| {
            let metric = metrics.iter().find(|metric| metric.metric_id == id)?;
            let unit = match &metric.attributes {
                MetricAttributes::Numeric(NumericAttributes { unit: Some(unit), .. }) => unit,
                _ => "",
            };
            let text = format!("{} {} {unit}", metric.name.to_lowercase(), format_float(value, 4));
            Some(text.trim_end().to_string())
        };
        values.drain(..).filter_map(part).collect::<Vec<_>>().join(", ")
    }
}

/// Keeps what a metric is at the end of an epoch.
fn keep(values: &mut Vec<(MetricId, f64)>, state: MetricState) {
    if let MetricState::Numeric(entry, Some(NumericEntry::Final(value))) = state {
        values.push((entry.metric_id, value));
    }
}

impl MetricsRendererTraining for Lines {
    fn update_train(&mut self, state: MetricState) {
        keep(&mut self.train, state);
    }

    fn update_valid(&mut self, state: MetricState) {
        keep(&mut self.test, state);
    }

    /// burn's own would panic where the reader of stdout has gone away.
    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        summary.into_iter().for_each(say);
        Ok(())
    }
}

impl TrainingProgressLogger for Lines {
    fn start(&mut self, epochs: usize, _from: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
    }

    fn update_epoch(&mut self, epoch: usize) {
        let (epochs, width) = (self.epochs, self.epochs.to_string().len());
        let train = Self::take(&self.metrics, &mut self.train);
        let test = Self::take(&self.metrics, &mut self.test);
        tell(format_args!("epoch {epoch:>width$}/{epochs}  train {train}  test {test}"));
    }

    fn start_split(&mut self, _split: &str, _items: usize) {}
    fn update_split(&mut self, _items: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRenderer for Lines {
    fn register_metric(&mut self, metric: MetricDefinition) {
        self.metrics.push(metric);
    }

    fn manual_close(&mut self) {}
}

/// burn asks this of every renderer; here nothing is evaluated but by training.
impl MetricsRendererEvaluation for Lines {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Lines {
    fn start_global_progress(&mut self, _tests: usize) {}
    fn start_test(&mut self, _name: &str, _items: usize) {}
    fn update_test_progress(&mut self, _items: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}
