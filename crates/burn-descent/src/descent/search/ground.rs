//! What a search sees of a model and its loss.

use super::Vector;
use super::sophia::gauss_newton_bartlett;
use crate::descent::DescentError;
use burn::tensor::Tensor;
use burn_descent_engine::Reading;

/// Loss and gradient at a point.
#[derive(Clone, Debug)]
pub struct Look {
    /// The loss. On a GPU it stays there until somebody reads it.
    pub loss: Reading,
    /// Its gradient, times the [scale of the loss](crate::LossScale) where that is scaled.
    pub gradient: Vector,
}

/// The model behind: what has to know its type.
pub(super) trait Terrain {
    /// The weights that the search may move.
    fn weights(&self) -> Vector;

    /// Loss and gradient at these weights, or at the model as it is.
    fn look(&mut self, at: Option<&Vector>) -> Result<(Tensor<1>, Vector), DescentError>;

    /// The gradient at the model as it is of the mean loss of so many rows, whose labels the model has drawn.
    fn sampled(&mut self) -> Result<(Vector, u64), DescentError>;

    /// The weights where the optimizers would go without a gradient.
    fn ahead(&self) -> Result<Vector, DescentError>;

    /// The path of the parameter of this number.
    fn path(&self, number: u32) -> String;

    /// The number of this step, from 1.
    fn step(&self) -> u64;
}

/// The loss as a function of the weights, for a [`Search`](super::Search).
pub struct Ground<'a> {
    terrain: &'a mut dyn Terrain,
    weights: Vector,
    lr: f64,
    evaluations: u64,
    /// Loss and gradient at the weights, where they are known from the step before.
    known: Option<Look>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(terrain: &'a mut dyn Terrain, lr: f64, known: Option<Look>) -> Self {
        let weights = terrain.weights();
        Self { terrain, weights, lr, evaluations: 0, known }
    }

    /// The weights as they are, of all parameters that the search may move: those that are trained; where
    /// the search moves the weights itself, those that are in no group of an optimizer.
    pub fn weights(&self) -> &Vector {
        &self.weights
    }

    /// The learning rate of this step.
    pub fn lr(&self) -> f64 {
        self.lr
    }

    /// How often the loss has been evaluated in this step.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Loss and gradient at the weights as they are.
    ///
    /// Running statistics, such as those of batch normalisation, see the first evaluation of a step,
    /// wherever that is, and no other.
    ///
    /// # Errors
    /// A loss that is not one number, or does not depend on anything that is trained.
    pub fn look(&mut self) -> Result<Look, DescentError> {
        match self.known.take() {
            Some(known) => Ok(known),
            None => self.evaluate(None),
        }
    }

    /// Loss and gradient at other weights, which belong to a copy of the model: the model stays where it
    /// is.
    ///
    /// # Errors
    /// Those of [`look`](Self::look).
    pub fn look_at(&mut self, weights: &Vector) -> Result<Look, DescentError> {
        self.evaluate(Some(weights))
    }

    /// The weights where the optimizers would go without a gradient: on their momentum alone. A search
    /// that calls this [says so](super::Search::asks_ahead).
    ///
    /// # Errors
    /// A schedule that leaves the range of its option.
    pub fn ahead(&mut self) -> Result<Vector, DescentError> {
        self.terrain.ahead()
    }

    /// The Gauss-Newton-Bartlett estimate of the diagonal of the Hessian at the weights as they are, by one
    /// evaluation of a loss with drawn labels: `B ĝ²` with the gradient `ĝ` of the mean of `B` rows.
    ///
    /// # Errors
    /// [`DescentError::NeedsSampledLoss`], if the step was not begun with
    /// [`step_with_sampled`](crate::Descent::step_with_sampled); [`DescentError::NotFinite`]; those of
    /// [`look`](Self::look).
    pub fn sampled_curvature(&mut self) -> Result<Vector, DescentError> {
        let (gradient, batch) = self.terrain.sampled()?;
        self.evaluations += 1;
        self.check_finite(&gradient)?;
        Ok(gauss_newton_bartlett(gradient, batch))
    }

    /// [`look`](Self::look), refused where loss or gradient are NaN or infinite.
    ///
    /// # Errors
    /// [`DescentError::BadLoss`] and [`DescentError::NotFinite`], and those of [`look`](Self::look).
    pub fn look_for_finite(&mut self) -> Result<Look, DescentError> {
        let look = self.look()?;
        let (loss, step) = (look.loss.get(), self.terrain.step());
        if !loss.is_finite() {
            return Err(DescentError::BadLoss { loss, step });
        }
        self.check_finite(&look.gradient)?;
        Ok(look)
    }

    fn check_finite(&self, gradient: &Vector) -> Result<(), DescentError> {
        let step = self.terrain.step();
        match gradient.first_not_finite() {
            Some(number) => {
                Err(DescentError::NotFinite { parameter: self.terrain.path(number), step })
            }
            None => Ok(()),
        }
    }

    fn evaluate(&mut self, at: Option<&Vector>) -> Result<Look, DescentError> {
        self.evaluations += 1;
        let (loss, gradient) = self.terrain.look(at)?;
        Ok(Look { loss: loss.into(), gradient })
    }
}
