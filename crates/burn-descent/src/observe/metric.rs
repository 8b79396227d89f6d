use crate::{Reading, Report, Update};
use burn::tensor::TensorReadError;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use std::sync::Arc;

/// What is taken from a report, if it has it.
type Quantity = Arc<dyn Fn(&Report) -> Option<f64> + Send + Sync>;

/// A quantity of a [`Report`] as a metric of burn-train, for training loops that show burn's
/// metrics. Needs the feature `train`.
///
/// Where a report does not hold the quantity, the metric has no value at that step. The value of an
/// epoch is the mean of those that there were.
///
/// ```
/// use burn::data::dataloader::Progress;
/// use burn::train::metric::{Metric, MetricMetadata, Numeric};
/// use burn_descent::{Report, ReportMetric};
///
/// let mut metric = ReportMetric::grad_norm();
/// let progress = Progress { items_processed: 1, items_total: 1, unit: None };
/// let metadata = MetricMetadata { progress, iteration: None, lr: None };
/// let mut report = Report::default();
/// for norm in [1.0, 3.0] {
///     report.grad_norm = Some(norm.into());
///     metric.update(&report, &metadata)?;
/// }
/// assert_eq!(metric.value().map(|entry| entry.current()), Some(3.0));
/// assert_eq!(metric.final_value().current(), 2.0);
/// # Ok::<(), burn::tensor::TensorReadError>(())
/// ```
#[derive(Clone)]
pub struct ReportMetric {
    name: MetricName,
    unit: Option<&'static str>,
    quantity: Quantity,
    state: NumericMetricState,
    /// Did the last report hold the quantity?
    held: bool,
}

impl ReportMetric {
    fn new(
        name: impl Into<String>,
        quantity: impl Fn(&Report) -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: Arc::new(name.into()),
            unit: None,
            quantity: Arc::new(quantity),
            state: NumericMetricState::new(),
            held: false,
        }
    }

    /// The norm of all gradients, before clipping by it.
    pub fn grad_norm() -> Self {
        Self::new("Gradient Norm", |report| report.grad_norm.as_ref().map(Reading::get))
    }

    /// The factor that clipping by norm has put on the gradients, at steps that were taken.
    pub fn clip_factor() -> Self {
        Self::new("Clip Factor", |report| report.stepped.then(|| report.clip_factor.get()))
    }

    /// The update as a part of the weights, at steps that were measured.
    pub fn update_ratio() -> Self {
        Self::new("Update Ratio", |report| report.update.as_ref().map(Update::ratio))
    }

    /// How many of the steps were skipped, in %: 0 or 100 at a step.
    pub fn skipped_steps() -> Self {
        let percent = |report: &Report| if report.skipped { 100.0 } else { 0.0 };
        let quantity =
            move |report: &Report| (report.stepped || report.skipped).then(|| percent(report));
        Self { unit: Some("%"), ..Self::new("Skipped Steps", quantity) }
    }

    /// The loss, at steps whose report has it.
    pub fn loss() -> Self {
        Self::new("Training Loss", |report| report.loss.as_ref().map(Reading::get))
    }

    /// The factor of the loss, where it is scaled.
    pub fn loss_scale() -> Self {
        Self::new("Loss Scale", |report| report.loss_scale)
    }

    /// The learning rate of a group. A group that there is not has none.
    pub fn learning_rate(group: impl Into<String>) -> Self {
        let group = group.into();
        let rate = |report: &Report, group: &str| {
            let rates = &report.learning_rates;
            rates.iter().find(|(name, _)| name == group).map(|(_, lr)| *lr)
        };
        Self::new(format!("Learning Rate ({group})"), move |report| rate(report, &group))
    }

    fn format(&self) -> FormatOptions {
        let options = FormatOptions::new(self.name()).precision(3);
        self.unit.into_iter().fold(options, FormatOptions::unit)
    }
}

impl Metric for ReportMetric {
    type Input = Report;

    fn update(
        &mut self,
        report: &Report,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let quantity = (self.quantity)(report);
        self.held = quantity.is_some();
        let Some(quantity) = quantity else { return Ok(SerializedEntry::not_available(self.unit)) };
        self.state.update(quantity, 1);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(match self.running_value() {
            Some(_) => self.state.compute_final(self.format()),
            None => SerializedEntry::not_available(self.unit),
        })
    }

    fn clear(&mut self) {
        self.state.reset();
        self.held = false;
    }

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: self.unit.map(str::to_owned), higher_is_better: false }.into()
    }
}

impl Numeric for ReportMetric {
    fn value(&self) -> Option<NumericEntry> {
        self.held.then(|| self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        match self.state.running_value() {
            NumericEntry::Aggregated { count: 0, .. } => None,
            running => Some(running),
        }
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;
    use burn::data::dataloader::Progress;

    fn show(metric: &mut ReportMetric, report: &Report) -> SerializedEntry {
        let progress = Progress { items_processed: 1, items_total: 1, unit: None };
        let metadata = MetricMetadata { progress, iteration: Some(0), lr: None };
        metric.update(report, &metadata).unwrap()
    }

    fn current(entry: Option<NumericEntry>) -> Option<f64> {
        entry.map(|entry| entry.current())
    }

    #[test]
    fn each_quantity_is_that_of_the_report() {
        let scaled = Report { loss_scale: Some(1024.0), ..report(1) };
        for (mut metric, name, value) in [
            (ReportMetric::grad_norm(), "Gradient Norm", 2.5),
            (ReportMetric::clip_factor(), "Clip Factor", 0.4),
            (ReportMetric::update_ratio(), "Update Ratio", 0.125),
            (ReportMetric::skipped_steps(), "Skipped Steps", 0.0),
            (ReportMetric::loss_scale(), "Loss Scale", 1024.0),
            (ReportMetric::learning_rate("all"), "Learning Rate (all)", 1e-7),
            (ReportMetric::learning_rate("a, \"b\""), "Learning Rate (a, \"b\")", 0.25),
        ] {
            assert_eq!(*metric.name(), name);
            assert_eq!(show(&mut metric, &scaled).serialized, format!("{value},1"), "{name}");
            assert_eq!(current(metric.value()), Some(value), "{name}");
        }
    }

    #[test]
    fn what_a_report_does_not_hold_has_no_value() {
        let bare = Report { clip_factor: 1.0.into(), ..Report::default() };
        for mut metric in [
            ReportMetric::grad_norm(),
            ReportMetric::clip_factor(),
            ReportMetric::update_ratio(),
            ReportMetric::skipped_steps(),
            ReportMetric::loss_scale(),
            ReportMetric::learning_rate("none"),
        ] {
            assert!(show(&mut metric, &bare).is_not_available(), "{}", metric.name());
            assert!(metric.value().is_none() && metric.running_value().is_none());
            assert!(metric.compute().unwrap().is_not_available());
        }
    }

    #[test]
    fn an_epoch_is_the_mean() {
        let mut metric = ReportMetric::skipped_steps();
        let skipped = Report { stepped: false, skipped: true, ..report(1) };
        let accumulated = Report { skipped: false, ..skipped.clone() };
        for report in [report(1), skipped, report(2), report(3), accumulated] {
            show(&mut metric, &report);
        }
        assert!(metric.value().is_none(), "the last call took no step");
        assert_eq!(current(metric.running_value()), Some(25.0));
        assert_eq!(metric.compute().unwrap().serialized, "25,final");
        metric.clear();
        assert!(metric.running_value().is_none());
    }
}
