//! From a checkpoint to a walk: all of it is looked at first, then all of it is taken up.

use super::parameters::Look;
use super::{ACCUMULATE, Checkpoint, CheckpointError, Header, Mismatch, OF_VECTORS};
use crate::descent::accumulate::NO_LOSS;
use crate::descent::buffers::{buffers, unshared};
use crate::descent::loss_scale::Scale;
use crate::descent::position::Position;
use crate::descent::values::Values;
use crate::descent::visit::each_parameter;
use crate::descent::{Descent, Setup};
use burn::module::Module;
use burn::optim::StateSource;
use burn_pack::Scalar;
use std::collections::{BTreeMap, BTreeSet, HashSet};

impl Checkpoint {
    /// Takes up the walk: `descent` goes on from here, and the model that comes back has the values
    /// that were saved. `descent` must have been built as the one that was saved, for a model of the
    /// same parameters; where they are and how far they have come does not matter. `model` is left
    /// as it is: running statistics, which clones of a model share, are not shared with what comes
    /// back. (So one norm in two places of a model has statistics of its own in each afterwards, as
    /// after burn's `valid`.) It may have no autodiff, to be loaded for inference.
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] with all that is not the same: parameters, shapes, precisions,
    /// optimizers, options.
    pub fn restore<M: Module>(
        self,
        descent: &mut Descent,
        model: &M,
    ) -> Result<M, CheckpointError> {
        let changed = changed_options(&self.header.options, &descent.setup);
        let found = Found::look(self, descent, model)?;
        found.take_up_if_whole(descent, model, changed)
    }

    /// [`restore`](Self::restore) with other options: another learning rate or schedule, another
    /// weight decay, another limit. What a new option needs and was not kept begins anew, such as
    /// an average of another kind; what was kept for an option that is not asked for any more is
    /// dropped.
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] if parameters, shapes, precisions or optimizers are not the
    /// same, or an option needs other states.
    pub fn restore_changed<M: Module>(
        self,
        descent: &mut Descent,
        model: &M,
    ) -> Result<M, CheckpointError> {
        Found::look(self, descent, model)?.take_up_if_whole(descent, model, Vec::new())
    }

    /// Takes up what fits, parameter by parameter, and says what did not. Parameters that were not
    /// found keep the weights of `model` and begin without a state; the counters are taken up.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] if counters make no sense.
    pub fn restore_what_fits<M: Module>(
        self,
        descent: &mut Descent,
        model: &M,
    ) -> Result<(M, Vec<Mismatch>), CheckpointError> {
        let changed = changed_options(&self.header.options, &descent.setup);
        let mut found = Found::look(self, descent, model)?;
        found.add(changed);
        let mismatches = core::mem::take(&mut found.mismatches);
        Ok((found.take_up(descent, model), mismatches))
    }
}

/// Options that are not what they were. One that the file does not know came to its optimizer
/// later, and was what it is by default.
fn changed_options(saved: &BTreeMap<String, String>, setup: &Setup) -> Vec<Mismatch> {
    let (now, defaults) = (&setup.options(), &setup.defaults());
    // Version 1 wrote the options of vectors down where they were those of all parameters, too.
    let meant = |option: &&String| now.contains_key(*option) || !option.ends_with(OF_VECTORS);
    let all: BTreeSet<&String> = saved.keys().filter(meant).chain(now.keys()).collect();
    let text = |options: &BTreeMap<String, String>, option: &str| {
        options.get(option).map_or("not there", String::as_str).to_owned()
    };
    let before = |option| saved.get(option).or_else(|| defaults.get(option));
    let changed = all.into_iter().filter(|option| before(*option) != now.get(*option));
    let mismatch = |option: &String| Mismatch::Option {
        option: option.clone(),
        saved: text(saved, option),
        now: text(now, option),
    };
    changed.map(mismatch).collect()
}

/// What of a checkpoint fits a walk and a model, and what does not.
pub(super) struct Found {
    pub(super) position: Position,
    /// Of all that the model records.
    pub(super) values: Values,
    pub(super) mismatches: Vec<Mismatch>,
}

impl Found {
    fn look<M: Module>(
        checkpoint: Checkpoint,
        descent: &Descent,
        model: &M,
    ) -> Result<Self, CheckpointError> {
        let Checkpoint { header, scalars, tensors } = checkpoint;
        let mut mismatches = Vec::new();
        let position = position(&header, descent, &mut mismatches)?;
        // The next step of an optimizer that is not ours would count beyond the largest number.
        let endless = |scalar: &Scalar| matches!(scalar, Scalar::UInt(time) if *time > MOST_TIME);
        let mut times = scalars.iter().filter(|(name, _)| name.ends_with(".time"));
        if let Some((name, _)) = times.find(|(_, time)| endless(time)) {
            return Err(damaged(name));
        }
        let mut source = StateSource::new(scalars);
        let types = tensors.iter().map(|(name, data)| (name.clone(), data.dtype())).collect();
        tensors.into_iter().for_each(|(name, data)| source.insert_tensor(name, data));
        let saved = header.parameters.iter().map(|saved| (saved.path.as_str(), saved)).collect();
        let average = descent.setup.settings.average.as_ref();
        let kept = header.options.get("average").map_or("", String::as_str);
        let mut look = Look {
            descent,
            buffers: buffers(model),
            averaged: average
                .is_some_and(|average| average.goes_on(kept, header.steps))
                .then_some(header.averaged),
            source,
            types,
            saved,
            seen: HashSet::new(),
            found: Found { position, values: Values::default(), mismatches },
        };
        each_parameter(model, &mut look);
        let Look { saved, mut found, .. } = look;
        let mut extra: Vec<&str> = saved.into_keys().collect();
        extra.sort_unstable();
        let extra = extra.into_iter().map(|path| Mismatch::Extra { parameter: path.to_owned() });
        found.mismatches.extend(extra);
        Ok(found)
    }

    /// Adds options that have changed, but not twice what is told already.
    fn add(&mut self, changed: Vec<Mismatch>) {
        let told = self.mismatches.iter().any(|told| matches!(told, Mismatch::Accumulated { .. }));
        let is_told = |mismatch: &Mismatch| matches!(mismatch, Mismatch::Option { option, .. } if told && option == ACCUMULATE);
        self.mismatches.extend(changed.into_iter().filter(|mismatch| !is_told(mismatch)));
    }

    fn take_up_if_whole<M: Module>(
        mut self,
        descent: &mut Descent,
        model: &M,
        changed: Vec<Mismatch>,
    ) -> Result<M, CheckpointError> {
        self.add(changed);
        if self.mismatches.is_empty() {
            Ok(self.take_up(descent, model))
        } else {
            Err(CheckpointError::Misfit(self.mismatches))
        }
    }

    fn take_up<M: Module>(self, descent: &mut Descent, model: &M) -> M {
        descent.at = self.position;
        self.values.put_into(unshared(model))
    }
}

/// More steps than this nobody takes; f64, in which schedules and rules see them, counts no further.
pub(super) const MOST: u64 = 1 << 53;

/// More vectors no search keeps.
const MOST_VECTORS: u64 = 1 << 16;

/// As much as that no clock of an optimizer shows.
const MOST_TIME: u64 = u64::MAX / 2;

fn damaged(what: &str) -> CheckpointError {
    CheckpointError::Damaged(format!("{what} makes no sense"))
}

/// The counters, and nothing by parameter.
fn position(
    header: &Header,
    descent: &Descent,
    mismatches: &mut Vec<Mismatch>,
) -> Result<Position, CheckpointError> {
    if [header.steps, header.skipped, header.averaged].into_iter().any(|count| count > MOST) {
        return Err(damaged("the number of steps"));
    }
    let settings = &descent.setup.settings;
    let mut position = Position::start(&descent.setup);
    position.steps = header.steps;
    position.skipped = header.skipped;

    let weight = header.accumulated_weight;
    let weighed = weight.is_finite() && (weight > 0.0) == (header.accumulated > 0);
    if !weighed {
        return Err(damaged("the number of accumulated micro-batches"));
    }
    if header.accumulated < settings.accumulate {
        (position.accumulator.seen, position.accumulator.weight) = (header.accumulated, weight);
        // None of what has been accumulated where no optimizer needed it: then a step says so.
        let none = if header.accumulated == 0 { 0.0 } else { NO_LOSS };
        position.accumulator.loss = header.accumulated_loss.unwrap_or(none);
    } else {
        mismatches
            .push(Mismatch::Accumulated { held: header.accumulated, now: settings.accumulate });
    }
    if let (Some(scale), Some(options)) = (&header.loss_scale, &settings.loss_scale) {
        if !scale.value.is_finite() || scale.good > MOST {
            return Err(damaged("the scale of the loss"));
        }
        let value = scale.value.clamp(options.min_scale, options.max_scale);
        position.scale = Some(Scale { value, good: scale.good });
    }
    if let (Some(factors), Some(options)) = (&header.mechanic, &settings.mechanic) {
        if !factors.fits(options) {
            return Err(damaged("the factors of Mechanic"));
        }
        position.mechanic = Some(factors.clone());
    }
    if let Some(search) = &header.search {
        if search.vectors.values().any(|count| *count as u64 > MOST_VECTORS) {
            return Err(damaged("the memory of the search"));
        }
        position.search = search.memory(&descent.setup);
    }
    if let (Some(plateau), Some(_)) = (&header.plateau, &settings.plateau) {
        plateau.check().map_err(|error| CheckpointError::Damaged(error.to_string()))?;
        position.plateau = Some(plateau.clone());
    }
    Ok(position)
}
