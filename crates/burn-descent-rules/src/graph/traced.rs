//! A rule whose type is forgotten: what follows from it is compiled once, and not for each rule.

use super::{Graph, Node, Recorder, Symbol, trace};
use crate::fields::names;
use crate::forms::{RuleVisitor, choose, lanes};
use crate::{Domain, Fields, Paper, Presence, Rule};
use core::marker::PhantomData;

/// What there is to know of a rule with its options: its constants, its names, and its texts as graphs.
#[derive(Clone, Debug)]
pub struct Traced {
    /// [`Rule::NAME`].
    pub name: &'static str,
    /// [`Rule::TITLE`].
    pub title: &'static str,
    /// [`Rule::PAPER`].
    pub paper: Paper,
    /// [`Rule::SUMS`].
    pub sums: usize,
    /// [`Rule::STAGES`].
    pub stages: usize,
    /// [`Rule::WHOLES`].
    pub wholes: usize,
    /// [`Rule::seed`].
    pub seed: Option<u64>,
    /// Name and domain of each state, and is it positive?
    pub states: Vec<(&'static str, Domain, bool)>,
    /// The name of each scalar.
    pub scalars: Vec<&'static str>,
    /// The name of each number that is remembered once for a parameter.
    pub memory: Vec<&'static str>,
    /// See [`trace_update`].
    pub update: Graph,
    /// See [`trace_evaluate`].
    pub evaluate: Graph,
}

impl Traced {
    /// What there is to know of this rule.
    pub fn of<U: Rule>(rule: &U) -> Self {
        let Texts { update, evaluate, domains } = choose(rule, Trace::<U>(PhantomData));
        let names_of_states = names(rule.start().lanes()).into_iter();
        let states = names_of_states.zip(domains);
        Self {
            name: U::NAME,
            title: U::TITLE,
            paper: U::PAPER,
            sums: U::SUMS,
            stages: U::STAGES,
            wholes: U::WHOLES,
            seed: rule.seed(),
            states: states.map(|(name, (domain, positive))| (name, domain, positive)).collect(),
            scalars: names(rule.scalars(1.0, 1).lanes()),
            memory: names(rule.memory()),
            update,
            evaluate,
        }
    }

    /// The same with the gradient as it comes, its factor left out.
    pub(crate) fn without_factor(mut self) -> Self {
        let nodes = &self.update.nodes;
        let is = |node: Node| move |other: &Node| *other == node;
        let factor = nodes.iter().position(is(Node::Scalar(self.scalars.len())));
        let gradient = nodes.iter().position(is(Node::Gradient));
        if let (Some(factor), Some(gradient)) = (factor, gradient) {
            let scaled = nodes.iter().position(is(Node::Mul(factor, gradient)));
            let to: Vec<_> =
                (0..nodes.len()).map(|id| if Some(id) == scaled { gradient } else { id }).collect();
            self.update = self.update.renumbered(&to).pruned();
        }
        self
    }
}

/// The graph of [`Rule::update`]: outputs are the parameter and the present states.
///
/// The lane after the rule's own scalars is the factor that the gradient is multiplied by: the place for
/// what is one factor of all gradients, as clipping by the global norm is.
pub fn trace_update<U: Rule>(rule: &U) -> Graph {
    choose(rule, Trace::<U>(PhantomData)).update
}

/// The graph of [`Rule::evaluate`]: its one output is the weight to evaluate with. Its lanes are the rule's
/// own scalars.
pub fn trace_evaluate<U: Rule>(rule: &U) -> Graph {
    choose(rule, Trace::<U>(PhantomData)).evaluate
}

/// The texts of a rule in one of its forms.
struct Texts {
    update: Graph,
    evaluate: Graph,
    /// The domain of each state, and is it positive?
    domains: Vec<(Domain, bool)>,
}

struct Trace<U>(PhantomData<U>);

impl<U: Rule> RuleVisitor for Trace<U> {
    type Output = Texts;
    fn visit<P: Presence, Q: Presence>(self) -> Texts {
        let scalar = |lane| Symbol::record(Node::Scalar(lane));
        let state = |lane| Symbol::record(Node::State(lane));
        let update = trace(&mut || {
            let factor = scalar(lanes::<U::Scalars<()>, Q>());
            let g = Symbol::record(Node::Gradient);
            let (p, s) = U::update(
                Symbol::record(Node::Parameter),
                factor * g,
                U::State::read::<P>(state),
                U::Scalars::read::<Q>(scalar),
                &mut Recorder { folds: 0 },
            );
            let mut outputs = vec![p];
            s.write::<P>(|_, _, state| outputs.push(state));
            outputs
        });
        let evaluate = trace(&mut || {
            let p = Symbol::record(Node::Parameter);
            vec![U::evaluate(p, U::State::read::<P>(state), U::Scalars::read::<Q>(scalar))]
        });
        let mut domains = Vec::new();
        U::State::<()>::domains::<P>(|_, domain, positive| domains.push((domain, positive)));
        Texts { update, evaluate, domains }
    }
}
