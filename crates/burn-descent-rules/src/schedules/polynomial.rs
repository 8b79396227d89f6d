use super::anneal::{between, left};
use super::declare::schedule;
use crate::{Bound, Schedule};

schedule! {
    /// A straight line.
    ///
    /// ```text
    /// η(t) = end + (value − end) (1 − t / steps)
    /// ```
    ///
    /// Falls evenly, by the same amount every step, from `value` to `end`; rises where `end` is the
    /// larger. `end` is 0 if not set.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Linear, Schedule};
    ///
    /// let lr = Linear::new(1.0, 8).end(0.5);
    /// assert_eq!((lr.at(0), lr.at(4), lr.at(8), lr.at(9)), (1.0, 0.75, 0.5, 0.5));
    /// ```
    pub struct Linear(value: f64, steps: u64) {
        /// Where it begins.
        value: NonNegative,
        /// Its length.
        steps: Steps,
        /// Where it ends and stays.
        end: NonNegative = 0.0,
    }
}

impl Schedule for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        between(self.value, self.end, left(step, self.steps))
    }
}

schedule! {
    /// A power of a straight line.
    ///
    /// ```text
    /// η(t) = end + (value − end) (1 − t / steps)ᵖ,    p = power
    /// ```
    ///
    /// With a power above 1 it falls fast at first and comes to `end` flat; with one below 1 it falls
    /// slowly at first and drops at the end. With 1 it is [`Linear`].
    ///
    /// - Defaults: `end` 0.
    /// - Source: the "poly" policy of Chen et al. 2016, <https://arxiv.org/abs/1606.00915>, with power
    ///   0.9.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Polynomial, Schedule};
    ///
    /// let lr = Polynomial::new(1.0, 4, 2.0);
    /// assert_eq!((lr.at(0), lr.at(1), lr.at(2), lr.at(4)), (1.0, 0.5625, 0.25, 0.0));
    /// ```
    pub struct Polynomial(value: f64, steps: u64, power: f64) {
        /// Where it begins.
        value: NonNegative,
        /// Its length.
        steps: Steps,
        /// The power `p`.
        power: Positive,
        /// Where it ends and stays.
        end: NonNegative = 0.0,
    }
}

impl Schedule for Polynomial {
    fn name(&self) -> &'static str {
        "polynomial"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn at(&self, step: u64) -> f64 {
        between(self.value, self.end, left(step, self.steps).powf(self.power))
    }
}
