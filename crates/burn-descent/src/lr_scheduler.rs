//! Every schedule as burn's learning rate scheduler.

use crate::{InvalidOption, Schedule};
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use std::sync::Arc;

/// The name of the step in a record.
const STEP: &str = "step";

/// A schedule as burn's [`LrScheduler`], for burn-train's `Learner` and for burn's groups of
/// learning rates. ([`Descent`](crate::Descent) takes a schedule as it is.)
///
/// The first step has the rate `at(0)`. Its record is the step and nothing else: the schedule itself
/// is made anew when a run goes on. A record in which no step can be read leaves the step as it is,
/// as burn's own schedulers do.
///
/// [`ReduceOnPlateau`](crate::schedules::ReduceOnPlateau) cannot be one, because burn tells its
/// schedulers no metric.
///
/// ```
/// use burn::lr_scheduler::LrScheduler;
/// use burn_descent::{LrSchedule, Schedule, schedules::Cosine};
///
/// let mut lr = LrSchedule::new(Cosine::new(1e-3, 1000).warmup(2))?;
/// assert_eq!([lr.step(), lr.step(), lr.step()], [0.0, 5e-4, 1e-3]);
///
/// let error = LrSchedule::new(Cosine::new(-1.0, 1000)).unwrap_err();
/// assert_eq!(error.to_string(), "cosine: value = -1 is not allowed, it must be a number >= 0");
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug)]
pub struct LrSchedule {
    schedule: Arc<dyn Schedule>,
    /// The next step, from 0.
    step: u64,
}

impl LrSchedule {
    /// Checks a schedule and stands before its first step.
    ///
    /// # Errors
    /// The first option of the schedule that is not allowed.
    pub fn new(schedule: impl Schedule) -> Result<Self, InvalidOption> {
        schedule.check()?;
        Ok(Self { schedule: Arc::new(schedule), step: 0 })
    }
}

impl LrScheduler for LrSchedule {
    fn step(&mut self) -> f64 {
        let lr = self.schedule.at(self.step);
        self.step = self.step.saturating_add(1);
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(STEP, self.step)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.step = record.scalar(STEP).unwrap_or(self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedules::{
        Cosine, CosineRestarts, Cyclic, Exponential, InverseSqrt, Linear, MultiStep, Noam,
        OneCycle, Polynomial, Rex, StepDecay, WarmupStableDecay,
    };
    use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;

    /// One of each kind, twenty steps long.
    fn every_schedule() -> Vec<Box<dyn Schedule>> {
        vec![
            Box::new(0.1),
            Box::new(Linear::new(0.1, 20)),
            Box::new(Polynomial::new(0.1, 20, 2.0)),
            Box::new(Cosine::new(0.1, 20)),
            Box::new(CosineRestarts::new(0.1, 4).mult(2)),
            Box::new(Exponential::new(0.1, 0.9)),
            Box::new(StepDecay::new(0.1, 5)),
            Box::new(MultiStep::new(0.1, [5, 15])),
            Box::new(InverseSqrt::new(0.1, 5)),
            Box::new(Noam::new(64, 5)),
            Box::new(Cyclic::new(0.01, 0.1, 5)),
            Box::new(OneCycle::new(0.1, 20)),
            Box::new(Rex::new(0.1, 20)),
            Box::new(WarmupStableDecay::new(0.1, 5, 10, 5)),
            Box::new(Linear::new(0.1, 15).warmup(5)),
            Box::new(Linear::new(0.1, 10).then(10, 0.01)),
            Box::new(Cosine::new(0.1, 20).times(0.5)),
        ]
    }

    #[test]
    fn each_step_has_the_rate_of_the_schedule() {
        for schedule in every_schedule() {
            let expected: Vec<f64> = (0..30).map(|step| schedule.at(step)).collect();
            let name = schedule.name();
            let mut scheduler = ModuleLrScheduler::new(LrSchedule::new(schedule).unwrap());
            let found: Vec<f64> = (0..30).map(|_| scheduler.step().base()).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_record_goes_on_where_it_stopped() {
        for schedule in every_schedule() {
            let fresh = LrSchedule::new(schedule).unwrap();
            let mut whole = fresh.clone();
            for _ in 0..7 {
                whole.step();
            }
            let bytes = whole.to_record().into_bytes().unwrap();
            let mut resumed = fresh;
            resumed.load_record(LrSchedulerRecord::from_bytes(bytes).unwrap());
            for _ in 0..20 {
                assert_eq!(resumed.step(), whole.step(), "{whole:?}");
            }
        }
    }

    #[test]
    fn records_of_something_else_change_nothing() {
        let mut lr = LrSchedule::new(Linear::new(1.0, 10)).unwrap();
        lr.step();
        let record = LrSchedulerRecord::new;
        for nonsense in
            [record(), record().with_scalar(STEP, -1_i64), record().with_scalar(STEP, f64::NAN)]
        {
            lr.load_record(nonsense);
            assert_eq!(lr.step, 1);
        }
        lr.load_record(record().with_scalar(STEP, u64::MAX));
        assert_eq!((lr.step(), lr.step()), (0.0, 0.0), "the last step there is does not overflow");
    }

    #[test]
    fn a_schedule_is_checked_when_it_is_taken() {
        assert_eq!(LrSchedule::new(Rex::new(0.1, 0)).unwrap_err().option, "steps");
        assert_eq!(
            LrSchedule::new(Linear::new(f64::NAN, 5).warmup(3)).unwrap_err().option,
            "value"
        );
    }
}
