use super::anneal::{Anneal, between};
use super::declare::schedule;
use crate::{Bound, InvalidOption, Schedule};

schedule! {
    /// One cycle: up to a high peak, then down to almost nothing.
    ///
    /// ```text
    /// start → peak       until rise · steps
    /// peak  → end        until steps
    /// ```
    ///
    /// and with `fall`, in three phases:
    ///
    /// ```text
    /// start → peak       until rise · steps
    /// peak  → start      until fall · steps
    /// start → end        until steps
    /// ```
    ///
    /// Each arrow has the shape of `anneal`. [`momentum`](OneCycle::momentum) goes the other way: down
    /// while the rate rises.
    ///
    /// - Defaults: PyTorch's and optax's. `start` a 25th of the peak and `end` a 10 000th of that,
    ///   `rise` 0.3, two phases, cosines.
    /// - PyTorch counts values, not the steps between them: its `total_steps` T and `pct_start` p are
    ///   `steps` T − 1 and `rise` (p T − 1) / (T − 1), and its `three_phase` is a `fall` of twice that.
    /// - Source: Smith & Topin 2017, <https://arxiv.org/abs/1708.07120>, with three linear phases; two
    ///   of cosines are fastai's.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::schedules::{Anneal, OneCycle, Schedule};
    ///
    /// let lr = OneCycle::new(1.0, 100);
    /// assert_eq!((lr.at(0), lr.at(30), lr.at(100)), (0.04, 1.0, 4e-6));
    /// let momentum = lr.momentum(0.85, 0.95);
    /// assert_eq!((momentum.at(0), momentum.at(30), momentum.at(100)), (0.95, 0.85, 0.95));
    ///
    /// let paper = OneCycle::new(1.0, 100).rise(0.45).fall(0.9).anneal(Anneal::Linear);
    /// assert_eq!((paper.at(45), paper.at(90), paper.at(100)), (1.0, 0.04, 4e-6));
    /// ```
    pub struct OneCycle(peak: f64, steps: u64) {
        /// The highest value.
        peak: NonNegative,
        /// The whole length.
        steps: Steps,
        /// Where it begins.
        start: NonNegative = peak / 25.0,
        /// Where it ends and stays.
        end: NonNegative = peak / 25.0 / 1e4,
        /// The share of the steps until the peak.
        rise: Fraction = 0.3,
        /// The share of the steps until `start` is reached again, `rise` at least; from the peak it goes to `end` without
        /// it.
        fall: Optional(Fraction) = None,
        /// The shape of each phase.
        anneal: Choice(Anneal) = Anneal::Cosine,
    }
}

impl OneCycle {
    /// The momentum that goes with it: from `high` to `low` while the rate rises, then back.
    /// PyTorch's are 0.85 and 0.95.
    pub fn momentum(&self, low: f64, high: f64) -> Self {
        Self { start: high, peak: low, end: high, ..self.clone() }
    }
}

impl Schedule for OneCycle {
    fn name(&self) -> &'static str {
        "one_cycle"
    }

    fn bounds(&self) -> Vec<Bound> {
        self.ranges()
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        match self.fall {
            Some(fall) if fall < self.rise => Err(InvalidOption {
                owner: self.name(),
                option: "fall".into(),
                value: fall.to_string(),
                allowed: format!("at least `rise`, which is {}", self.rise),
            }),
            _ => Ok(()),
        }
    }

    fn at(&self, step: u64) -> f64 {
        let (step, steps) = (step as f64, self.steps as f64);
        // Where each phase ends: the step and the value.
        let rise = Some((self.rise * steps, self.peak));
        let fall = self.fall.map(|fall| (fall * steps, self.start));
        let mut from = (0.0, self.start);
        for to in [rise, fall, Some((steps, self.end))].into_iter().flatten() {
            if step < to.0 {
                let left = (to.0 - step) / (to.0 - from.0);
                return between(from.1, to.1, self.anneal.height(left));
            }
            from = to;
        }
        self.end
    }
}
