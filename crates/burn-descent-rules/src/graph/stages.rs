//! The stages of a rule: what has to be summed before what.

use super::{Graph, Id, Node, Traced};
use crate::{Domain, Fold, InvalidOption, Rule};

/// How many sums and maxima a rule may ask for.
pub const MAX_SUMS: usize = 9;

/// How many stages of them there may be.
pub const MAX_STAGES: usize = 4;

/// A sum, or a maximum, that a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sum {
    /// It is the one that is asked for with this number, from 0.
    pub number: usize,
    /// How numbers become one.
    pub fold: Fold,
    /// The domain that it goes to.
    pub to: Domain,
    /// The domain of what is summed.
    pub of: Domain,
}

/// Sums that can be taken together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stage {
    /// What is summed: an output for each of the [`sums`](Self::sums).
    pub graph: Graph,
    /// Whereto.
    pub sums: Vec<Sum>,
}

impl Stage {
    /// The sum of this stage that goes to the rows or to the columns, where this one is of the same numbers and goes to the whole
    /// of their matrix or to more: the finer ones put together are the coarser one.
    pub fn finer(&self, sum: &Sum) -> Option<&Sum> {
        use Domain::{Column, Element, Matrix, Model, Row, Tensor};
        let of = |sum: &Sum| {
            let at = self.sums.iter().position(|other| other == sum)?;
            self.graph.outputs.get(at).copied()
        };
        let is_finer = |finer: &&Sum| {
            (finer.fold, finer.of) == (sum.fold, Element)
                && matches!(finer.to, Row | Column)
                && of(finer) == of(sum)
        };
        match sum.to {
            Matrix | Tensor | Model => self.sums.iter().find(is_finer),
            _ => None,
        }
    }
}

/// A rule as an engine runs it: stages of sums, and then the update.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stages {
    /// The sums, those of each stage made of what follows from those before.
    pub sums: Vec<Stage>,
    /// The new parameter, then the new states, lane by lane. Sums are [`Node::Known`].
    pub update: Graph,
    /// The domain of each state, lane by lane.
    pub states: Vec<Domain>,
    /// Which of them are never less than 0.
    pub positive: Vec<bool>,
}

impl Stages {
    /// The stages of a rule, its gradient times a factor as in [`trace_update`].
    ///
    /// # Errors
    /// A state that does not follow from numbers of its domain, by its name; more sums or stages than
    /// an engine keeps, or more sums than [`Rule::SUMS`] says; a random number without a
    /// [seed](Rule::seed).
    pub fn of<U: Rule>(rule: &U) -> Result<Self, InvalidOption> {
        Self::of_traced(&Traced::of(rule))
    }

    /// The same, of a rule whose type is forgotten.
    ///
    /// # Errors
    /// Those of [`of`](Self::of).
    pub fn of_traced(rule: &Traced) -> Result<Self, InvalidOption> {
        let (states, graph) = (&rule.states, &rule.update);
        let domains: Vec<_> = states.iter().map(|(_, domain, _)| *domain).collect();
        let refuse = |option: String, value: String, allowed: String| {
            Err(InvalidOption { owner: rule.name, option: option.into(), value, allowed })
        };

        let found = graph.domains(&domains);
        for ((name, domain, _), id) in states.iter().zip(&graph.outputs[1..]) {
            if !found[*id].is_one_for(*domain) {
                let (domain, found) = (domain.name(), found[*id].name());
                return refuse(
                    format!("state `{name}`"),
                    format!("a number for each {found}"),
                    format!("one for each {domain}: sum what is finer"),
                );
            }
        }
        let to_element = |node: &Node| match *node {
            Node::Fold(_, fold, to, _) => to == Domain::Element && fold != Fold::Whole,
            _ => false,
        };
        if graph.nodes.iter().any(to_element) {
            let allowed = "to what is coarser than an element".into();
            return refuse("sum".into(), "to the element".into(), allowed);
        }
        let depths = graph.depths();
        let sums = graph.nodes.iter().filter_map(|node| match *node {
            Node::Fold(number, fold, to, id) => {
                Some((Sum { number, fold, to, of: found[id] }, id, depths[id]))
            }
            _ => None,
        });
        let sums: Vec<_> = sums.collect();
        let asked = sums.iter().map(|(sum, ..)| sum.number + 1).max().unwrap_or(0);
        let most = rule.sums.min(MAX_SUMS);
        if asked > most {
            let allowed = match rule.sums < asked {
                true => format!("{most} at most, as `Rule::SUMS` says"),
                false => format!("{MAX_SUMS} at most"),
            };
            return refuse("sums".into(), asked.to_string(), allowed);
        }
        let stages = sums.iter().map(|(.., depth)| depth + 1).max().unwrap_or(0);
        let most = rule.stages.min(MAX_STAGES);
        if stages > most {
            let allowed = match rule.stages < stages {
                true => format!("{most} at most, as `Rule::STAGES` says"),
                false => format!("{MAX_STAGES} at most"),
            };
            return refuse("stages of sums".into(), stages.to_string(), allowed);
        }
        if rule.seed.is_none() && graph.nodes.contains(&Node::Noise) {
            let allowed = "given by `Rule::seed` where a rule draws random numbers".into();
            return refuse("seed".into(), "none".into(), allowed);
        }

        let whole = |node: &&Node| matches!(node, Node::Fold(_, Fold::Whole, ..));
        let wholes = graph.nodes.iter().filter(whole).count();
        if wholes > rule.wholes {
            let allowed = format!("{} at most, as `Rule::WHOLES` says", rule.wholes);
            return refuse("whole matrices".into(), wholes.to_string(), allowed);
        }

        let known = graph.clone().with_known();
        let stage = |depth: usize| {
            let here: Vec<_> = sums.iter().filter(|(.., of)| *of == depth).collect();
            let outputs: Vec<Id> = here.iter().map(|(_, id, _)| *id).collect();
            let graph = known.with_outputs(outputs);
            Stage { graph, sums: here.iter().map(|(sum, ..)| *sum).collect() }
        };
        let sums = (0..stages).map(stage).collect();
        let positive = states.iter().map(|(.., positive)| *positive).collect();
        Ok(Self { sums, update: known.pruned(), states: domains, positive })
    }

    /// The domain of each new state that is not the element's, lane by lane.
    pub fn coarse(&self) -> impl Iterator<Item = (usize, Domain)> + '_ {
        let lanes = self.states.iter().copied().enumerate();
        lanes.filter(|(_, domain)| *domain != Domain::Element)
    }

    /// Does anything depend on rows, columns, or matrices of a stack?
    pub fn sees_matrices(&self) -> bool {
        use Domain::{Column, Matrix, Row};
        let folds = self.sums.iter().flat_map(|stage| &stage.sums).map(|sum| sum.to);
        let counts = self.graphs().flat_map(|graph| &graph.nodes).filter_map(|node| match node {
            Node::Count(of) => Some(*of),
            _ => None,
        });
        let mut all = folds.chain(counts).chain(self.states.iter().copied());
        self.sees_whole() || all.any(|domain| matches!(domain, Row | Column | Matrix))
    }

    /// Does the rule make something of [whole](crate::Rule::whole) matrices?
    pub fn sees_whole(&self) -> bool {
        let mut sums = self.sums.iter().flat_map(|stage| &stage.sums);
        sums.any(|sum| sum.fold == Fold::Whole)
    }

    /// The number of this sum among those of [`Over::whole`](crate::Over::whole) in the text, from 0.
    pub fn whole_number(&self, number: usize) -> usize {
        let sums = self.sums.iter().flat_map(|stage| &stage.sums);
        sums.filter(|sum| sum.fold == Fold::Whole && sum.number < number).count()
    }

    /// Does a sum go to the whole model?
    pub fn sees_model(&self) -> bool {
        let mut sums = self.sums.iter().flat_map(|stage| &stage.sums);
        sums.any(|sum| sum.to == Domain::Model)
    }

    /// The graphs, in the order in which they are run.
    pub fn graphs(&self) -> impl Iterator<Item = &Graph> {
        self.sums.iter().map(|stage| &stage.graph).chain([&self.update])
    }
}

impl Graph {
    /// The domain of each node, where the states have these.
    pub(super) fn domains(&self, states: &[Domain]) -> Vec<Domain> {
        let mut domains: Vec<Domain> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            domains.push(match *node {
                Node::Parameter | Node::Gradient | Node::Noise => Domain::Element,
                Node::State(lane) => states[lane],
                Node::Scalar(_) | Node::Literal(_) | Node::Known(_) => Domain::Model,
                // How many elements there are is a property of the tensor.
                Node::Count(Domain::Model) => Domain::Model,
                Node::Count(_) => Domain::Tensor,
                Node::Fold(_, _, to, _) => to,
                _ => {
                    let arguments = node.arguments().map(|id| domains[id]);
                    arguments.fold(Domain::Model, Domain::with)
                }
            });
        }
        domains
    }

    /// How many folds each node follows from, one after another: the number of the first stage in which it can be
    /// computed.
    pub fn depths(&self) -> Vec<usize> {
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let before = node.arguments().map(|id| depths[id]).max().unwrap_or(0);
            depths.push(before + usize::from(matches!(node, Node::Fold(..))));
        }
        depths
    }

    /// The graph in which all folds are known.
    fn with_known(mut self) -> Self {
        for node in &mut self.nodes {
            if let Node::Fold(number, ..) = *node {
                *node = Node::Known(number);
            }
        }
        self
    }
}
