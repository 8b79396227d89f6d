use super::declare::schedule;
use crate::{Bound, InvalidOption, Schedule};

schedule! {
    /// The same factor again and again.
    ///
    /// ```text
    /// η(t) = value · factor^(t / every)       (⌊t / every⌋ with staircase)
    /// ```
    ///
    /// Falls fast at first, then slower and slower, and never reaches 0; a straight line on a
    /// logarithmic scale. With `staircase` it stays for `every` steps and then drops at once. It stops
    /// at `end`, if that is set. A factor above 1 makes it grow, which needs an `end`.
    ///
    /// - Defaults: `every` 1, the factor of a single step; smooth; no `end`.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Exponential, Schedule};
    ///
    /// let lr = Exponential::new(1.0, 0.25).every(2).end(0.1);
    /// assert_eq!((lr.at(0), lr.at(1), lr.at(2), lr.at(4)), (1.0, 0.5, 0.25, 0.1));
    ///
    /// let error = Exponential::new(1.0, 2.0).check().unwrap_err();
    /// assert!(error.to_string().contains("factor = 2"));
    /// ```
    pub struct Exponential(value: f64, factor: f64) {
        /// Where it begins.
        value: Positive,
        /// The factor of `every` steps.
        factor: Positive,
        /// The steps that a factor takes.
        every: Steps = 1,
        /// Take the factor all at once, after `every` steps.
        staircase: bool = false,
        /// Where it stops.
        end: Optional(NonNegative) = None,
    }
}

impl Schedule for Exponential {
    fn name(&self) -> &'static str {
        "exponential"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        if self.factor <= 1.0 || self.end.is_some() {
            return Ok(());
        }
        Err(InvalidOption {
            owner: self.name(),
            option: "factor".into(),
            value: self.factor.to_string(),
            allowed: "at most 1 unless there is an `end`".into(),
        })
    }

    fn at(&self, step: u64) -> f64 {
        let every = self.every.max(1);
        let factors =
            if self.staircase { (step / every) as f64 } else { step as f64 / every as f64 };
        let value = self.value * self.factor.powf(factors);
        match self.end {
            None => value,
            Some(end) if self.factor < 1.0 => value.max(end),
            Some(end) => value.min(end),
        }
    }
}

schedule! {
    /// A drop after every so many steps.
    ///
    /// ```text
    /// η(t) = value · factor^⌊t / every⌋
    /// ```
    ///
    /// A staircase down whose steps are equally wide, and each `factor` times as high as the one
    /// before: an [`Exponential`] with `staircase`.
    ///
    /// - Defaults: `factor` 0.1, as in PyTorch.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Schedule, StepDecay};
    ///
    /// let lr = StepDecay::new(0.5, 30).factor(0.5);
    /// assert_eq!((lr.at(29), lr.at(30), lr.at(60)), (0.5, 0.25, 0.125));
    /// ```
    pub struct StepDecay(value: f64, every: u64) {
        /// Where it begins.
        value: Positive,
        /// The steps from drop to drop.
        every: Steps,
        /// The factor of a drop.
        factor: Fraction = 0.1,
    }
}

impl StepDecay {
    fn exponential(&self) -> Exponential {
        Exponential::new(self.value, self.factor).every(self.every).staircase(true)
    }
}

impl Schedule for StepDecay {
    fn name(&self) -> &'static str {
        "step_decay"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        self.exponential().at(step)
    }
}
