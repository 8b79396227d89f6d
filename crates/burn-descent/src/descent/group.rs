//! Parameters that walk alike.

use super::quiet::quietly;
use super::select::{Place as Found, Select};
use crate::Schedule;
use burn::optim::{DynOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use burn_descent_engine::{Fused, Place};
use burn_descent_rules::OptionError;
use core::any::Any;
use std::sync::Arc;

/// A group of parameters: which, by what optimizer, and on what schedules.
///
/// ```
/// use burn::module::ParamGroup;
/// use burn_descent::{Build, Group, Sgd, schedules::Linear};
///
/// let slow = Group::new("embedding", ParamGroup::from_predicate("embedding"), Sgd::new().build()?)
///     .lr(0.01)
///     .option("weight_decay", Linear::new(1e-3, 1000).end(1e-4));
/// # drop(slow);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
pub struct Group {
    pub(super) name: String,
    pub(super) parameters: Select,
    pub(super) optimizer: AnyOptimizer,
    pub(super) lr: Option<Arc<dyn Schedule>>,
    pub(super) options: Vec<(String, Arc<dyn Schedule>)>,
    pub(super) orientation: Option<Orientation>,
    /// 0 where it has none.
    pub(super) heads: u32,
    pub(super) auxiliary: Option<Select>,
}

/// Which dimension of a matrix are its outputs, for optimizers that tell rows from columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// The first, as in a convolution, an embedding, and PyTorch's `Linear`.
    OutputsFirst,
    /// The first are its inputs, as in burn's `Linear` and in a transposed convolution.
    InputsFirst,
}

impl Orientation {
    /// That of a parameter of the innermost of these modules, the outermost first.
    pub(super) fn of(modules: &[String]) -> Self {
        match modules.last().map(String::as_str) {
            Some("Linear" | "ConvTranspose1d" | "ConvTranspose2d" | "ConvTranspose3d") => {
                Self::InputsFirst
            }
            _ => Self::OutputsFirst,
        }
    }
}

impl Group {
    /// A group of the parameters that `parameters` matches: burn's
    /// [`ParamGroup`](burn::module::ParamGroup), or a [`Select`]. Where groups overlap, the last one
    /// added has the parameter.
    pub fn new(
        name: impl Into<String>,
        parameters: impl Into<Select>,
        optimizer: impl Optimizer,
    ) -> Self {
        Self::of(name, parameters.into(), AnyOptimizer::new(optimizer))
    }

    pub(super) fn of(name: impl Into<String>, parameters: Select, optimizer: AnyOptimizer) -> Self {
        let (name, options) = (name.into(), Vec::new());
        let (lr, orientation, auxiliary) = (None, None, None);
        Self { name, parameters, optimizer, lr, options, orientation, heads: 0, auxiliary }
    }

    /// The learning rate, the same at every step. Without one, that of the whole walk.
    pub fn lr(self, lr: f64) -> Self {
        self.schedule(lr)
    }

    /// The learning rate as a schedule of the step. Without one, that of the whole walk.
    pub fn schedule(mut self, lr: impl Schedule) -> Self {
        self.lr = Some(Arc::new(lr));
        self
    }

    /// Which dimension of its matrices are the outputs. Without it, the module that holds a parameter
    /// decides; the [plan](crate::Descent::plan) shows it where it matters.
    pub fn orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = Some(orientation);
        self
    }

    /// How many heads of attention the outputs of its matrices are, one after another: each head is a matrix of its own
    /// for an optimizer that tells rows from columns. Building the walk refuses a matrix whose outputs are no multiple of
    /// it, and optimizers that see no such thing: those of single weights, and those of whole matrices.
    ///
    /// ```
    /// use burn::module::ParamGroup;
    /// use burn_descent::{AdamMini, Build, Group};
    ///
    /// // One second moment for each of the eight heads.
    /// let queries_and_keys = ParamGroup::from_any_predicates(vec!["query.weight", "key.weight"]);
    /// let group = Group::new("heads", queries_and_keys, AdamMini::new().build()?).heads(8);
    /// # drop(group);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn heads(mut self, heads: u32) -> Self {
        self.heads = heads;
        self
    }

    /// The matrices of the group that an optimizer of whole matrices, [`Muon`](crate::Muon) for one, leaves to its
    /// auxiliary rule, beside all vectors. Without it those are the table of each `Embedding`, and the head: the last
    /// `Linear` of a model that has more than one. The [plan](crate::Descent::plan) shows who steps what.
    ///
    /// ```
    /// use burn::module::ParamGroup;
    /// use burn_descent::{Build, Group, Muon, Select};
    ///
    /// // The head of this model is not its last `Linear`.
    /// let head = ParamGroup::from_predicate("classifier");
    /// let group = Group::new("all", Select::all(), Muon::new().build()?).auxiliary(head);
    /// # drop(group);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub fn auxiliary(mut self, parameters: impl Into<Select>) -> Self {
        self.auxiliary = Some(parameters.into());
        self
    }

    /// Is this matrix left to the auxiliary rule of its optimizer, if that has one? `head` is the path of the head of
    /// the model.
    pub(super) fn leaves(&self, place: &Found, head: Option<&str>) -> bool {
        let AnyOptimizer::Ours(fused) = &self.optimizer else { return false };
        let by_kind = || {
            let is_table = place.modules.last().is_some_and(|module| module == "Embedding");
            is_table || head == Some(&*place.path)
        };
        let is_left =
            || self.auxiliary.as_ref().map_or_else(by_kind, |select| select.matches(place));
        fused.has_auxiliary() && is_left()
    }

    /// A schedule for any numeric option of the optimizer, such as `weight_decay`. It must be one
    /// of ours.
    pub fn option(mut self, name: impl Into<String>, schedule: impl Schedule) -> Self {
        self.options.push((name.into(), Arc::new(schedule)));
        self
    }
}

/// One of our optimizers, one that only burn knows, or a search that moves weights itself.
#[derive(Clone)]
pub(super) enum AnyOptimizer {
    Ours(Fused),
    Foreign(Arc<dyn DynOptimizer>, &'static str),
    Search {
        name: &'static str,
        /// How many vectors it keeps at most.
        vectors: usize,
    },
}

impl AnyOptimizer {
    pub(super) fn new<O: Optimizer>(optimizer: O) -> Self {
        match (&optimizer as &dyn Any).downcast_ref::<Fused>() {
            Some(fused) => Self::Ours(fused.clone()),
            None => Self::Foreign(Arc::new(optimizer), short_name::<O>()),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ours(fused) => fused.name(),
            Self::Foreign(_, name) | Self::Search { name, .. } => name,
        }
    }

    /// Is it a search that moves the weights itself?
    pub(super) fn is_search(&self) -> bool {
        matches!(self, Self::Search { .. })
    }

    /// Does a step need the value of the loss?
    pub(super) fn needs_loss(&self) -> bool {
        matches!(self, Self::Ours(fused) if fused.needs_loss())
    }

    /// Does it find its own learning rate?
    pub(super) fn finds_rate(&self) -> bool {
        matches!(self, Self::Ours(fused) if fused.finds_rate())
    }

    /// Does it make something of whole matrices?
    pub(super) fn sees_whole(&self) -> bool {
        matches!(self, Self::Ours(fused) if fused.sees_whole())
    }

    /// Does it descend, and is it evaluated at the weights that it trains?
    pub(super) fn suits_mechanic(&self) -> bool {
        !matches!(self, Self::Ours(fused) if fused.evaluates_elsewhere() || fused.maximizes())
    }

    /// Can it step a parameter alone, as far as one can know before a step?
    pub(super) fn steps_alone(&self) -> bool {
        !matches!(self, Self::Ours(fused) if !fused.steps_alone())
    }

    /// Why it cannot step tensors of a rank, if so. Ours step all of them; others are tried on a
    /// small one, because burn's trait has no question for it.
    pub(super) fn refuses<const D: usize>(&self, device: &Device) -> Option<String> {
        let Self::Foreign(optimizer, _) = self else { return None };
        let zeros = || Tensor::<D>::zeros([2; D], device).into_bridge();
        let step = || optimizer.step_dyn(D, 0.0, zeros(), zeros(), None);
        quietly(step).err()
    }
}

/// `burn_optim::optim::adam::Adam` is `Adam`.
fn short_name<T>() -> &'static str {
    let name = core::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

/// What a group follows from step to step.
#[derive(Clone)]
pub(super) struct Schedules {
    pub(super) name: String,
    pub(super) lr: Arc<dyn Schedule>,
    pub(super) options: Vec<(String, Arc<dyn Schedule>)>,
    /// The group's optimizers: for all its parameters, or, where only matrices decay, for its matrices
    /// and for the rest of them.
    pub(super) optimizers: Vec<AnyOptimizer>,
}

impl Schedules {
    /// An optimizer of the group with its scheduled options at a step, from 0. Where weight decay is
    /// switched off, its schedule does not switch it on.
    pub(super) fn at(&self, number: usize, fused: &Fused, step: u64) -> Result<Fused, OptionError> {
        let decay = |name: &str| fused.weight_decays().iter().any(|decay| decay == name);
        let scheduled =
            self.options.iter().map(|(name, schedule)| (name.as_str(), schedule.at(step)));
        let kept = scheduled.filter(|(name, _)| number == 0 || !decay(name));
        fused.set(&kept.collect::<Vec<_>>())
    }
}

/// Where a parameter belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) group: usize,
    /// Number of its optimizer in the group.
    pub(super) optimizer: usize,
    /// Its number in the model, which tells its random numbers from those of others, and its
    /// orientation.
    pub(super) place: Place,
}
