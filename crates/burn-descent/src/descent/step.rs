//! One step of the whole model.

use super::accumulate::{Batch, NO_LOSS, WEIGHTS, Whole};
use super::apply::{State, apply};
use super::gradients::{Descending, first_not_finite, norm, zero_not_finite};
use super::group::{AnyOptimizer, Schedules};
use super::group_step::GroupStep;
use super::measure::{measure, remember};
use super::search::{Vector, put};
use super::transform::transform;
use super::visit::Tensors;
use super::{Descent, DescentError, IntoGradients, NotFinite, Refused, Report};
use crate::averaging::MECHANIC;
use burn::module::Module;
use burn_descent_engine::{FusedState, Reading};

/// Gradients that may be stepped down, the groups at this step,
/// and what Mechanic has to know of them.
type Prepared = (Descending, Vec<GroupStep>, Option<f64>);

impl Descent {
    /// A step down the gradients of `loss.backward()`, or a part of one while micro-batches are
    /// accumulated: the new model, and what came of it.
    ///
    /// Parameters that are frozen or have no gradient stay as they are; those that the model holds
    /// more than once are stepped once, down the sum of their gradients. A clone of the model is
    /// another model, which a step never changes.
    ///
    /// # Errors
    /// [`Refused`] with the model as it was: a gradient that is not finite under
    /// [`NotFinite::Error`] or has another shape than its parameter, a parameter that the walk was
    /// not built for, no gradient at all, a schedule that leaves the range of its option, a walk
    /// with a [search](crate::Builder::search), an optimizer that needs [the loss](Self::step_weighted).
    ///
    /// # Panics
    /// If an optimizer that is not ours does. The walk refuses all further steps then, until it has
    /// taken up a checkpoint.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: impl IntoGradients,
    ) -> Result<(M, Report), Refused<M>> {
        self.step_weighted(model, gradients, Batch::new())
    }

    /// [`step`](Self::step) with what is told of the batch: what it counts in the mean over micro-batches (a number
    /// alone is that), and its loss, for optimizers whose step follows from it, such as MoMo and Polyak's.
    /// ([`step_with`](Self::step_with) tells the loss by itself.)
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use burn_descent::{Batch, PolyakSgd, prelude::*};
    ///
    /// let device = Device::default().autodiff();
    /// let model: Linear = LinearConfig::new(8, 1).init(&device);
    /// let mut descent = Descent::builder(PolyakSgd::new().build()?).lr(0.1).build(&model)?;
    /// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
    /// let loss = (model.forward(x.clone()) - x.sum_dim(1)).square().mean();
    /// let batch = Batch::new().loss(loss.clone());
    /// let (model, report) = descent.step_weighted(model, loss.backward(), batch)?;
    /// # drop((model, report));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`step`](Self::step); a weight that is not a positive number, or beyond 1e-12 or 1e12; a loss that
    /// is missing, NaN or infinite, where an optimizer needs it.
    pub fn step_weighted<M: Module>(
        &mut self,
        model: M,
        gradients: impl IntoGradients,
        batch: impl Into<Batch>,
    ) -> Result<(M, Report), Refused<M>> {
        let batch = batch.into();
        if self.setup.settings.search.is_some() || self.setup.needs_loss && batch.loss.is_none() {
            return Err(Refused { model, error: DescentError::NeedsLoss });
        }
        let gradients = gradients.by_parameter(&model);
        self.take(model, gradients, batch, None)
    }

    /// A step down these gradients, wherever they were taken, and `to` what a search has found itself.
    pub(super) fn take<M: Module>(
        &mut self,
        model: M,
        gradients: Tensors,
        batch: Batch,
        to: Option<&Vector>,
    ) -> Result<(M, Report), Refused<M>> {
        let prepared = self.prepare(&model, gradients, batch, to.is_some());
        self.walk_if_prepared(model, prepared, to)
    }

    fn walk_if_prepared<M: Module>(
        &mut self,
        model: M,
        prepared: Result<(Report, Option<Prepared>), DescentError>,
        to: Option<&Vector>,
    ) -> Result<(M, Report), Refused<M>> {
        match prepared {
            Ok((report, None)) => Ok((model, report)),
            Ok((report, Some(prepared))) => Ok(self.walk(model, prepared, report, to)),
            Err(error) => Err(Refused { model, error }),
        }
    }

    /// Everything that can refuse or postpone the step; nothing has been stepped after it.
    fn prepare<M: Module>(
        &mut self,
        model: &M,
        gradients: Tensors,
        batch: Batch,
        moves: bool,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        let Batch { weight, loss } = batch;
        if !WEIGHTS.contains(&weight) {
            return Err(DescentError::BadWeight(weight));
        }
        let loss = loss.filter(|_| self.setup.needs_loss).map_or(NO_LOSS, |loss| loss.get());
        self.check_whole()?;
        let setup = self.setup.clone();
        let settings = &setup.settings;
        let mut found = Descending::new(model, gradients, &setup, &self.at)?;
        if found.len() == 0 && !moves && !settings.empty_steps {
            return Err(DescentError::NoGradient);
        }
        let count = settings.accumulate;
        // A schedule that refuses leaves the micro-batches that there are.
        let completes = self.at.accumulator.completes(count);
        let groups = if completes { self.group_steps()? } else { Vec::new() };
        let report = self.begin();
        let gradients = core::mem::take(&mut found.gradients);
        let whole = self.at.accumulator.take_in(count, model, gradients, weight, loss);
        let Some(Whole { gradients, factor, loss }) = whole else { return Ok((report, None)) };
        if count > 1 {
            found = Descending::new(model, gradients, &setup, &self.at)?;
        } else {
            found.gradients = gradients;
        }
        self.finish(model, found, (factor, loss), groups, report)
    }

    /// The step of the micro-batches that there are, fewer than
    /// [`accumulate`](crate::Builder::accumulate) asks for: with their mean, as at the end of an epoch
    /// that they do not divide. Without any it takes no step, and the report says so.
    ///
    /// # Errors
    /// Those of [`step`](Self::step).
    pub fn flush<M: Module>(&mut self, model: M) -> Result<(M, Report), Refused<M>> {
        let prepared = self.prepare_rest(&model);
        self.walk_if_prepared(model, prepared, None)
    }

    fn prepare_rest<M: Module>(
        &mut self,
        model: &M,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        self.check_whole()?;
        Descending::new(model, Tensors::new(), &self.setup, &self.at)?;
        let (groups, report) = (self.group_steps()?, self.begin());
        let whole = self.at.accumulator.whole(model);
        let Some(Whole { gradients, factor, loss }) = whole else { return Ok((report, None)) };
        let found = Descending::new(model, gradients, &self.setup, &self.at)?;
        self.finish(model, found, (factor, loss), groups, report)
    }

    /// Has the step before come to its end?
    fn check_whole(&self) -> Result<(), DescentError> {
        let broken = DescentError::BrokenOff { step: self.at.steps + 1 };
        if self.at.under_way { Err(broken) } else { Ok(()) }
    }

    /// What is known before a step.
    fn begin(&self) -> Report {
        Report {
            step: self.at.steps,
            skipped_in_all: self.at.skipped,
            learning_rates: self.learning_rates(),
            estimates: self.estimates(),
            failed_refreshes: self.failed_refreshes(),
            clip_factor: 1.0.into(),
            loss_scale: self.at.scale.as_ref().map(|scale| scale.value),
            ..Report::default()
        }
    }

    /// What is done to all gradients of a step, which count `factor` times, at this loss.
    fn finish<M: Module>(
        &mut self,
        model: &M,
        mut found: Descending,
        (mut factor, loss): (f64, f64),
        groups: Vec<GroupStep>,
        mut report: Report,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        let setup = self.setup.clone();
        let settings = &setup.settings;
        let gradients = &mut found.gradients;
        if let Some(scale) = &self.at.scale {
            factor /= scale.value;
        }

        let mut all = None;
        if settings.not_finite != NotFinite::Allow || settings.loss_scale.is_some() {
            let all_finite = all.insert(norm(model, gradients)).get().is_finite();
            if !all_finite && let Some(parameter) = first_not_finite(model, gradients) {
                match self.policy() {
                    NotFinite::Skip => return Ok((self.skip(report), None)),
                    NotFinite::Error => {
                        let step = self.at.steps + 1;
                        return Err(DescentError::NotFinite { parameter, step });
                    }
                    NotFinite::Zero => {
                        zero_not_finite(model, gradients);
                        all = None;
                    }
                    NotFinite::Allow => {}
                }
            }
        }
        if setup.needs_loss && !loss.is_finite() {
            return match settings.not_finite {
                NotFinite::Skip => Ok((self.skip(report), None)),
                _ => Err(DescentError::BadLoss { loss, step: self.at.steps + 1 }),
            };
        }
        if !settings.transforms.is_empty() {
            let (members, step) = (&setup.members, self.at.steps);
            transform(&settings.transforms, model, members, gradients, step, factor);
            all = None;
        }
        if settings.clip_norm.is_some() {
            all.get_or_insert_with(|| norm(model, gradients));
        }
        let norm = all.map(|norm| norm.times(factor));
        if let (Some(norm), Some(most)) = (&norm, settings.clip_norm) {
            report.clip_factor = shorten(norm, most);
        }
        report.grad_norm = norm;
        let factor = report.clip_factor.times(factor);
        let groups = groups.into_iter().map(|group| group.meeting(&factor, loss)).collect();
        let along = self.along(model, &found.gradients, &factor);
        Ok((report, Some((found, groups, along))))
    }

    /// What becomes of a step for which a search has found nothing: it is skipped, if that is what to do
    /// with what is not finite.
    pub(super) fn skip_or_refuse<M>(
        &mut self,
        model: M,
        error: DescentError,
    ) -> Result<(M, Report), Refused<M>> {
        let not_finite =
            matches!(error, DescentError::BadLoss { .. } | DescentError::NotFinite { .. });
        if not_finite && self.setup.settings.not_finite == NotFinite::Skip {
            let report = self.begin();
            return Ok((model, self.skip(report)));
        }
        Err(Refused { model, error })
    }

    /// A step that is not taken.
    fn skip(&mut self, report: Report) -> Report {
        self.at.skipped += 1;
        Report {
            skipped: true,
            skipped_in_all: self.at.skipped,
            loss_scale: self.at.scale.as_ref().map(|scale| scale.value),
            ..report
        }
    }

    /// What to do with a gradient that is not finite, now that there is one. It is no fault while
    /// the scale of the loss can fall.
    fn policy(&mut self) -> NotFinite {
        let policy = self.setup.settings.not_finite;
        match (&self.setup.settings.loss_scale, &mut self.at.scale) {
            (Some(options), Some(scale)) => {
                let fell = scale.after_overflow(options);
                if fell || policy == NotFinite::Allow { NotFinite::Skip } else { policy }
            }
            _ => policy,
        }
    }

    /// The groups at the next step.
    pub(super) fn group_steps(&self) -> Result<Vec<GroupStep>, DescentError> {
        let step = |group: &Schedules| {
            let lr = self.lr(group);
            GroupStep::at(group, self.at.steps, lr).map_err(|error| DescentError::Scheduled {
                group: group.name.clone(),
                step: self.at.steps + 1,
                error: Box::new(error),
            })
        };
        self.setup.groups.iter().map(step).collect()
    }

    /// The learning rate of a group at the next step.
    pub(super) fn lr(&self, group: &Schedules) -> f64 {
        let plateau = self.at.plateau.as_ref().map_or(1.0, |plateau| plateau.value());
        group.lr.at(self.at.steps) * plateau
    }

    /// The name and the learning rate of each group at the next step.
    fn learning_rates(&self) -> Vec<(String, f64)> {
        self.setup.groups.iter().map(|group| (group.name.clone(), self.lr(group))).collect()
    }

    /// What the optimizers of groups that find their own learning rates have found. All states of a group hold it; those of
    /// parameters that were frozen, or had no gradient, hold an earlier one.
    fn estimates(&self) -> Vec<(String, Reading)> {
        let of_group = |(number, group): (usize, &Schedules)| {
            let AnyOptimizer::Ours(fused) = &group.optimizers[0] else { return None };
            let members = self.setup.members.iter().filter(|(_, member)| member.group == number);
            let states = members.filter_map(|(id, _)| self.at.states.get(id)?.as_ours());
            let latest = states.max_by_key(|state| state.steps());
            Some((group.name.clone(), fused.estimate(latest)?))
        };
        let factor =
            self.at.mechanic.iter().map(|factors| (MECHANIC.to_owned(), factors.sum().into()));
        if !self.setup.finds_rates {
            return factor.collect();
        }
        self.setup.groups.iter().enumerate().filter_map(of_group).chain(factor).collect()
    }

    /// How many refreshes of matrices have failed, where an optimizer works on whole ones.
    fn failed_refreshes(&self) -> Option<u64> {
        let states = self.at.states.values().filter_map(State::as_ours);
        let count = || states.map(FusedState::failed_refreshes).sum();
        self.setup.sees_whole.then(count)
    }

    fn walk<M: Module>(
        &mut self,
        model: M,
        (found, groups, along): Prepared,
        mut report: Report,
        to: Option<&Vector>,
    ) -> (M, Report) {
        let setup = self.setup.clone();
        let step = self.at.steps + 1;
        let measured = setup.settings.measure_every.is_some_and(|every| step.is_multiple_of(every));
        let before = measured.then(|| remember(&model, &found.gradients, to.is_some()));
        report.parameters = found.len() + to.map_or(0, Vector::parameters);
        self.before_step(&model);

        self.at.under_way = true;
        let tuning = along.zip(self.before_tuning(&model, &found.gradients));
        let mut model = apply(model, &setup.members, &groups, &mut self.at.states, found);
        if let Some(weights) = to {
            model = put(model, &setup, weights);
        }
        if let Some((h, tuning)) = tuning {
            model = self.tune(model, tuning, h);
        }
        self.at.steps = step;
        if let (Some(options), Some(scale)) = (&setup.settings.loss_scale, &mut self.at.scale) {
            scale.after_good(options);
            report.loss_scale = Some(scale.value);
        }
        let model = self.meet(model);
        self.follow(&model);

        self.at.under_way = false;
        (report.step, report.stepped) = (step, true);
        report.estimates = self.estimates();
        report.failed_refreshes = self.failed_refreshes();
        report.update = before.map(|before| measure(&model, before));
        (model, report)
    }
}

/// The factor that makes gradients of this norm `most` long: 1 for shorter ones, and for those that
/// are no numbers.
fn shorten(norm: &Reading, most: f64) -> Reading {
    norm.map(
        |norm| if norm > most { most / norm } else { 1.0 },
        |norm| {
            let longer = norm.clone().greater_elem(most);
            norm.ones_like().mask_where(longer, norm.recip().mul_scalar(most))
        },
    )
}
