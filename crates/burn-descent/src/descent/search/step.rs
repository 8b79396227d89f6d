//! A step that sees its loss.

use super::terrain::{Over, Sampled, by_parameter};
use super::{Arrival, Ground, Look, Memory, Search, Step};
use crate::descent::visit::{Tensors, inner};
use crate::descent::{Batch, Descent, DescentError, Refused, Report};
use burn::module::Module;
use burn::tensor::Tensor;

/// What a search has found.
struct Found {
    step: Step,
    /// The loss where it was evaluated first; `None` if it was known.
    loss: Option<Tensor<1>>,
    /// The gradients there, of the parameters that the search does not move.
    others: Tensors,
    memory: Memory,
    evaluations: u64,
}

/// What came of a step that was taken with its loss.
pub(super) struct Stepped<M> {
    pub(super) model: M,
    pub(super) report: Report,
    /// The loss where it was evaluated first, if it was.
    pub(super) loss: Option<Tensor<1>>,
    /// What is known of the loss where the model is now.
    pub(super) look: Option<Look>,
}

impl<M: Module> Stepped<M> {
    /// The model, what came of the step, and the loss where it was evaluated first.
    fn with_loss(self, mut loss: impl FnMut(&M) -> Tensor<1>) -> (M, Report, Tensor<1>) {
        let Self { model, report, loss: at, .. } = self;
        // A search of somebody's own need not look.
        let at = at.unwrap_or_else(|| inner(loss(&model)));
        let report = report.with_loss(at.clone());
        (model, report, at)
    }
}

impl Descent {
    /// A step down the loss that `loss` computes for a model: the new model, what came of it, and
    /// the loss where it was evaluated first: at the model as it was, without its graph ([`Ahead`] looks
    /// elsewhere first).
    ///
    /// `loss` is called once, or as often as the [search](crate::Builder::search) looks. It must compute
    /// the same batch each time. With [`loss scaling`](crate::LossScale) the loss is scaled here.
    ///
    /// [`Ahead`]: crate::Ahead
    ///
    /// # Errors
    /// Those of [`step`](Self::step); a loss that is not one number, or, where a search moves the weights
    /// itself, is NaN or infinite at the model as it is; a search that gives a step of the other
    /// [kind](super::Search) than the walk was begun for.
    pub fn step_with<M: Module>(
        &mut self,
        model: M,
        mut loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<(M, Report, Tensor<1>), Refused<M>> {
        let stepped = self.step_from(model, &mut loss, None, None)?;
        Ok(stepped.with_loss(loss))
    }

    /// [`step_with`](Self::step_with) for a search that estimates curvature, [`Sophia`](crate::Sophia) for one: `sampled`
    /// computes the mean loss of `batch` rows for labels that the model itself [draws](crate::sample_labels). It is
    /// called in steps that are due for an estimate.
    ///
    /// # Errors
    /// Those of [`step_with`](Self::step_with), for both losses.
    pub fn step_with_sampled<M: Module>(
        &mut self,
        model: M,
        mut loss: impl FnMut(&M) -> Tensor<1>,
        mut sampled: impl FnMut(&M) -> Tensor<1>,
        batch: u64,
    ) -> Result<(M, Report, Tensor<1>), Refused<M>> {
        let sampled = Sampled { loss: &mut sampled, batch };
        let stepped = self.step_from(model, &mut loss, None, Some(sampled))?;
        Ok(stepped.with_loss(loss))
    }

    /// A step from where `known` is known of the loss.
    pub(super) fn step_from<M: Module>(
        &mut self,
        model: M,
        loss: &mut impl FnMut(&M) -> Tensor<1>,
        known: Option<Look>,
        sampled: Option<Sampled<'_, M>>,
    ) -> Result<Stepped<M>, Refused<M>> {
        let Some(search) = self.setup.settings.search.clone() else {
            let (loss, gradients) = match self.evaluate_loss(&model, loss) {
                Ok(evaluated) => evaluated,
                Err(error) => return Err(Refused { model, error }),
            };
            let batch = Batch::new().loss(loss.clone());
            let (model, report) = self.take(model, gradients, batch, None)?;
            return Ok(Stepped { model, report, loss: Some(loss), look: None });
        };
        let found = self.find(&*search, &model, loss, known, sampled);
        let (gradients, to, found) =
            match found.and_then(|found| self.sort(&*search, &model, found)) {
                Ok(sorted) => sorted,
                Err(error) => {
                    let (model, report) = self.skip_or_refuse(model, error)?;
                    return Ok(Stepped { model, report, loss: None, look: None });
                }
            };
        let Found { loss, memory, evaluations, .. } = found;
        let batch = loss.iter().fold(Batch::new(), |batch, loss| batch.loss(loss.clone()));
        let weights = to.as_ref().map(|arrival: &Arrival| &arrival.weights);
        let is_alone = gradients.is_empty();
        let (model, mut report) = self.take(model, gradients, batch, weights)?;
        report.evaluations = Some(evaluations);
        if report.skipped {
            return Ok(Stepped { model, report, loss, look: None });
        }
        self.at.search = memory;
        report.stop = to.as_ref().map(|arrival| arrival.stop);
        // Where optimizers have stepped beside it, the loss is another.
        let look = to.filter(|_| is_alone).and_then(|arrival| arrival.look);
        Ok(Stepped { model, report, loss, look })
    }

    /// The gradients that optimizers step down, and where the search has moved the weights itself.
    fn sort<M: Module>(
        &self,
        search: &dyn Search,
        model: &M,
        mut found: Found,
    ) -> Result<(Tensors, Option<Arrival>, Found), DescentError> {
        let begin = match (&found.step, self.setup.moves) {
            (Step::Down(gradient), false) => {
                return Ok((by_parameter(model, &self.setup, gradient), None, found));
            }
            (Step::To(arrival), true) => {
                let others = core::mem::take(&mut found.others);
                return Ok((others, Some(arrival.clone()), found));
            }
            (Step::Down(_), true) => "Descent::builder(optimizer).search(..)",
            (Step::To(_), false) => "Descent::search(..)",
        };
        Err(DescentError::WrongWalk { search: search.name(), begin })
    }

    /// What the search of the walk finds for a step from this model, which is left as it is.
    fn find<M: Module>(
        &self,
        search: &dyn Search,
        model: &M,
        loss: impl FnMut(&M) -> Tensor<1>,
        known: Option<Look>,
        sampled: Option<Sampled<'_, M>>,
    ) -> Result<Found, DescentError> {
        // A schedule that leaves its range refuses before anything is evaluated.
        self.group_steps()?;
        let mut over = Over::new(self, model, loss, sampled);
        let mut ground = Ground::new(&mut over, self.lr(&self.setup.groups[0]), known);
        let mut memory = self.at.search.clone().beside(ground.weights());
        let step = search.step(&mut ground, &mut memory)?;
        let evaluations = ground.evaluations();
        let (loss, others) = over.seen();
        Ok(Found { step, loss, others, memory, evaluations })
    }
}
