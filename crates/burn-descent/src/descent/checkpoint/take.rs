//! From a walk to a checkpoint.

use super::{
    ACCUMULATE, AVERAGE, Checkpoint, CheckpointError, Header, Mismatch, OF_VECTORS, Parameter,
    SLOW, START, STATE, SUM, SavedScale, SavedSearch, WEIGHTS, in_memory, name, portable,
};
use crate::averaging::MECHANIC;
use crate::descent::apply::State;
use crate::descent::buffers::buffers;
use crate::descent::frozen::Frozen;
use crate::descent::group::{AnyOptimizer, Schedules};
use crate::descent::visit::{Each, Tensors, each_parameter, inner};
use crate::descent::{Descent, Setup};
use burn::module::{Module, Param, ParamId};
use burn::optim::StateSink;
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Int, Tensor};
use burn_descent_engine::{Fused, Store};
use std::collections::{BTreeMap, HashSet};

impl Descent {
    /// All of the walk at this moment, and all that the model records. Running statistics are as
    /// the latest forward left them.
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] if the walk was not built for this model: a checkpoint of it
    /// would lack what the optimizers remember; or if a parameter that is trained has a frozen copy in
    /// the model with its id. [`CheckpointError::BrokenOff`] after a panic inside of
    /// a step.
    pub fn checkpoint<M: Module>(&self, model: &M) -> Result<Checkpoint, CheckpointError> {
        if self.at.under_way {
            return Err(CheckpointError::BrokenOff);
        }
        let mut take = Take {
            descent: self,
            buffers: buffers(model),
            seen: HashSet::new(),
            parameters: Vec::new(),
            sink: StateSink::default(),
            mismatches: Vec::new(),
        };
        let copies = Frozen::of(model).copies.into_iter();
        take.mismatches.extend(copies.map(|parameter| Mismatch::FrozenCopy { parameter }));
        // Settles the running statistics.
        each_parameter(&model.valid(), &mut take);
        take.mismatches.extend(take.lost());
        if !take.mismatches.is_empty() {
            return Err(CheckpointError::Misfit(take.mismatches));
        }
        // A GPU is read when data is first looked at; the next step may have changed the tensor by then.
        for (_, data) in &take.sink.tensors {
            let _ = data.bytes().first();
        }
        let at = &self.at;
        let header = Header {
            parameters: take.parameters,
            options: self.setup.options(),
            steps: at.steps,
            skipped: at.skipped,
            accumulated: at.accumulator.seen,
            accumulated_weight: at.accumulator.weight,
            accumulated_loss: Some(at.accumulator.loss).filter(|loss| loss.is_finite()),
            averaged: at.averages.seen.values().copied().max().unwrap_or(0),
            loss_scale: at.scale.as_ref().map(|s| SavedScale { value: s.value, good: s.good }),
            plateau: at.plateau.clone(),
            mechanic: at.mechanic.clone(),
            search: SavedSearch::of(&self.setup, &at.search),
            notes: BTreeMap::new(),
        };
        Ok(Checkpoint {
            header,
            scalars: take.sink.scalars.into_iter().collect(),
            tensors: take.sink.tensors.into_iter().collect(),
        })
    }
}

struct Take<'a> {
    descent: &'a Descent,
    buffers: HashSet<ParamId>,
    seen: HashSet<ParamId>,
    parameters: Vec<Parameter>,
    sink: StateSink,
    mismatches: Vec<Mismatch>,
}

/// What the walk knows of a value; nothing of a buffer, integers and booleans.
#[derive(Default)]
struct Walked {
    optimizer: Option<String>,
    stepped: bool,
    averaged: Option<u64>,
}

impl Take<'_> {
    /// A value of the model, with what the walk knows of it.
    fn value<const D: usize, K: Basic>(
        &mut self,
        path: &str,
        value: &Tensor<D, K>,
        walked: Walked,
    ) {
        let data = portable(value.to_data());
        self.parameters.push(Parameter {
            path: path.to_owned(),
            shape: data.shape().clone(),
            dtype: data.dtype(),
            optimizer: walked.optimizer,
            stepped: walked.stepped,
            averaged: walked.averaged,
        });
        self.sink.tensors.push((name(WEIGHTS, path), data));
    }

    fn part<const D: usize>(&mut self, part: &str, path: &str, tensor: Option<Tensor<D>>) {
        if let Some(tensor) = tensor {
            self.sink.tensors.push((name(part, path), tensor.to_data()));
        }
    }

    /// What the walk was built for and the model does not have.
    fn lost(&self) -> Vec<Mismatch> {
        let Setup { members, plan, .. } = &*self.descent.setup;
        // A parameter's stream is its place in the plan.
        let lost = members.iter().filter(|(id, _)| !self.seen.contains(id));
        let mut lost: Vec<_> = lost.map(|(_, member)| member.place.stream as usize).collect();
        lost.sort_unstable();
        let lines = lost.into_iter().filter_map(|place| plan.lines.get(place));
        lines.map(|line| Mismatch::Extra { parameter: line.path.clone() }).collect()
    }
}

impl Each for Take<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let id = param.id;
        if !self.seen.insert(id) {
            return;
        }
        let weights = inner(param.val());
        if self.buffers.contains(&id) {
            return self.value(path, &weights, Walked::default());
        }
        let Descent { setup, at } = self.descent;
        let Some(member) = setup.members.get(&id) else {
            return self.mismatches.push(Mismatch::Unknown { parameter: path.to_owned() });
        };
        let optimizer = &setup.groups[member.group].optimizers[member.optimizer];
        let state = at.states.get(&id);
        let walked = Walked {
            optimizer: Some(optimizer.name().to_owned()),
            stepped: state.is_some(),
            averaged: Some(at.averages.seen.get(&id).copied().unwrap_or(0)),
        };
        self.value(path, &weights, walked);
        let prefix = name(STATE, path);
        match (optimizer, state) {
            (AnyOptimizer::Ours(fused), Some(State::Ours(state))) => {
                fused.flatten_state(state, &weights, &prefix, &mut self.sink);
            }
            (AnyOptimizer::Foreign(foreign, _), Some(State::Foreign(state, ..))) => {
                foreign.state_flatten(&prefix, state, &mut self.sink);
            }
            _ => {}
        }
        let kept = |tensors: &Tensors| tensors.get::<D>(id);
        self.part(SUM, path, kept(&at.accumulator.sums));
        self.part(AVERAGE, path, kept(&at.averages.weights));
        self.part(SLOW, path, kept(&at.slow));
        self.part(START, path, kept(&at.starts));
        for (list, vectors) in &at.search.vectors {
            for (place, vector) in vectors.iter().enumerate() {
                let part = vector.part(member.place.stream).cloned();
                let part = part
                    .filter(|part| part.shape().num_elements() == weights.shape().num_elements());
                let part = part.map(|part| part.reshape::<D, _>(weights.shape()));
                self.part(&in_memory(list, place), path, part);
            }
        }
    }

    fn each_int<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D, Int>>) {
        if self.seen.insert(param.id) {
            self.value(path, &param.val(), Walked::default());
        }
    }

    fn each_bool<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D, Bool>>) {
        if self.seen.insert(param.id) {
            self.value(path, &param.val(), Walked::default());
        }
    }
}

impl Setup {
    /// Every option by a name that says where it is, as text.
    pub(super) fn options(&self) -> BTreeMap<String, String> {
        let mut options = BTreeMap::new();
        for group in &self.groups {
            group_options(group, &mut options);
        }
        let w = &self.settings;
        let around = [
            ("transform", format!("{:?}", w.transforms)),
            ("clip_norm", format!("{:?}", w.clip_norm)),
            ("not_finite", format!("{:?}", w.not_finite)),
            (ACCUMULATE, format!("{:?}", w.accumulate)),
            ("average", format!("{:?}", w.average)),
            ("lookahead", format!("{:?}", w.lookahead)),
            ("loss_scale", format!("{:?}", w.loss_scale)),
            ("reduce_on_plateau", format!("{:?}", w.plateau)),
            // By the name that it had in earlier versions.
            ("probe", format!("{:?}", w.search)),
        ];
        options.extend(around.map(|(option, value)| (option.to_owned(), value)));
        // Not in what earlier versions have written.
        let mechanic = w.mechanic.as_ref().map(|mechanic| format!("{mechanic:?}"));
        options.extend(mechanic.map(|value| (MECHANIC.to_owned(), value)));
        if w.keep_average != Store::F32 {
            options.insert("keep_average".to_owned(), w.keep_average.to_string());
        }
        options
    }

    /// What our optimizers' options are by default.
    pub(super) fn defaults(&self) -> BTreeMap<String, String> {
        let defaults = |fused: &Fused| fused.defaults().to_vec();
        self.groups.iter().flat_map(|group| own_options(group, defaults)).collect()
    }
}

fn group_options(group: &Schedules, options: &mut BTreeMap<String, String>) {
    let mut add = |option: &str, value: String| {
        options.insert(format!("group `{}`: {option}", group.name), value);
    };
    add("lr", format!("{:?}", group.lr));
    for (option, schedule) in &group.options {
        add(&format!("schedule of {option}"), format!("{schedule:?}"));
    }
    let own = |fused: &Fused| [fused.options(), &fused.kept()].concat();
    options.extend(own_options(group, own));
}

/// What `of` tells of the options of a group's optimizers, by the name that says where they are.
fn own_options(
    group: &Schedules,
    of: impl Fn(&Fused) -> Vec<(String, String)>,
) -> impl Iterator<Item = (String, String)> {
    group.optimizers.iter().enumerate().flat_map(move |(number, optimizer)| {
        let where_to = if number == 0 { "" } else { OF_VECTORS };
        let options = match optimizer {
            AnyOptimizer::Ours(fused) => of(fused),
            AnyOptimizer::Foreign(..) | AnyOptimizer::Search { .. } => Vec::new(),
        };
        options.into_iter().map(move |(option, value)| {
            (format!("group `{}`: {option}{where_to}", group.name), value)
        })
    })
}
