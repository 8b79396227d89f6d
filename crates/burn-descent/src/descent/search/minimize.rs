//! Steps until nothing is to be gained.

use super::{Look, Stop};
use crate::descent::{Descent, Refused};
use burn::module::Module;
use burn::tensor::Tensor;
use burn_descent_engine::Reading;

/// When [`Descent::minimize`] ends, beside where its search ends by itself. It is looked at between steps.
///
/// ```
/// use burn_descent::Until;
///
/// let until = Until::new().evaluations(500).loss(1e-6);
/// assert_eq!(until.steps, 1000);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Until {
    /// After so many steps. Default 1000.
    pub steps: u64,
    /// Where the loss has been evaluated so often. Default 10,000.
    pub evaluations: u64,
    /// Where the loss is this small; that where the last step began, if it has not looked where it ended.
    /// Default −∞: never.
    pub loss: f64,
}

impl Default for Until {
    fn default() -> Self {
        Self { steps: 1000, evaluations: 10_000, loss: f64::NEG_INFINITY }
    }
}

impl Until {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with at most so many steps; one is taken in any case.
    pub fn steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// The same with no step after so many evaluations.
    pub fn evaluations(self, evaluations: u64) -> Self {
        Self { evaluations, ..self }
    }

    /// The same, ending where the loss is this small.
    pub fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }
}

/// Where [`Descent::minimize`] has ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Minimum {
    /// Why there.
    pub stop: Stop,
    /// The loss there.
    pub loss: f64,
    /// How many steps were taken.
    pub steps: u64,
    /// How often the loss was evaluated, with its gradient but for one at the end.
    pub evaluations: u64,
}

impl Descent {
    /// Steps down one loss, that of all data, until the search ends by itself or at one of the limits: the
    /// model where it ended, and why.
    ///
    /// Where a step of the search has looked at the loss where it ended, the next one does not look
    /// again: a search that restarts its count of iterations with each step costs nothing. Where its
    /// direction does not descend, it forgets what it has learnt and tries once more, along the gradient.
    /// Walks of [`Descent::search`] are meant; others take their steps too, up to the limits.
    ///
    /// ```
    /// use burn::module::{Module, Param};
    /// use burn::tensor::{Device, Tensor};
    /// use burn_descent::{Descent, Lbfgs, Stop, Until};
    ///
    /// #[derive(Module, Debug)]
    /// struct Point {
    ///     x: Param<Tensor<1>>,
    /// }
    /// // Rosenbrock's valley.
    /// let valley = |point: &Point| {
    ///     let (x, y) = (point.x.val().narrow(0, 0, 1), point.x.val().narrow(0, 1, 1));
    ///     (x.clone() - 1.0).square() + (y - x.square()).square() * 100.0
    /// };
    /// let x = Tensor::from_floats([-1.2, 1.0], &Device::default().autodiff());
    /// let point = Point { x: Param::from_tensor(x) };
    /// let mut descent = Descent::search(Lbfgs::new()).build(&point)?;
    /// let (_, minimum) = descent.minimize(point, valley, &Until::new().loss(1e-10))?;
    /// assert!(minimum.loss < 1e-8 && minimum.evaluations < 80, "{minimum:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`step_with`](Self::step_with), with the model as the last step has left it.
    pub fn minimize<M: Module>(
        &mut self,
        mut model: M,
        mut loss: impl FnMut(&M) -> Tensor<1>,
        until: &Until,
    ) -> Result<(M, Minimum), Refused<M>> {
        let (mut known, mut steps, mut evaluations) = (None::<Look>, 0, 0);
        let mut is_anew = false;
        let stop = loop {
            let stepped = self.step_from(model, &mut loss, known, None)?;
            (model, known) = (stepped.model, stepped.look);
            steps += 1;
            evaluations += stepped.report.evaluations.unwrap_or(1);
            let here = || match (&known, stepped.loss) {
                (Some(look), _) => look.loss.get(),
                (None, Some(loss)) => Reading::from(loss).get(),
                (None, None) => f64::NAN,
            };
            let stop = stepped.report.stop;
            // The gradient itself descends, if anything does.
            let begins_anew = stop == Some(Stop::NoDescent) && !is_anew;
            if let Some(stop) = stop.filter(|stop| stop.is_final() && !begins_anew) {
                break stop;
            }
            is_anew = begins_anew;
            if begins_anew {
                self.at.search.forget();
            }
            if stepped.report.skipped {
                break Stop::NotFinite;
            } else if until.loss > f64::NEG_INFINITY && here() <= until.loss {
                break Stop::Loss;
            } else if evaluations >= until.evaluations {
                break Stop::Evaluations;
            } else if steps >= until.steps {
                break Stop::Steps;
            }
        };
        let loss = known.map(|look| look.loss).unwrap_or_else(|| {
            evaluations += 1;
            Reading::from(loss(&model))
        });
        Ok((model, Minimum { stop, loss: loss.get(), steps, evaluations }))
    }
}
