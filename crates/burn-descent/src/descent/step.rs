//! One step of the whole model.

use super::apply::{Apply, Pace, Ready};
use super::gradients::{Clamp, Norm, first_unknown, walk_gradients};
use super::group::{AnyOptimizer, Schedules};
use super::{Descent, DescentError, IntoGradients, NotFinite, Refused, Report};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn_descent_rules::{OptionError, check_lr};

/// Gradients that may be stepped down, and the groups at this step.
type Prepared = (GradientsParams, Vec<Pace>);

impl Descent {
    /// A step down the gradients of `loss.backward()`, or a part of one while micro-batches are
    /// accumulated: the new model, and what came of it.
    ///
    /// Parameters that are frozen or have no gradient stay as they are; those that the model holds
    /// more than once are stepped once.
    ///
    /// # Errors
    /// [`Refused`] with the model as it was: a gradient that is not finite under
    /// [`NotFinite::Error`], a parameter the walk was not built for, a schedule that leaves the
    /// range of its option.
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
        let gradients = gradients.by_parameter(&model);
        match self.prepare(&model, gradients, weight) {
            Ok((report, None)) => Ok((model, report)),
            Ok((report, Some((gradients, paces)))) => {
                Ok((self.walk(model, gradients, &paces), report))
            }
            Err(error) => Err(Refused { model, error }),
        }
    }

    /// Everything that can refuse or put off the step; nothing has been stepped after it.
    fn prepare<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
        weight: f64,
    ) -> Result<(Report, Option<Prepared>), DescentError> {
        if !(weight.is_finite() && weight > 0.0) {
            return Err(DescentError::BadWeight(weight));
        }
        let known = |id: &_| self.members.contains_key(id);
        if let Some(parameter) = first_unknown(model, &gradients, known) {
            return Err(DescentError::UnknownParameter { parameter });
        }
        let mut report = Report {
            step: self.steps,
            skipped_in_all: self.skipped,
            clip_factor: 1.0,
            ..Report::default()
        };
        let Some((mut gradients, mut factor)) = self.accumulator.take_in(model, gradients, weight)
        else {
            return Ok((report, None));
        };
        let step = self.steps + 1;

        if let Some(limit) = self.clip_value {
            // The optimizers meet the gradients times the factor, and that is what is clamped.
            let mut clamp = Clamp { limit: limit / factor, gradients: GradientsParams::new() };
            walk_gradients(model, gradients, &mut clamp);
            gradients = clamp.gradients;
        }
        if self.clip_norm.is_some() || self.not_finite != NotFinite::Allow {
            let mut looked = Norm::default();
            walk_gradients(model, gradients, &mut looked);
            let norm = looked.norm() * factor;
            report.grad_norm = Some(norm);
            match (&looked.broken, self.not_finite) {
                (Some(_), NotFinite::Skip) => {
                    self.skipped += 1;
                    report.skipped = true;
                    report.skipped_in_all = self.skipped;
                    return Ok((report, None));
                }
                (Some(parameter), NotFinite::Error) => {
                    let parameter = parameter.clone();
                    return Err(DescentError::NotFinite { parameter, step });
                }
                (_, NotFinite::Allow) | (None, _) => {}
            }
            gradients = looked.gradients;
            if let Some(most) = self.clip_norm.filter(|most| norm > *most) {
                report.clip_factor = most / norm;
                factor *= report.clip_factor;
            }
        }

        let mut paces = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let pace = pace(group, self.steps, factor).map_err(|error| {
                DescentError::Scheduled { group: group.name.clone(), step, error }
            })?;
            report.learning_rates.push((group.name.clone(), pace.lr));
            paces.push(pace);
        }
        (report.step, report.stepped) = (step, true);
        Ok((report, Some((gradients, paces))))
    }

    fn walk<M: Module>(&mut self, model: M, gradients: GradientsParams, paces: &[Pace]) -> M {
        let model = model.map(&mut Apply {
            members: &self.members,
            paces,
            states: &mut self.states,
            gradients,
            tied: GradientsParams::new(),
        });
        self.steps += 1;
        self.follow(&model);
        model
    }
}

/// What a group's schedules say at a step, from 0.
fn pace(group: &Schedules, step: u64, factor: f64) -> Result<Pace, OptionError> {
    let lr = group.lr.at(step);
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
