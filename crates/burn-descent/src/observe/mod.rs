//! What looks on while a model walks.

mod csv;
mod json_lines;
mod lines;
#[cfg(feature = "train")]
mod metric;

pub use csv::Csv;
pub use json_lines::JsonLines;
#[cfg(feature = "train")]
pub use metric::ReportMetric;

use crate::Report;
use std::io;

/// Looks at every report: a log, for one.
///
/// Observers stand outside of [`Descent`](crate::Descent): its loop shows them the reports. An
/// error of theirs is then an ordinary error, and never costs a step.
///
/// ```
/// use burn_descent::{Observer, Report};
///
/// /// The steps at which clipping has done something.
/// struct Clipped(Vec<u64>);
///
/// impl Observer for Clipped {
///     fn observe(&mut self, report: &Report) -> std::io::Result<()> {
///         if report.clip_factor < 1.0 {
///             self.0.push(report.step);
///         }
///         Ok(())
///     }
/// }
///
/// let mut clipped = Clipped(Vec::new());
/// let mut report = Report::default();
/// (report.step, report.clip_factor) = (7, 0.5.into());
/// clipped.observe(&report)?;
/// assert_eq!(clipped.0, [7]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Observer {
    /// Takes in what came of one call of [`Descent::step`](crate::Descent::step).
    ///
    /// # Errors
    /// As the observer says; those that write to a file name it.
    fn observe(&mut self, report: &Report) -> io::Result<()>;

    /// Only every `n`-th step, by the number of the step.
    ///
    /// A step that was skipped is shown always, for it is what a log is read for; a call that only
    /// accumulated a micro-batch never. `every(1)` leaves out only those, `every(0)` all but the
    /// skipped steps.
    fn every(self, n: u64) -> Every<Self>
    where
        Self: Sized,
    {
        Every { observer: self, n }
    }
}

/// An observer of some steps: see [`Observer::every`].
#[derive(Debug)]
pub struct Every<O> {
    observer: O,
    n: u64,
}

impl<O: Observer> Observer for Every<O> {
    fn observe(&mut self, report: &Report) -> io::Result<()> {
        let due = report.stepped && report.step.is_multiple_of(self.n);
        if due || report.skipped { self.observer.observe(report) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report of two groups, as a step that clips and is measured gives it.
    pub(super) fn report(step: u64) -> Report {
        Report {
            step,
            stepped: true,
            parameters: 3,
            learning_rates: vec![("all".into(), 1e-7), ("a, \"b\"".into(), 0.25)],
            grad_norm: Some(2.5.into()),
            clip_factor: 0.4.into(),
            update: Some(crate::Update { norm: 0.5.into(), weight_norm: 4.0.into() }),
            ..Report::default()
        }
    }

    #[test]
    fn every_other_step_and_all_that_were_skipped() {
        struct Seen(Vec<(u64, bool)>);
        impl Observer for Seen {
            fn observe(&mut self, report: &Report) -> io::Result<()> {
                self.0.push((report.step, report.skipped));
                Ok(())
            }
        }
        let accumulated = |step| Report { stepped: false, ..report(step) };
        let skipped = |step| Report { skipped: true, ..accumulated(step) };
        let walk = [
            accumulated(0),
            report(1),
            skipped(1),
            accumulated(1),
            report(2),
            accumulated(2),
            report(3),
            report(4),
        ];
        let seen = |n| {
            let mut every = Seen(Vec::new()).every(n);
            walk.iter().try_for_each(|report| every.observe(report)).unwrap();
            every.observer.0
        };
        assert_eq!(seen(0), [(1, true)]);
        assert_eq!(seen(1), [(1, false), (1, true), (2, false), (3, false), (4, false)]);
        assert_eq!(seen(2), [(1, true), (2, false), (4, false)]);
    }
}
