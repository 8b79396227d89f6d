//! One step of the whole model.

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
    /// As of [`step`](Self::step), and a weight that is not a positive number.
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
        match self.prepare(&model, gradients, weight) {
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
        if !(weight.is_finite() && weight > 0.0) {
            return Err(DescentError::BadWeight(weight));
        }
        if self.at.under_way {
            return Err(DescentError::BrokenOff { step: self.at.steps + 1 });
        }
        let setup = self.setup.clone();
        let wishes = &setup.wishes;
        let mut found = Descending::new(model, gradients, &setup, &self.at)?;
        if found.len() == 0 && !wishes.empty_steps {
            return Err(DescentError::NoGradient);
        }
        let mut report = Report {
            step: self.at.steps,
            skipped_in_all: self.at.skipped,
            learning_rates: self.learning_rates(),
            clip_factor: 1.0.into(),
            loss_scale: self.at.scale.as_ref().map(|scale| scale.value),
            ..Report::default()
        };
        let accumulator = &mut self.at.accumulator;
        let gradients = core::mem::take(&mut found.gradients);
        let whole = accumulator.take_in(wishes.accumulate, model, gradients, weight);
        let Some((gradients, mut factor)) = whole else { return Ok((report, None)) };
        if wishes.accumulate > 1 {
            // What has been frozen since its gradients were taken in stays as it is.
            found = Descending::new(model, gradients, &setup, &self.at)?;
        } else {
            found.gradients = gradients;
        }
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
            transform(&wishes.transforms, model, gradients, self.at.steps, factor);
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
        let paces = self.paces(report.clip_factor.times(factor))?;
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
        self.at.under_way = false;
        self.at.steps = step;
        if let (Some(options), Some(scale)) = (&setup.wishes.loss_scale, &mut self.at.scale) {
            scale.after_good(options);
            report.loss_scale = Some(scale.value);
        }
        let model = self.meet(model);
        self.follow(&model);

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
    let scheduled: Vec<(&str, String)> =
        group.options.iter().map(|(name, s)| (name.as_str(), s.at(step).to_string())).collect();
    let scheduled: Vec<(&str, &str)> =
        scheduled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for (number, optimizer) in group.optimizers.iter().enumerate() {
        check_lr(optimizer.name(), lr)?;
        let ready = match optimizer {
            AnyOptimizer::Ours(fused) if !scheduled.is_empty() => {
                AnyOptimizer::Ours(group.with(number, fused, &scheduled)?)
            }
            as_it_is => as_it_is.clone(),
        };
        optimizers.push(Ready::new(&ready, factor));
    }
    Ok(Pace { lr, optimizers })
}
