//! A model and the `Descent` that trains it, held together.

use crate::{
    Batch, Checkpoint, CheckpointError, Descent, DescentError, IntoGradients, Minimum, Refused,
    Report, Until,
};
use burn::module::Module;
use burn::tensor::Tensor;

/// A model and the [`Descent`] that trains it. A step takes gradients and returns its report; the model stays here.
///
/// Each method does what the method of [`Descent`] of the same name does. [`descent`](Self::descent) gives the rest of it, and
/// [`into_parts`](Self::into_parts) both, to freeze parameters or replace the model.
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use burn_descent::{AdamW, prelude::*};
///
/// let device = Device::default().autodiff();
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let descent = Descent::builder(AdamW::new().build()?).lr(1e-2).build(&model)?;
/// let mut trainer = Trainer::new(model, descent);
/// for _ in 0..3 {
///     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
///     let loss = (trainer.model().forward(x.clone()) - x.sum_dim(1)).square().mean();
///     let report = trainer.step(loss.backward())?;
///     assert!(report.stepped);
/// }
///
/// // The rest of the run with the bias frozen.
/// let (mut model, descent) = trainer.into_parts();
/// model.bias = model.bias.no_grad();
/// let trainer = Trainer::new(model, descent);
/// assert_eq!(trainer.descent().steps(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors and panics
/// A step that is refused leaves the model here as it was, and the next one goes on. A step moves
/// the model out and back; if something panics in between (an optimizer that is not ours, a loss), the
/// model is lost. From then on every step is refused with [`DescentError::BrokenOff`], a checkpoint with
/// [`CheckpointError::BrokenOff`], and the methods that return the model panic. Build both anew and take
/// up a checkpoint.
#[derive(Debug)]
pub struct Trainer<M> {
    /// Moved out during a step; `None` between two steps after one that panicked.
    model: Option<M>,
    descent: Descent,
}

const LOST: &str = "the model was lost in a step that panicked: build it and its `Descent` anew";

impl<M: Module> Trainer<M> {
    /// A model and the `Descent` that was [built](crate::Builder::build) for it. The first step is refused if it was built for
    /// other parameters.
    pub fn new(model: M, descent: Descent) -> Self {
        Self { model: Some(model), descent }
    }

    /// The model that trains.
    ///
    /// # Panics
    /// If a step has panicked before.
    pub fn model(&self) -> &M {
        self.model.as_ref().expect(LOST)
    }

    /// The `Descent`.
    pub fn descent(&self) -> &Descent {
        &self.descent
    }

    /// The `Descent`, to tell it a [metric](Descent::observe_metric).
    pub fn descent_mut(&mut self) -> &mut Descent {
        &mut self.descent
    }

    /// [`Descent::step`]: a step down the gradients of `loss.backward()`.
    ///
    /// # Errors
    /// Those of [`Descent::step`]. The model is as it was.
    pub fn step(&mut self, gradients: impl IntoGradients) -> Result<Report, DescentError> {
        self.by_value(|descent, model| descent.step(model, gradients))
    }

    /// [`Descent::step_weighted`]: a step with the weight of the batch in the mean, or its loss.
    ///
    /// # Errors
    /// Those of [`Descent::step_weighted`]. The model is as it was.
    pub fn step_weighted(
        &mut self,
        gradients: impl IntoGradients,
        batch: impl Into<Batch>,
    ) -> Result<Report, DescentError> {
        self.by_value(|descent, model| descent.step_weighted(model, gradients, batch))
    }

    /// [`Descent::step_with`]: a step down a loss, which is returned with the report.
    ///
    /// # Errors
    /// Those of [`Descent::step_with`]. The model is as it was.
    pub fn step_with(
        &mut self,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<(Report, Tensor<1>), DescentError> {
        self.by_value(|descent, model| {
            let (model, report, loss) = descent.step_with(model, loss)?;
            Ok((model, (report, loss)))
        })
    }

    /// [`Descent::step_with_sampled`]: a step down a loss, with another one whose labels the model draws.
    ///
    /// # Errors
    /// Those of [`Descent::step_with_sampled`]. The model is as it was.
    pub fn step_with_sampled(
        &mut self,
        loss: impl FnMut(&M) -> Tensor<1>,
        sampled: impl FnMut(&M) -> Tensor<1>,
        batch: u64,
    ) -> Result<(Report, Tensor<1>), DescentError> {
        self.by_value(|descent, model| {
            let (model, report, loss) = descent.step_with_sampled(model, loss, sampled, batch)?;
            Ok((model, (report, loss)))
        })
    }

    /// [`Descent::minimize`]: steps down one loss until it falls no further.
    ///
    /// # Errors
    /// Those of [`Descent::minimize`]. The model is as the last step has left it.
    pub fn minimize(
        &mut self,
        loss: impl FnMut(&M) -> Tensor<1>,
        until: &Until,
    ) -> Result<Minimum, DescentError> {
        self.by_value(|descent, model| descent.minimize(model, loss, until))
    }

    /// [`Descent::flush`]: a step with the micro-batches accumulated so far.
    ///
    /// # Errors
    /// Those of [`Descent::flush`]. The model is as it was.
    pub fn flush(&mut self) -> Result<Report, DescentError> {
        self.by_value(Descent::flush)
    }

    /// [`Descent::evaluate`]: the model to evaluate and to ship.
    ///
    /// # Panics
    /// If a step has panicked before.
    pub fn evaluate(&self) -> M {
        self.descent.evaluate(self.model())
    }

    /// [`Descent::checkpoint`]: everything that a run needs to go on from here, to [save](Checkpoint::save).
    ///
    /// # Errors
    /// Those of [`Descent::checkpoint`].
    pub fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        let model = self.model.as_ref().ok_or(CheckpointError::BrokenOff)?;
        self.descent.checkpoint(model)
    }

    /// [`Checkpoint::restore`]: goes on from a checkpoint, with the model that was saved.
    ///
    /// # Errors
    /// Those of [`Checkpoint::restore`]. Both are as they were.
    pub fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), CheckpointError> {
        let model = self.model.as_ref().ok_or(CheckpointError::BrokenOff)?;
        self.model = Some(checkpoint.restore(&mut self.descent, model)?);
        Ok(())
    }

    /// The model and the `Descent`.
    ///
    /// # Panics
    /// If a step has panicked before.
    pub fn into_parts(self) -> (M, Descent) {
        (self.model.expect(LOST), self.descent)
    }

    /// Something that takes the model and gives it back, changed or refused.
    fn by_value<T>(
        &mut self,
        step: impl FnOnce(&mut Descent, M) -> Result<(M, T), Refused<M>>,
    ) -> Result<T, DescentError> {
        let broken_off = DescentError::BrokenOff { step: self.descent.steps() + 1 };
        let model = self.model.take().ok_or(broken_off)?;
        let (model, result) = match step(&mut self.descent, model) {
            Ok((model, result)) => (model, Ok(result)),
            Err(Refused { model, error }) => (model, Err(error)),
        };
        self.model = Some(model);
        result
    }
}
