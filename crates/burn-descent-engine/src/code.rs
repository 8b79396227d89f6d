//! A rule with its type and its options forgotten: what the engines run.

use crate::Place;
use burn::tensor::Shape;
use burn_descent_rules::{
    Fields, Graph, InvalidOption, Node, Options, Role, Rule, Stages, Traced, View, to_pairs,
};
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::AllPasses;
#[cfg(any(feature = "flex", feature = "ndarray"))]
use burn_descent_rules::{
    Presence,
    forms::{RuleVisitor, choose},
};

/// How many states a rule may have of which there is one number for each element.
pub const MAX_STATES: usize = 5;

/// How many it may have of which there is one number for a row, a column or what is coarser.
const MAX_COARSE: usize = 4;

/// How many states it may have in all.
pub const MAX_LANES: usize = 8;

/// The name of the memory that tells the random numbers of a parameter from those of others.
const STREAM: &str = "noise stream";

/// A rule in one of its forms: which optional states and scalars there are. Its options are values, which
/// change from step to step; this does not.
pub(crate) struct Code {
    pub(crate) name: &'static str,
    /// The names of the states.
    pub(crate) states: Vec<&'static str>,
    /// Tells the states of this rule from those of another.
    pub(crate) fingerprint: u64,
    /// The names of what is remembered once for a parameter: the rule's memory, and the stream of its noise, if
    /// it has some.
    pub(crate) memory: Vec<&'static str>,
    /// How many scalars the rule has.
    pub(crate) lanes: usize,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) passes: AllPasses,
    /// What the options are by default.
    pub(crate) defaults: Vec<(String, String)>,
    /// Does a step need the value of the loss?
    pub(crate) needs_loss: bool,
    /// The lane of the state by which the rule finds its learning rate.
    pub(crate) estimate: Option<usize>,
    /// The options that are a weight decay.
    pub(crate) decays: Vec<String>,
    /// How the rule sees a tensor of this shape.
    view: fn(&[usize], bool) -> View,
    /// The update, its sums inside.
    pub(crate) update: Arc<Graph>,
    /// The same, stage by stage.
    pub(crate) stages: Stages,
    /// [`Stages::sees_matrices`], which reads all of the graphs: each step asks.
    sees_matrices: bool,
    /// May the rule ask for [whole](Rule::whole) matrices, in any of its forms? It has no passes then, and steps by tensor
    /// operations.
    pub(crate) sees_whole: bool,
    /// The stages as kernels run them, if they can.
    #[cfg(feature = "cube")]
    pub(crate) kernels: Option<crate::cube::Kernels>,
    pub(crate) evaluate: Arc<Graph>,
    /// The scalars that it reads, lane by lane.
    pub(crate) evaluate_reads: Vec<usize>,
    /// The rule's type: what of the model one of its parameters sees is that of all others.
    pub(crate) family: TypeId,
}

/// The forms of a rule that have been compiled, by the presence of its optional states and of its optional scalars.
pub(crate) type Forms = Arc<Mutex<HashMap<[u32; 2], Arc<Code>>>>;

impl Code {
    /// The code of a rule with these options; compiled, if it is the first of its form.
    pub(crate) fn of<U: Rule>(rule: &U, forms: &Forms) -> Result<Arc<Self>, InvalidOption> {
        let form = [rule.start().presence(), rule.scalars(1.0, 1).presence()];
        let of_form = || forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = of_form().get(&form) {
            return Ok(code.clone());
        }
        let code = Self::new(Traced::of(rule), Typed::of(rule))?;
        Ok(of_form().entry(form).or_insert(Arc::new(code)).clone())
    }

    fn new(rule: Traced, typed: Typed) -> Result<Self, InvalidOption> {
        let stages = Stages::of_traced(&rule)?;
        let coarse = stages.coarse().count();
        for (count, most, option) in [
            (stages.states.len() - coarse, MAX_STATES, "states"),
            (coarse, MAX_COARSE, "states of rows, columns and what is coarser"),
            (stages.states.len(), MAX_LANES, "states in all"),
        ] {
            if count > most {
                return Err(InvalidOption {
                    owner: rule.name,
                    option: option.into(),
                    value: count.to_string(),
                    allowed: format!("{most} at most"),
                });
            }
        }
        let states: Vec<_> = rule.states.iter().map(|(name, ..)| *name).collect();
        let is_estimate = |name| states.iter().position(|state| *state == name);
        let memory: Vec<_> = rule.memory.into_iter().chain(rule.seed.map(|_| STREAM)).collect();
        Ok(Self {
            name: rule.name,
            fingerprint: fingerprint(rule.name, states.iter().chain(&memory)),
            estimate: typed.estimate.and_then(is_estimate),
            states,
            memory,
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            passes: typed.passes,
            #[cfg(feature = "cube")]
            kernels: crate::cube::Kernels::of(&stages, rule.scalars.len() + 1),
            sees_matrices: stages.sees_matrices(),
            sees_whole: rule.wholes > 0,
            stages,
            update: Arc::new(rule.update),
            lanes: rule.scalars.len(),
            evaluate_reads: scalars_of(&rule.evaluate),
            evaluate: Arc::new(rule.evaluate),
            defaults: typed.defaults,
            needs_loss: typed.needs_loss,
            decays: typed.decays,
            view: typed.view,
            family: typed.family,
        })
    }

    /// The kernels that take its steps of a tensor that is [seen](Self::seen) like this, if there are some. They know no
    /// matrices that lie abreast.
    #[cfg(feature = "cube")]
    pub(crate) fn by_kernels(&self, view: View) -> Option<&crate::cube::Kernels> {
        self.kernels.as_ref().filter(|_| !self.sees_whole && !view.abreast)
    }

    /// How many sums the rule asks for.
    pub(crate) fn asked(&self) -> usize {
        let sums = self.stages.sums.iter().flat_map(|stage| &stage.sums);
        sums.map(|sum| sum.number + 1).max().unwrap_or(0)
    }

    /// The tensor as the rule sees it: as one line where it knows no row and no column.
    pub(crate) fn seen(&self, view: View) -> View {
        if self.sees_matrices { view } else { View::vector(view.len()) }
    }

    /// How the rule looks at a parameter of this shape.
    pub(crate) fn view_of(&self, shape: &Shape, place: Place) -> View {
        let view = (self.view)(shape.as_slice(), place.by_columns);
        if self.sees_whole { view } else { view.heads(place.heads as usize).unwrap_or(view) }
    }
}

fn fingerprint<'a>(name: &'static str, kept: impl Iterator<Item = &'a &'static str>) -> u64 {
    let text = core::iter::once(name).chain(kept.copied()).collect::<Vec<_>>().join(" ");
    // FNV-1a: stable across versions and machines, unlike the hashers of std.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The lanes of the scalars that a graph reads.
fn scalars_of(graph: &Graph) -> Vec<usize> {
    let lane = |node: &Node| if let Node::Scalar(lane) = node { Some(*lane) } else { None };
    graph.nodes.iter().filter_map(lane).collect()
}

/// The options that are a weight decay.
fn decays(options: &impl Options) -> Vec<String> {
    let mut decays = Vec::new();
    options.clone().each(&mut |option| {
        if option.role == Some(Role::WeightDecay) {
            decays.push(option.full_name());
        }
    });
    decays
}

/// What only the type of a rule can tell.
struct Typed {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    passes: AllPasses,
    needs_loss: bool,
    /// The name of the state by which the rule finds its learning rate.
    estimate: Option<&'static str>,
    defaults: Vec<(String, String)>,
    decays: Vec<String>,
    view: fn(&[usize], bool) -> View,
    family: TypeId,
}

impl Typed {
    fn of<U: Rule>(rule: &U) -> Self {
        Self {
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            passes: choose(rule, Compile::<U>(core::marker::PhantomData)),
            needs_loss: U::LOSS,
            estimate: U::ESTIMATE,
            defaults: to_pairs(&U::default()),
            decays: decays(rule),
            view: U::view,
            family: TypeId::of::<U>(),
        }
    }
}

/// Compiles the passes of a rule.
#[cfg(any(feature = "flex", feature = "ndarray"))]
struct Compile<U>(core::marker::PhantomData<U>);

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl<U: Rule> RuleVisitor for Compile<U> {
    type Output = AllPasses;

    fn visit<P: Presence, Q: Presence>(self) -> AllPasses {
        AllPasses::of::<U, P, Q>()
    }
}
