//! From what is asked of a walk to a walk that fits a model.

use super::buffers::buffers;
use super::group::{AnyOptimizer, Group, Member, Orientation, Schedules};
use super::plan::{Line, Plan};
use super::position::Position;
use super::select::Place;
use super::transform::Transform;
use super::visit::{ByParameter, Each, Path, compute_dtype, each_parameter, inner};
use super::{BuildError, Builder, Descent, Setup};
use crate::Schedule;
use crate::averaging::MECHANIC;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Shape, Tensor};
use burn_descent_engine as engine;
use burn_descent_rules::{InvalidOption, OptionError, View};
use std::collections::HashSet;
use std::sync::Arc;

impl Builder {
    /// Fits the walk to a model.
    ///
    /// # Errors
    /// An option out of its range, or with which an update in the precision of a parameter does not stay
    /// finite; a group that matches nothing; a group without a learning rate.
    pub fn build<M: Module>(self, model: &M) -> Result<Descent, BuildError> {
        self.check()?;
        let mut groups = Vec::new();
        for group in &self.groups {
            groups.push(self.schedules(group)?);
        }
        if self.settings.search.as_ref().is_some_and(|search| search.asks_ahead()) {
            let ahead = |group: &&Group| !group.optimizer.steps_alone();
            if let Some(group) = self.groups.iter().find(ahead) {
                let (group, optimizer) = (group.name.clone(), group.optimizer.name());
                return Err(BuildError::Ahead { group, optimizer });
            }
        }
        self.check_moves()?;
        let is_other = |group: &&Group| !group.optimizer.suits_mechanic();
        if let (Some(_), Some(group)) = (&self.settings.mechanic, self.groups.iter().find(is_other))
        {
            let allowed =
                "around optimizers that descend, and are evaluated at the weights that they train";
            return Err(BuildError::from(InvalidOption {
                owner: "descent",
                option: MECHANIC.into(),
                value: group.optimizer.name().to_owned(),
                allowed: allowed.into(),
            }));
        }
        let ours = |any: &AnyOptimizer| match any {
            AnyOptimizer::Ours(fused) => !fused.weight_decays().is_empty(),
            AnyOptimizer::Foreign(..) | AnyOptimizer::Search { .. } => false,
        };
        if self.matrices_only && !self.groups.iter().any(|group| ours(&group.optimizer)) {
            return Err(BuildError::NoDecay);
        }
        let found = parameters(model);
        if found.is_empty() {
            return Err(BuildError::NoParameter);
        }
        let head = head(&found);
        let mut members = ByParameter::<Member>::default();
        let mut lines = Vec::new();
        for parameter in &found {
            let id = parameter.place.id;
            if members.contains_key(&id) {
                continue;
            }
            let matches = |group: &Group| group.parameters.matches(&parameter.place);
            let group = self.groups.iter().rposition(matches).unwrap_or(0);
            let optimizer = usize::from(self.matrices_only && parameter.place.rank < 2);
            let orientation = self.groups[group].orientation;
            let orientation =
                orientation.unwrap_or_else(|| Orientation::of(&parameter.place.modules));
            let by_columns = orientation == Orientation::InputsFirst;
            let place = engine::Place {
                stream: members.len() as u32,
                by_columns,
                heads: self.groups[group].heads,
                is_auxiliary: self.groups[group].leaves(&parameter.place, head.as_deref()),
            };
            members.insert(id, Member { group, optimizer, place });
            groups[group].check_in(optimizer, parameter.dtype)?;
            let mut line = line(parameter, &groups[group], optimizer, place);
            check_heads(&line, place)?;
            if !line.buffer && self.settings.transforms.iter().any(Transform::sees_outputs) {
                line.view.get_or_insert_with(|| View::of(line.shape.as_slice(), by_columns));
            }
            lines.push(line);
        }
        for (number, group) in self.groups.iter().enumerate().skip(1) {
            if !members.values().any(|member| member.group == number) {
                let parameters: Vec<String> = found.iter().map(Found::described).collect();
                let parameters = parameters.join(", ");
                return Err(BuildError::EmptyGroup { group: group.name.clone(), parameters });
            }
        }
        let mut trial =
            Trial { groups: &groups, members: &members, tried: HashSet::new(), refused: None };
        each_parameter(model, &mut trial);
        if let Some(refused) = trial.refused {
            return Err(refused);
        }
        let plan = Plan::new(lines, &self.settings);
        let any = |is: fn(&AnyOptimizer) -> bool| {
            groups.iter().flat_map(|group| &group.optimizers).any(is)
        };
        let setup = Arc::new(Setup {
            needs_loss: any(AnyOptimizer::needs_loss),
            finds_rates: any(AnyOptimizer::finds_rate),
            sees_whole: any(AnyOptimizer::sees_whole),
            moves: any(AnyOptimizer::is_search),
            groups,
            members,
            plan,
            settings: self.settings,
        });
        Ok(Descent { at: Position::start(&setup), setup })
    }

    /// Does nothing stand around a search that moves the weights itself which is meant for gradients and
    /// steps of optimizers?
    fn check_moves(&self) -> Result<(), BuildError> {
        let around = &self.settings;
        let asked = [
            ("transform", !around.transforms.is_empty()),
            ("clip_norm", around.clip_norm.is_some()),
            ("accumulate", around.accumulate > 1),
            ("lookahead", around.lookahead.is_some()),
            (MECHANIC, around.mechanic.is_some()),
            ("loss_scale", around.loss_scale.is_some()),
        ];
        let search = self.groups.iter().find(|group| group.optimizer.is_search());
        let asked = asked.into_iter().find(|(_, is_asked)| *is_asked);
        let (Some(search), Some((option, _))) = (search, asked) else { return Ok(()) };
        Err(BuildError::from(InvalidOption {
            owner: "descent",
            option: option.into(),
            value: search.optimizer.name().to_owned(),
            allowed: "left out where a search moves the weights itself".into(),
        }))
    }

    fn schedules(&self, group: &Group) -> Result<Schedules, BuildError> {
        let name = group.name.clone();
        let lr = group.lr.clone().or_else(|| self.lr.clone());
        let of_search = || group.optimizer.is_search().then(|| Arc::new(1.0) as Arc<dyn Schedule>);
        let lr = lr.or_else(of_search);
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
                if self.matrices_only {
                    let none: Vec<_> =
                        fused.weight_decays().iter().map(|option| (option.as_str(), "0")).collect();
                    optimizers.push(AnyOptimizer::Ours(fused.with(&none).map_err(refuse)?));
                }
            }
            AnyOptimizer::Foreign(..) if self.matrices_only => {
                return Err(BuildError::ForeignDecay(name));
            }
            AnyOptimizer::Foreign(..) if !group.options.is_empty() => {
                return Err(BuildError::ForeignOption(name));
            }
            AnyOptimizer::Foreign(..) => {}
            // Twice, for vectors are asked for the second one where only matrices decay.
            search @ AnyOptimizer::Search { .. } => optimizers.push(search.clone()),
        }
        Ok(Schedules { name, lr, options: group.options.clone(), optimizers })
    }
}

impl Schedules {
    /// Does an update of one of its optimizers, as it begins, stay finite in this precision?
    fn check_in(&self, number: usize, dtype: DType) -> Result<(), BuildError> {
        let AnyOptimizer::Ours(fused) = &self.optimizers[number] else { return Ok(()) };
        let checked = || -> Result<(), OptionError> {
            if self.options.is_empty() {
                return Ok(fused.check_in(dtype)?);
            }
            Ok(self.at(number, fused, 0)?.check_in(dtype)?)
        };
        checked().map_err(|error| BuildError::Optimizer { group: self.name.clone(), error })
    }
}

/// A parameter of the model.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) shape: Shape,
    dtype: DType,
    frozen: bool,
    pub(super) buffer: bool,
}

impl Found {
    /// All by which it can be selected: `norm.gamma (rank 1, in Model, LayerNorm)`.
    pub(super) fn described(&self) -> String {
        let Place { path, rank, modules, .. } = &self.place;
        format!("{path} (rank {rank}, in {})", modules.join(", "))
    }
}

fn line(parameter: &Found, group: &Schedules, optimizer: usize, place: engine::Place) -> Line {
    let any = &group.optimizers[optimizer];
    let look = match any {
        AnyOptimizer::Ours(fused) => Some(fused.look(&parameter.shape, parameter.dtype, place)),
        AnyOptimizer::Foreign(..) | AnyOptimizer::Search { .. } => None,
    };
    let mut line = Line {
        path: parameter.place.path.clone(),
        shape: parameter.shape.clone(),
        dtype: parameter.dtype,
        group: group.name.clone(),
        optimizer: look.map_or(any.name(), |look| look.optimizer),
        weight_decay: look.and_then(|look| look.weight_decay),
        frozen: parameter.frozen,
        buffer: parameter.buffer,
        view: look.and_then(|look| look.view),
        state_bytes: None,
    };
    if line.buffer {
        let (group, optimizer) = ("-".into(), "-");
        return Line { group, optimizer, weight_decay: None, view: None, ..line };
    }
    line.state_bytes = match any {
        AnyOptimizer::Search { vectors, .. } => {
            Some(vectors.saturating_mul(line.bytes_in(compute_dtype(line.dtype))))
        }
        _ => look.map(|look| look.bytes),
    };
    line
}

/// Is a matrix of a group with heads seen as so many?
fn check_heads(line: &Line, place: engine::Place) -> Result<(), BuildError> {
    let engine::Place { heads, by_columns, .. } = place;
    let is_seen = line.view.is_some_and(|view| view.matrices == heads as usize);
    if heads == 0 || line.shape.rank() < 2 || line.buffer || is_seen {
        return Ok(());
    }
    let whole = View::of(line.shape.as_slice(), by_columns);
    let reason = match whole.heads(heads as usize) {
        None => format!("it has {} outputs", whole.rows),
        Some(_) => format!("{} does not look at the rows of one matrix", line.optimizer),
    };
    let (group, parameter) = (line.group.clone(), line.path.clone());
    Err(BuildError::Heads { group, parameter, heads, reason })
}

/// The path of the weights of the last `Linear` of a model that has more than one: its head.
fn head(found: &[Found]) -> Option<String> {
    let linear = |parameter: &&Found| {
        parameter.place.rank == 2
            && parameter.place.modules.last().is_some_and(|module| module == "Linear")
    };
    let mut all = found.iter().filter(linear).map(|parameter| &parameter.place.path);
    all.next()?;
    all.next_back().cloned()
}

/// Every float parameter as often as the model holds it, in the order of the model.
pub(super) fn parameters<M: Module>(model: &M) -> Vec<Found> {
    let mut find = Find { buffers: buffers(model), ..Find::default() };
    model.visit(&mut find);
    find.found
}

#[derive(Default)]
struct Find {
    path: Path,
    /// The types of the modules around.
    modules: Vec<String>,
    buffers: HashSet<ParamId>,
    found: Vec<Found>,
}

impl ModuleVisitor for Find {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name);
        // `Struct:Linear`, `Enum:Activation`, `Vec`.
        let module = container_type.split_once(':').map_or(container_type, |(_, name)| name);
        self.modules.push(module.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
        self.modules.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = inner(param.val());
        let path = self.path.as_str().to_owned();
        self.found.push(Found {
            place: Place { id: param.id, path, rank: D, modules: self.modules.clone() },
            shape: tensor.shape(),
            dtype: tensor.dtype(),
            frozen: !param.is_require_grad(),
            buffer: self.buffers.contains(&param.id),
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
