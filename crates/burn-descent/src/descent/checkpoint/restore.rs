//! From a checkpoint to a walk: all of it is looked at first, then all of it is taken up.

use super::{
    AVERAGE, Checkpoint, CheckpointError, Header, Mismatch, Parameter, SLOW, STATE, SUM, WEIGHTS,
    name,
};
use crate::descent::Descent;
use crate::descent::group::AnyOptimizer;
use crate::descent::loss_scale::Scale;
use crate::descent::param::replace;
use crate::descent::position::Position;
use crate::descent::visit::{Each, Tensors, each_parameter, inner, wide};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{DynState, RecordState, StateSource};
use burn::tensor::{DType, Tensor};
use burn_descent_engine::FusedState;
use std::collections::{BTreeMap, HashMap, HashSet};

impl Checkpoint {
    /// Takes up the walk: `descent` goes on from here, and the model that comes back has the
    /// weights. `descent` must have been built as the one that was saved, for a model of the same
    /// parameters; where they are and how far they have come does not matter.
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] with all that is not the same: parameters, shapes, precisions,
    /// optimizers, options.
    pub fn restore<M: Module>(
        self,
        descent: &mut Descent,
        model: &M,
    ) -> Result<M, CheckpointError> {
        let changed = changed_options(&self.header.options, &descent.setup.options());
        let found = Found::look(self, descent, model)?;
        found.take_up_if_whole(descent, model, changed)
    }

    /// [`restore`](Self::restore) with other options: another learning rate or schedule, another
    /// weight decay, another limit. What a new option needs and was not kept begins anew, such as
    /// an average; what was kept for an option that is not asked for any more is dropped.
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
        let mut mismatches = changed_options(&self.header.options, &descent.setup.options());
        let mut found = Found::look(self, descent, model)?;
        mismatches.append(&mut found.mismatches);
        Ok((found.take_up(descent, model), mismatches))
    }
}

fn changed_options(
    saved: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<Mismatch> {
    let all: std::collections::BTreeSet<&String> = saved.keys().chain(now.keys()).collect();
    let text = |options: &BTreeMap<String, String>, option: &str| {
        options.get(option).map_or("not there", String::as_str).to_owned()
    };
    let changed = all.into_iter().filter(|option| saved.get(*option) != now.get(*option));
    let mismatch = |option: &String| Mismatch::Option {
        option: option.clone(),
        saved: text(saved, option),
        now: text(now, option),
    };
    changed.map(mismatch).collect()
}

/// What of a checkpoint fits a walk and a model, and what does not.
struct Found {
    position: Position,
    weights: Tensors,
    mismatches: Vec<Mismatch>,
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
        let mut source = StateSource::new(scalars);
        let names = tensors.keys().cloned().collect();
        tensors.into_iter().for_each(|(name, data)| source.insert_tensor(name, data));
        let saved = header.parameters.iter().map(|saved| (saved.path.as_str(), saved)).collect();
        let mut look = Look {
            descent,
            source,
            names,
            saved,
            seen: HashSet::new(),
            found: Found { position, weights: Tensors::new(), mismatches },
        };
        each_parameter(model, &mut look);
        let Look { saved, mut found, .. } = look;
        let mut extra: Vec<&str> = saved.into_keys().collect();
        extra.sort_unstable();
        let extra = extra.into_iter().map(|path| Mismatch::Extra { parameter: path.to_owned() });
        found.mismatches.extend(extra);
        Ok(found)
    }

    fn take_up_if_whole<M: Module>(
        mut self,
        descent: &mut Descent,
        model: &M,
        changed: Vec<Mismatch>,
    ) -> Result<M, CheckpointError> {
        self.mismatches.extend(changed);
        if self.mismatches.is_empty() {
            Ok(self.take_up(descent, model))
        } else {
            Err(CheckpointError::Misfit(self.mismatches))
        }
    }

    fn take_up<M: Module>(self, descent: &mut Descent, model: &M) -> M {
        descent.at = self.position;
        model.clone().map(&mut Weights(self.weights))
    }
}

/// The new weights; a parameter that the model holds twice gets them twice.
struct Weights(Tensors);

impl ModuleMapper for Weights {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.get::<D>(param.id) {
            Some(weights) => replace(param, |_| weights),
            None => param,
        }
    }
}

/// The counters, and nothing by parameter.
fn position(
    header: &Header,
    descent: &Descent,
    mismatches: &mut Vec<Mismatch>,
) -> Result<Position, CheckpointError> {
    let damaged = |what: &str| CheckpointError::Damaged(format!("{what} makes no sense"));
    let wishes = &descent.setup.wishes;
    let mut position = Position::start(&descent.setup);
    position.steps = header.steps;
    position.skipped = header.skipped;

    let weight = header.accumulated_weight;
    let weighed = weight.is_finite() && (weight > 0.0) == (header.accumulated > 0);
    if !weighed {
        return Err(damaged("the number of accumulated micro-batches"));
    }
    if header.accumulated < wishes.accumulate {
        (position.accumulator.seen, position.accumulator.weight) = (header.accumulated, weight);
    } else {
        mismatches.push(Mismatch::Option {
            option: "accumulate".into(),
            saved: format!("more than the {} micro-batches it holds", header.accumulated),
            now: wishes.accumulate.to_string(),
        });
    }
    if wishes.average.is_some() {
        position.averages.seen = header.averaged;
    }
    if let (Some(scale), Some(options)) = (&header.loss_scale, &wishes.loss_scale) {
        if !scale.value.is_finite() {
            return Err(damaged("the scale of the loss"));
        }
        let value = scale.value.clamp(options.min_scale, options.max_scale);
        position.scale = Some(Scale { value, good: scale.good });
    }
    if let (Some(plateau), Some(_)) = (&header.plateau, &wishes.plateau) {
        plateau.check().map_err(|error| CheckpointError::Damaged(error.to_string()))?;
        position.plateau = Some(plateau.clone());
    }
    Ok(position)
}

struct Look<'a> {
    descent: &'a Descent,
    source: StateSource,
    /// The tensors of the file.
    names: HashSet<String>,
    /// The parameters of the file that have not been met.
    saved: HashMap<&'a str, &'a Parameter>,
    seen: HashSet<ParamId>,
    found: Found,
}

impl Each for Look<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let id = param.id;
        if !self.seen.insert(id) {
            return;
        }
        let parameter = path.to_owned();
        let setup = &self.descent.setup;
        let Some(member) = setup.members.get(&id) else {
            return self.found.mismatches.push(Mismatch::Unknown { parameter });
        };
        let Some(saved) = self.saved.remove(path) else {
            return self.found.mismatches.push(Mismatch::Missing { parameter });
        };
        let weights = inner(param.val());
        let (shape, dtype) = (weights.shape(), weights.dtype());
        if saved.shape != shape {
            let (saved, expected) = (saved.shape.clone(), shape);
            return self.found.mismatches.push(Mismatch::Shape { parameter, saved, expected });
        }
        if saved.dtype != dtype {
            let (saved, expected) = (saved.dtype, dtype);
            return self.found.mismatches.push(Mismatch::Dtype { parameter, saved, expected });
        }
        let restored = self.tensor(WEIGHTS, path, &weights, dtype);
        match restored {
            Some(restored) => self.found.weights.register(id, restored),
            None => self.refuse(path, WEIGHTS),
        }

        let optimizer = &setup.groups[member.group].optimizers[member.optimizer];
        if saved.optimizer != optimizer.name() {
            let (saved, expected) = (saved.optimizer.clone(), optimizer.name().to_owned());
            self.found.mismatches.push(Mismatch::Optimizer { parameter, saved, expected });
        } else if saved.stepped {
            match state(optimizer, &name(STATE, path), &mut self.source, &weights) {
                Some(state) => drop(self.found.position.states.insert(id, state)),
                None => self.refuse(path, STATE),
            }
        }

        let wishes = &setup.wishes;
        if self.found.position.accumulator.seen > 0 {
            self.part(SUM, path, id, &weights, |position| &mut position.accumulator.sums);
        }
        if wishes.average.is_some() {
            self.part(AVERAGE, path, id, &weights, |position| &mut position.averages.weights);
        }
        if wishes.lookahead.is_some() {
            self.part(SLOW, path, id, &weights, |position| &mut position.slow);
        }
    }
}

impl Look<'_> {
    fn refuse(&mut self, path: &str, part: &'static str) {
        self.found.mismatches.push(Mismatch::Part { parameter: path.to_owned(), part });
    }

    /// A tensor of the file, on the device of the weights; `None` if it is not there, or not as
    /// large and precise as it should be.
    fn tensor<const D: usize>(
        &mut self,
        part: &str,
        path: &str,
        weights: &Tensor<D>,
        dtype: DType,
    ) -> Option<Tensor<D>> {
        let data = self.source.take_tensor("", &name(part, path))?;
        let fits = data.dtype() == dtype && *data.shape() == weights.shape();
        fits.then(|| Tensor::from_data(data, (&weights.device(), dtype)))
    }

    /// What may be kept of a parameter, or not: one that never had a gradient has no average.
    fn part<const D: usize>(
        &mut self,
        part: &'static str,
        path: &str,
        id: ParamId,
        weights: &Tensor<D>,
        of: impl Fn(&mut Position) -> &mut Tensors,
    ) {
        if !self.names.contains(&name(part, path)) {
            return;
        }
        match self.tensor(part, path, weights, wide(weights.dtype())) {
            Some(tensor) => of(&mut self.found.position).register(id, tensor),
            None => self.refuse(path, part),
        }
    }
}

/// The state of one parameter, if it is one of this optimizer's.
fn state<const D: usize>(
    optimizer: &AnyOptimizer,
    prefix: &str,
    source: &mut StateSource,
    weights: &Tensor<D>,
) -> Option<DynState> {
    let device = weights.device();
    match optimizer {
        AnyOptimizer::Ours(fused) => {
            let state = FusedState::<D>::state_unflatten(prefix, source, &device)?;
            fused.fits(&state, weights).then(|| DynState::create(state, D))
        }
        AnyOptimizer::Foreign(foreign, _) => foreign.state_unflatten(D, prefix, source, &device),
    }
}
