//! From wishes to a walk that fits a model.

use super::accumulate::Accumulator;
use super::group::{AnyOptimizer, Group, Member, Schedules};
use super::plan::{Line, Plan};
use super::{BuildError, Descent, NotFinite};
use crate::Schedule;
use crate::averaging::{Average, Averages};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::Optimizer;
use burn::tensor::{DType, Shape, Tensor};
use burn_descent_rules::{InvalidOption, Range};
use std::collections::HashMap;
use std::sync::Arc;

/// A walk in the making: see [`Descent::new`].
pub struct Builder {
    groups: Vec<Group>,
    lr: Option<Arc<dyn Schedule>>,
    matrices_only: bool,
    clip_norm: Option<f64>,
    clip_value: Option<f64>,
    not_finite: NotFinite,
    accumulate: u32,
    average: Option<Average>,
}

impl Builder {
    pub(super) fn new(optimizer: impl Optimizer) -> Self {
        Self {
            groups: vec![Group::new("all", ParamGroup::all(), optimizer)],
            lr: None,
            matrices_only: false,
            clip_norm: None,
            clip_value: None,
            not_finite: NotFinite::default(),
            accumulate: 1,
            average: None,
        }
    }

    /// Parameters with an optimizer or schedules of their own.
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// The learning rate, a number or a schedule of the step, of every group that has none.
    pub fn schedule(mut self, lr: impl Schedule) -> Self {
        self.lr = Some(Arc::new(lr));
        self
    }

    /// Weight decay for matrices and what has more dimensions, none for vectors: biases and the
    /// scales of normalisation.
    pub fn decay_matrices_only(mut self) -> Self {
        self.matrices_only = true;
        self
    }

    /// Scales all gradients of a step by one factor, so that the norm of all of them together is
    /// `max_norm` at most (Pascanu et al. 2012, <https://arxiv.org/abs/1211.5063>).
    ///
    /// The factor is folded into the optimizers' pass. On a GPU the step waits for the norm.
    pub fn clip_norm(mut self, max_norm: f64) -> Self {
        self.clip_norm = Some(max_norm);
        self
    }

    /// Clamps every element of the gradients to `[-limit, limit]`, before the norm is taken.
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.clip_value = Some(limit);
        self
    }

    /// What to do when a gradient is not finite. Anything but [`NotFinite::Allow`] reads the norm
    /// of the gradients.
    pub fn not_finite(mut self, policy: NotFinite) -> Self {
        self.not_finite = policy;
        self
    }

    /// A step for every `count` calls: with the mean of their gradients, as of one batch of
    /// `count` times the size.
    pub fn accumulate(mut self, count: u32) -> Self {
        self.accumulate = count;
        self
    }

    /// Averages the weights along the walk; [`Descent::evaluate`] gives the averaged ones.
    pub fn average(mut self, average: impl Into<Average>) -> Self {
        self.average = Some(average.into());
        self
    }

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
        let mut members: HashMap<ParamId, Member> = HashMap::new();
        let mut lines = Vec::new();
        for parameter in &found {
            if let Some(member) = members.get_mut(&parameter.id) {
                member.tied = true;
                continue;
            }
            let matches =
                |group: &Group| group.parameters.matches(&parameter.id, Some(&parameter.path));
            let group = self.groups.iter().rposition(matches).unwrap_or(0);
            let vector = parameter.shape.num_dims() < 2;
            let optimizer = usize::from(self.matrices_only && vector);
            members.insert(parameter.id, Member { group, optimizer, tied: false });
            lines.push(line(parameter, &groups[group], optimizer));
        }
        for (number, group) in self.groups.iter().enumerate().skip(1) {
            if !members.values().any(|member| member.group == number) {
                let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
                let parameters = paths.join(", ");
                return Err(BuildError::EmptyGroup { group: group.name.clone(), parameters });
            }
        }
        Ok(Descent {
            groups,
            members,
            plan: Plan { lines },
            clip_norm: self.clip_norm,
            clip_value: self.clip_value,
            not_finite: self.not_finite,
            accumulator: Accumulator::new(self.accumulate),
            averages: self.average.map(Averages::new),
            states: HashMap::new(),
            steps: 0,
            skipped: 0,
        })
    }

    fn check(&self) -> Result<(), InvalidOption> {
        let bounds = [
            self.clip_norm.map(|norm| Range::Positive.of("clip_norm", norm)),
            self.clip_value.map(|limit| Range::Positive.of("clip_value", limit)),
            Some(Range::Positive.of("accumulate", f64::from(self.accumulate))),
        ];
        bounds.iter().flatten().try_for_each(|bound| bound.check("descent"))?;
        self.average.iter().try_for_each(Average::check)
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
            AnyOptimizer::Foreign(..) if self.matrices_only || !group.options.is_empty() => {
                return Err(BuildError::ForeignDecay(name));
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
    let wide = if parameter.dtype == DType::F64 { 8 } else { 4 };
    Line {
        path: parameter.path.clone(),
        shape: parameter.shape.clone(),
        group: group.name.clone(),
        optimizer: any.name(),
        weight_decay: decay,
        frozen: parameter.frozen,
        state_bytes: states.map(|count| count * wide * parameter.shape.num_elements()),
    }
}

/// Every float parameter as often as the model holds it, in the order of the model.
fn parameters<M: Module>(model: &M) -> Vec<Found> {
    struct Visit {
        path: Vec<String>,
        found: Vec<Found>,
    }
    impl ModuleVisitor for Visit {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            self.found.push(Found {
                id: param.id,
                path: self.path.join("."),
                shape: tensor.shape(),
                dtype: tensor.dtype(),
                frozen: !param.is_require_grad(),
            });
        }
    }
    let mut visit = Visit { path: Vec::new(), found: Vec::new() };
    model.visit(&mut visit);
    visit.found
}
