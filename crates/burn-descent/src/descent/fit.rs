//! From what is asked of a walk to a walk that fits a model.

use super::buffers::buffers;
use super::group::{AnyOptimizer, Group, Member, Schedules};
use super::plan::{Line, Plan};
use super::position::Position;
use super::visit::{ByParameter, Each, compute_dtype, each_parameter, inner};
use super::{BuildError, Builder, Descent, Setup};
use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Shape, Tensor};
use std::collections::HashSet;
use std::sync::Arc;

impl Builder {
    /// Fits the walk to a model.
    ///
    /// # Errors
    /// An option out of its range, a group that matches nothing, a group without a learning rate.
    pub fn build<M: Module>(self, model: &M) -> Result<Descent, BuildError> {
        self.check()?;
        let mut groups = Vec::new();
        for group in &self.groups {
            groups.push(self.schedules(group)?);
        }
        let found = parameters(model);
        if found.is_empty() {
            return Err(BuildError::NoParameter);
        }
        let mut members = ByParameter::<Member>::default();
        let mut lines = Vec::new();
        for parameter in &found {
            if members.contains_key(&parameter.id) {
                continue;
            }
            let matches =
                |group: &Group| group.parameters.matches(&parameter.id, Some(&parameter.path));
            let group = self.groups.iter().rposition(matches).unwrap_or(0);
            let rank = parameter.shape.num_dims();
            let optimizer = usize::from(self.matrices_only && rank < 2);
            let stream = members.len() as u32;
            members.insert(parameter.id, Member { group, optimizer, stream });
            lines.push(line(parameter, &groups[group], optimizer));
        }
        for (number, group) in self.groups.iter().enumerate().skip(1) {
            if !members.values().any(|member| member.group == number) {
                let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
                let parameters = paths.join(", ");
                return Err(BuildError::EmptyGroup { group: group.name.clone(), parameters });
            }
        }
        let mut trial =
            Trial { groups: &groups, members: &members, tried: HashSet::new(), refused: None };
        each_parameter(model, &mut trial);
        if let Some(refused) = trial.refused {
            return Err(refused);
        }
        let plan = Plan::new(lines, &self.wishes);
        let setup = Arc::new(Setup { groups, members, plan, wishes: self.wishes });
        Ok(Descent { at: Position::start(&setup), setup })
    }

    fn schedules(&self, group: &Group) -> Result<Schedules, BuildError> {
        let name = group.name.clone();
        let lr = group.lr.clone().or_else(|| self.lr.clone());
        let lr = lr.ok_or_else(|| BuildError::NoLearningRate(name.clone()))?;
        lr.check()?;
        let mut optimizers = vec![group.optimizer.clone()];
        match &group.optimizer {
            AnyOptimizer::Ours(fused) => {
                let refuse = |error| BuildError::Optimizer { group: name.clone(), error };
                for (option, schedule) in &group.options {
                    schedule.check()?;
                    fused.with(&[(option, &schedule.at(0).to_string())]).map_err(refuse)?;
                }
                let decays = fused.options().iter().any(|(option, _)| option == DECAY);
                let plain = if decays {
                    fused.with(&[(DECAY, "0")]).map_err(refuse)?
                } else {
                    fused.clone()
                };
                optimizers.push(AnyOptimizer::Ours(plain));
            }
            AnyOptimizer::Foreign(..) if self.matrices_only => {
                return Err(BuildError::ForeignDecay(name));
            }
            AnyOptimizer::Foreign(..) if !group.options.is_empty() => {
                return Err(BuildError::ForeignOption(name));
            }
            AnyOptimizer::Foreign(..) => {}
        }
        Ok(Schedules { name, lr, options: group.options.clone(), optimizers })
    }
}

/// The option that `decay_matrices_only` switches off.
pub(super) const DECAY: &str = "weight_decay";

/// A parameter of the model.
struct Found {
    id: ParamId,
    path: String,
    shape: Shape,
    dtype: DType,
    frozen: bool,
    buffer: bool,
}

fn line(parameter: &Found, group: &Schedules, optimizer: usize) -> Line {
    let any = &group.optimizers[optimizer];
    let (decay, states) = match any {
        AnyOptimizer::Ours(fused) => {
            let options = fused.options();
            let decay = options.iter().find(|(option, _)| option == DECAY);
            (decay.and_then(|(_, value)| value.parse().ok()), Some(fused.state_names().len()))
        }
        AnyOptimizer::Foreign(..) => (None, None),
    };
    let mut line = Line {
        path: parameter.path.clone(),
        shape: parameter.shape.clone(),
        dtype: parameter.dtype,
        group: group.name.clone(),
        optimizer: any.name(),
        weight_decay: decay,
        frozen: parameter.frozen,
        buffer: parameter.buffer,
        state_bytes: None,
    };
    if line.buffer {
        return Line { group: "-".into(), optimizer: "-", weight_decay: None, ..line };
    }
    line.state_bytes = states.map(|count| count * line.bytes_in(compute_dtype(line.dtype)));
    line
}

/// Every float parameter as often as the model holds it, in the order of the model.
fn parameters<M: Module>(model: &M) -> Vec<Found> {
    let mut found = Vec::new();
    each_parameter(model, &mut found);
    let buffers = buffers(model);
    for parameter in &mut found {
        parameter.buffer = buffers.contains(&parameter.id);
    }
    found
}

impl Each for Vec<Found> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let tensor = inner(param.val());
        self.push(Found {
            id: param.id,
            path: path.to_owned(),
            shape: tensor.shape(),
            dtype: tensor.dtype(),
            frozen: !param.is_require_grad(),
            buffer: false,
        });
    }
}

/// Finds the first parameter that its optimizer cannot step.
struct Trial<'a> {
    groups: &'a [Schedules],
    members: &'a ByParameter<Member>,
    /// Groups with the ranks that have been tried.
    tried: HashSet<(usize, usize)>,
    refused: Option<BuildError>,
}

impl Each for Trial<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let Some(member) = self.members.get(&param.id) else { return };
        if self.refused.is_some()
            || !param.is_require_grad()
            || !self.tried.insert((member.group, D))
        {
            return;
        }
        let group = &self.groups[member.group];
        let device = inner(param.val()).device();
        self.refused = group.optimizers[member.optimizer].refuses::<D>(&device).map(|reason| {
            BuildError::Shape { group: group.name.clone(), parameter: path.to_owned(), reason }
        });
    }
}
