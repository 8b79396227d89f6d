use burn_descent_rules::{InvalidOption, Range};

/// Stochastic weight averaging: the plain mean of the weights after every `every`-th step from
/// step `start` on.
///
/// - Memory: one number a weight, in f32 (f64 for f64).
/// - The weights of a parameter that is frozen for a while count as they are; a parameter that comes to
///   the model later is averaged from there on.
/// - Before `start` there is no average, and the weights are evaluated as they are. A model with batch
///   normalisation needs its statistics taken anew for the averaged weights:
///   [`Descent::evaluate_with`](crate::Descent::evaluate_with).
/// - Reference: Izmailov et al. 2018, <https://arxiv.org/abs/1803.05407>.
///
/// ```
/// use burn_descent::{Average, Swa};
///
/// // The weights at the end of each epoch of 500 steps, from the 75th epoch on.
/// let average = Average::from(Swa::new(75 * 500, 500));
/// # drop(average);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "Polyak")]
pub struct Swa {
    start: u64,
    every: u64,
}

impl Swa {
    /// From step `start` on (the first one is step 1), every `every` steps. `every` is 1 or more: 0 is
    /// refused where the walk is built.
    pub fn new(start: u64, every: u64) -> Self {
        Self { start, every }
    }

    /// Polyak's averaging: the mean of the weights after every step from step `start` on.
    ///
    /// Reference: Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>.
    pub fn polyak(start: u64) -> Self {
        Self::new(start, 1)
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        Range::Positive.of("every", self.every as f64).check("swa")
    }

    /// Has it begun after so many steps?
    pub(super) fn has_begun(&self, steps: u64) -> bool {
        steps >= self.start
    }

    /// Are the weights after this step averaged?
    pub(super) fn takes(&self, step: u64) -> bool {
        self.has_begun(step) && (step - self.start).is_multiple_of(self.every)
    }
}
