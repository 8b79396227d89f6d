//! One step of the whole model.

use super::accumulate::WEIGHTS;
use super::apply::{Pace, Ready, apply};
use super::gradients::{Descending, first_not_finite, norm, zero_not_finite};
use super::group::{AnyOptimizer, Schedules};
use super::measure::{measure, remember};
use super::transform::transform;
use super::visit::Tensors;
use super::{Descent, DescentError, IntoGradients, NotFinite, Refused, Report};
use burn::module::Module;
use burn_descent_engine::Reading;
use burn_descent_rules::{OptionError, check_lr};

/// Gradients that may be stepped down, and the groups at this step.
type Prepared = (Descending, Vec<Pace>);

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
    /// with a [`Probe`](crate::Probe).
    ///
    /// # Panics
    /// If an optimizer that is not ours does. The walk refuses all further steps then, until it has
    /// taken up a checkpoint.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: impl IntoGradients,
    ) -> Result<(M, Report), Refused<M>> {
        self.step_weighted(model, gradients, 1.0)
    }

    /// [`step`](Self::step) with a micro-batch that counts `weight` in the mean: its number of
    /// examples, where they are uneven.
    ///
    /// # Errors
    /// Those of [`step`](Self::step), and a weight that is not a positive number, or beyond 1e-12 or 1e12.
    pub fn step_weighted<M: Module>(
        &mut self,
        model: M,
        gradients: impl IntoGradients,
        weight: f64,
    ) -> Result<(M, Report), Refused<M>> {
        if self.setup.wishes.probe.is_some() {
            return Err(Refused { model, error: DescentError::NeedsLoss });
        }
        let gradients = gradients.by_parameter(&model);
        self.take(model, gradients, weight)
    }

    /// A step down these gradients, wherever they were taken.
    pub(super) fn take<M: Module>(
        &mut self,
        model: M,
        gradients: Tensors,
        weight: f64,
    ) -> Result<(M, Report), Refused<M>> {
        let prepared = self.prepare(&model, gradients, weight);
        self.walk_if_ready(model, prepared)
    }

    fn walk_if_ready<M: Module>(
        &mut self,
        model: M,
        prepared: Result<(Report, Option<Prepared>), DescentError>,
    ) -> Result<(M, Report), Refused<M>> {
        match prepared {
            Ok((report, None)) => Ok((model, report)),
            Ok((report, Some(prepared))) => Ok(self.walk(model, prepared, report)),
            Err(error) => Err(Refused { model, error }),
        }
    }

    /// Everything that can refuse or put off the step; nothing has been stepped after it.
    fn prepare<M: Module>(
        &mut self,
        model: &M,
        gradients: Tensors,
        weight: f64,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        if !WEIGHTS.contains(&weight) {
            return Err(DescentError::BadWeight(weight));
        }
        self.check_whole()?;
        let setup = self.setup.clone();
        let wishes = &setup.wishes;
        let mut found = Descending::new(model, gradients, &setup, &self.at)?;
        if found.len() == 0 && !wishes.empty_steps {
            return Err(DescentError::NoGradient);
        }
        let count = wishes.accumulate;
        // A schedule that refuses leaves the micro-batches that there are.
        let completes = self.at.accumulator.completes(count);
        let paces = if completes { self.paces(1.0.into())? } else { Vec::new() };
        let report = self.begin();
        let gradients = core::mem::take(&mut found.gradients);
        let whole = self.at.accumulator.take_in(count, model, gradients, weight);
        let Some((gradients, factor)) = whole else { return Ok((report, None)) };
        if count > 1 {
            found = Descending::new(model, gradients, &setup, &self.at)?;
        } else {
            found.gradients = gradients;
        }
        self.finish(model, found, factor, paces, report)
    }

    /// The step of the micro-batches that there are, fewer than
    /// [`accumulate`](crate::Builder::accumulate) asks for: with their mean, as at the end of an epoch
    /// that they do not divide. Without any it takes no step, and the report says so.
    ///
    /// # Errors
    /// Those of [`step`](Self::step).
    pub fn flush<M: Module>(&mut self, model: M) -> Result<(M, Report), Refused<M>> {
        let prepared = self.prepare_rest(&model);
        self.walk_if_ready(model, prepared)
    }

    fn prepare_rest<M: Module>(
        &mut self,
        model: &M,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        self.check_whole()?;
        Descending::new(model, Tensors::new(), &self.setup, &self.at)?;
        let (paces, report) = (self.paces(1.0.into())?, self.begin());
        let whole = self.at.accumulator.whole(model);
        let Some((gradients, factor)) = whole else { return Ok((report, None)) };
        let found = Descending::new(model, gradients, &self.setup, &self.at)?;
        self.finish(model, found, factor, paces, report)
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
            clip_factor: 1.0.into(),
            loss_scale: self.at.scale.as_ref().map(|scale| scale.value),
            ..Report::default()
        }
    }

    /// What is done to all gradients of a step, which count `factor` times.
    fn finish<M: Module>(
        &mut self,
        model: &M,
        mut found: Descending,
        mut factor: f64,
        paces: Vec<Pace>,
        mut report: Report,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        let setup = self.setup.clone();
        let wishes = &setup.wishes;
        let gradients = &mut found.gradients;
        if let Some(scale) = &self.at.scale {
            factor /= scale.value;
        }

        let mut all = None;
        if wishes.not_finite != NotFinite::Allow || wishes.loss_scale.is_some() {
            let all_finite = all.insert(norm(model, gradients)).get().is_finite();
            if !all_finite && let Some(parameter) = first_not_finite(model, gradients) {
                match self.policy() {
                    NotFinite::Skip => {
                        self.at.skipped += 1;
                        report.skipped = true;
                        report.skipped_in_all = self.at.skipped;
                        report.loss_scale = self.at.scale.as_ref().map(|scale| scale.value);
                        return Ok((report, None));
                    }
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
        if !wishes.transforms.is_empty() {
            transform(&wishes.transforms, model, &setup.members, gradients, self.at.steps, factor);
            all = None;
        }
        if wishes.clip_norm.is_some() {
            all.get_or_insert_with(|| norm(model, gradients));
        }
        let norm = all.map(|norm| norm.times(factor));
        if let (Some(norm), Some(most)) = (&norm, wishes.clip_norm) {
            report.clip_factor = shorten(norm, most);
        }
        report.grad_norm = norm;
        let factor = report.clip_factor.times(factor);
        let paces = paces.into_iter().map(|pace| pace.scaled(&factor)).collect();
        Ok((report, Some((found, paces))))
    }

    /// What to do with a gradient that is not finite, now that there is one. It is no fault while
    /// the scale of the loss can fall.
    fn policy(&mut self) -> NotFinite {
        let policy = self.setup.wishes.not_finite;
        match (&self.setup.wishes.loss_scale, &mut self.at.scale) {
            (Some(options), Some(scale)) => {
                let fell = scale.after_overflow(options);
                if fell || policy == NotFinite::Allow { NotFinite::Skip } else { policy }
            }
            _ => policy,
        }
    }

    /// The groups at the next step, which meets its gradients times `factor`.
    pub(super) fn paces(&self, factor: Reading) -> Result<Vec<Pace>, DescentError> {
        let pace = |group: &Schedules| {
            let lr = self.lr(group);
            pace(group, self.at.steps, lr, &factor).map_err(|error| DescentError::Scheduled {
                group: group.name.clone(),
                step: self.at.steps + 1,
                error: Box::new(error),
            })
        };
        self.setup.groups.iter().map(pace).collect()
    }

    /// The learning rate of a group at the next step.
    fn lr(&self, group: &Schedules) -> f64 {
        let plateau = self.at.plateau.as_ref().map_or(1.0, |plateau| plateau.value());
        group.lr.at(self.at.steps) * plateau
    }

    /// The name and the learning rate of each group at the next step.
    fn learning_rates(&self) -> Vec<(String, f64)> {
        self.setup.groups.iter().map(|group| (group.name.clone(), self.lr(group))).collect()
    }

    fn walk<M: Module>(
        &mut self,
        model: M,
        (found, paces): Prepared,
        mut report: Report,
    ) -> (M, Report) {
        let setup = self.setup.clone();
        let step = self.at.steps + 1;
        let measured = setup.wishes.measure_every.is_some_and(|every| step.is_multiple_of(every));
        let before = measured.then(|| remember(&model, &found.gradients));
        report.parameters = found.len();
        self.set_out(&model);

        self.at.under_way = true;
        let model = apply(model, &setup.members, &paces, &mut self.at.states, found);
        self.at.steps = step;
        if let (Some(options), Some(scale)) = (&setup.wishes.loss_scale, &mut self.at.scale) {
            scale.after_good(options);
            report.loss_scale = Some(scale.value);
        }
        let model = self.meet(model);
        self.follow(&model);

        self.at.under_way = false;
        (report.step, report.stepped) = (step, true);
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

/// What a group's schedules say at a step, from 0.
fn pace(group: &Schedules, step: u64, lr: f64, factor: &Reading) -> Result<Pace, OptionError> {
    let mut optimizers = Vec::with_capacity(group.optimizers.len());
    for (number, optimizer) in group.optimizers.iter().enumerate() {
        check_lr(optimizer.name(), lr)?;
        let ready = match optimizer {
            AnyOptimizer::Ours(fused) if !group.options.is_empty() => {
                AnyOptimizer::Ours(group.at(number, fused, step)?)
            }
            as_it_is => as_it_is.clone(),
        };
        optimizers.push(Ready::new(&ready, factor));
    }
    Ok(Pace { lr, optimizers })
}
