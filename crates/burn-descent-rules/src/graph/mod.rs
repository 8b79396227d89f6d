//! A rule run on symbols leaves a small expression graph, which other engines read.

mod stages;
mod traced;

pub use stages::{MAX_STAGES, MAX_SUMS, Stage, Stages, Sum};
pub use traced::{Traced, trace_evaluate, trace_update};

use crate::real::cbrt_from;
use crate::{Domain, Fold, Over, Real};
use core::cell::RefCell;
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Neg, Sub};
use std::collections::HashMap;

/// Number of a node in its [`Graph`].
pub type Id = usize;

/// One value in a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The parameter.
    Parameter,
    /// The gradient.
    Gradient,
    /// What is [drawn](crate::noise::drawn) for the element, less its mean.
    Noise,
    /// The state in this lane.
    State(usize),
    /// The scalar in this lane.
    Scalar(usize),
    /// The bits of an f64 constant.
    Literal(u64),
    /// Sum.
    Add(Id, Id),
    /// Difference.
    Sub(Id, Id),
    /// Product.
    Mul(Id, Id),
    /// Quotient.
    Div(Id, Id),
    /// The greater.
    Max(Id, Id),
    /// Is the first less than the second?
    Lt(Id, Id),
    /// Negation.
    Neg(Id),
    /// Square root.
    Sqrt(Id),
    /// Cube root of a number >= 0, off by 4 % at most.
    RoughCbrt(Id),
    /// A number >= 0 to the power of the second.
    Pow(Id, Id),
    /// Absolute value.
    Abs(Id),
    /// By the mask, the second or the third.
    Select(Id, Id, Id),
    /// The fold that is asked for with this number, from 0, of a value.
    Fold(usize, Fold, Domain, Id),
    /// How many elements a number of this domain stands for.
    Count(Domain),
    /// The result of the fold with this number: in the graph of a later [`Stage`].
    Known(usize),
}

impl Node {
    /// The nodes that this one is computed from.
    pub fn arguments(self) -> impl Iterator<Item = Id> {
        use Node::*;
        let (list, count) = match self {
            Parameter | Gradient | Noise | State(_) | Scalar(_) | Literal(_) | Count(_)
            | Known(_) => ([0; 3], 0),
            Neg(a) | Sqrt(a) | RoughCbrt(a) | Abs(a) | Fold(_, _, _, a) => ([a, 0, 0], 1),
            Add(a, b) | Sub(a, b) | Mul(a, b) | Div(a, b) | Max(a, b) | Pow(a, b) | Lt(a, b) => {
                ([a, b, 0], 2)
            }
            Select(a, b, c) => ([a, b, c], 3),
        };
        list.into_iter().take(count)
    }
}

/// A rule as an expression graph: nodes in the order of evaluation, each computed from earlier
/// ones and each used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Graph {
    /// The values, every one after those it is computed from.
    pub nodes: Vec<Node>,
    /// The new parameter, then the new states, lane by lane.
    pub outputs: Vec<Id>,
}

impl Graph {
    /// Does the graph only hand back the parameter?
    pub fn is_identity(&self) -> bool {
        self.nodes == [Node::Parameter]
    }

    /// How often each value is used: by other nodes, and as an output.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        let arguments = self.nodes.iter().flat_map(|node| node.arguments());
        arguments.chain(self.outputs.iter().copied()).for_each(|id| uses[id] += 1);
        uses
    }

    /// The graph of these nodes as its outputs, and of what they need.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Sgd, rules::trace_update};
    ///
    /// let graph = trace_update(&Sgd::new().momentum(0.9));
    /// let state = graph.with_outputs(vec![graph.outputs[1]]);
    /// assert_eq!(state.outputs, [state.nodes.len() - 1]);
    /// assert!(state.nodes.len() < graph.nodes.len());
    /// ```
    pub fn with_outputs(&self, outputs: Vec<Id>) -> Self {
        Self { nodes: self.nodes.clone(), outputs }.pruned()
    }

    /// To look for nodes by what they are a function of.
    pub(crate) fn search(&self) -> Search {
        let numbers = self.nodes.iter().copied().zip(0..).collect();
        TAPE.set(Tape { nodes: self.nodes.clone(), numbers, is_whole: true });
        Search(PhantomData)
    }
}

/// Looks for nodes of a graph, one graph at a time in a thread.
pub(crate) struct Search(PhantomData<*const ()>);

impl Search {
    /// The node that is a function of these nodes, if one is.
    pub(crate) fn find<const N: usize>(
        &self,
        arguments: [Id; N],
        function: fn([Symbol; N]) -> Symbol,
    ) -> Option<Id> {
        let Symbol(id) = function(arguments.map(Symbol));
        (id != NOWHERE).then_some(id)
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        TAPE.take();
    }
}

/// An element about which nothing is known: arithmetic on it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Symbol(Id);

thread_local! {
    /// What this thread is recording.
    static TAPE: RefCell<Tape> = RefCell::default();
}

/// The nodes of a rule so far.
#[derive(Default)]
struct Tape {
    nodes: Vec<Node>,
    numbers: HashMap<Node, Id>,
    /// Are these all there are, so that what is not among them is [`NOWHERE`]?
    is_whole: bool,
}

/// The number of a node that is not there.
const NOWHERE: Id = Id::MAX;

impl Symbol {
    /// Records a node, unless an equal one is there: common sub-expressions are shared.
    fn record(node: Node) -> Self {
        TAPE.with_borrow_mut(|tape| {
            let Tape { nodes, numbers, is_whole } = tape;
            if node.arguments().any(|argument| argument == NOWHERE) {
                return Symbol(NOWHERE);
            }
            if *is_whole {
                return Symbol(numbers.get(&node).copied().unwrap_or(NOWHERE));
            }
            Symbol(*numbers.entry(node).or_insert_with(|| {
                nodes.push(node);
                nodes.len() - 1
            }))
        })
    }
}

macro_rules! binary {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Symbol {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Symbol::record(Node::$trait(self.0, other.0))
            }
        }
    )*};
}
binary!(Add add, Sub sub, Mul mul, Div div);

impl Neg for Symbol {
    type Output = Self;
    fn neg(self) -> Self {
        Symbol::record(Node::Neg(self.0))
    }
}

impl Real for Symbol {
    type Mask = Self;
    fn lit(value: f64) -> Self {
        Symbol::record(Node::Literal(value.to_bits()))
    }
    fn sqrt(self) -> Self {
        Symbol::record(Node::Sqrt(self.0))
    }
    fn cbrt(self) -> Self {
        cbrt_from(Symbol::record(Node::RoughCbrt(self.0)), self, 2)
    }
    fn powf(self, exponent: Self) -> Self {
        Symbol::record(Node::Pow(self.0, exponent.0))
    }
    fn abs(self) -> Self {
        Symbol::record(Node::Abs(self.0))
    }
    fn max(self, other: Self) -> Self {
        Symbol::record(Node::Max(self.0, other.0))
    }
    fn lt(self, other: Self) -> Self {
        Symbol::record(Node::Lt(self.0, other.0))
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Symbol::record(Node::Select(mask.0, yes.0, no.0))
    }
}

/// Asks for folds by recording them.
struct Recorder {
    /// How many have been asked for.
    folds: usize,
}

impl Over<Symbol> for Recorder {
    fn fold(&mut self, fold: Fold, to: Domain, x: Symbol) -> Symbol {
        let number = self.folds;
        self.folds += 1;
        Symbol::record(Node::Fold(number, fold, to, x.0))
    }
    fn count(&self, of: Domain) -> Symbol {
        Symbol::record(Node::Count(of))
    }
    fn normal(&mut self) -> Symbol {
        Symbol::record(Node::Noise) * Symbol::lit(crate::noise::UNIT)
    }
}

/// Records what `outputs` computes and keeps the nodes that it needs.
fn trace(outputs: &mut dyn FnMut() -> Vec<Symbol>) -> Graph {
    TAPE.take();
    let outputs: Vec<Id> = outputs().into_iter().map(|symbol| symbol.0).collect();
    Graph { nodes: TAPE.take().nodes, outputs }.pruned()
}

impl Graph {
    /// The graph in which the nodes have these numbers as arguments and outputs.
    fn renumbered(self, to: &[Id]) -> Self {
        let Self { nodes, outputs } = self;
        Self {
            nodes: nodes.into_iter().map(|node| renumber(node, to)).collect(),
            outputs: outputs.into_iter().map(|id| to[id]).collect(),
        }
    }

    /// The graph of these outputs alone: nodes that they do not need are left out.
    fn pruned(self) -> Self {
        let Self { nodes, outputs } = self;
        let mut needed = vec![false; nodes.len()];
        outputs.iter().for_each(|&id| needed[id] = true);
        for (id, node) in nodes.iter().enumerate().rev() {
            if needed[id] {
                node.arguments().for_each(|argument| needed[argument] = true);
            }
        }
        let mut renamed = vec![0; nodes.len()];
        let mut kept = Vec::new();
        for (id, node) in nodes.into_iter().enumerate().filter(|(id, _)| needed[*id]) {
            renamed[id] = kept.len();
            kept.push(renumber(node, &renamed));
        }
        Self { nodes: kept, outputs: outputs.into_iter().map(|id| renamed[id]).collect() }
    }
}

fn renumber(node: Node, to: &[Id]) -> Node {
    use Node::*;
    match node {
        Parameter | Gradient | Noise | State(_) | Scalar(_) | Literal(_) | Count(_) | Known(_) => {
            node
        }
        Add(a, b) => Add(to[a], to[b]),
        Sub(a, b) => Sub(to[a], to[b]),
        Mul(a, b) => Mul(to[a], to[b]),
        Div(a, b) => Div(to[a], to[b]),
        Max(a, b) => Max(to[a], to[b]),
        Lt(a, b) => Lt(to[a], to[b]),
        Neg(a) => Neg(to[a]),
        Sqrt(a) => Sqrt(to[a]),
        RoughCbrt(a) => RoughCbrt(to[a]),
        Pow(a, b) => Pow(to[a], to[b]),
        Abs(a) => Abs(to[a]),
        Select(a, b, c) => Select(to[a], to[b], to[c]),
        Fold(number, fold, domain, a) => Fold(number, fold, domain, to[a]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Nesterov, Sgd};

    #[test]
    fn a_trace_keeps_what_is_used_and_shares_what_is_equal() {
        let graph = trace_update(&Sgd::new());
        let uses = graph.uses();
        assert!(uses.iter().all(|&n| n > 0), "{graph:?}");
        assert!(!graph.nodes.iter().any(|n| matches!(n, Node::State(_))), "{graph:?}");
        for (id, node) in graph.nodes.iter().enumerate() {
            assert!(node.arguments().all(|argument| argument < id));
            assert_eq!(graph.nodes.iter().position(|other| other == node), Some(id));
        }
    }

    #[test]
    fn evaluate_is_the_identity_unless_a_rule_says_otherwise() {
        assert!(trace_evaluate(&Sgd::new().momentum(0.9)).is_identity());
        assert!(!trace_evaluate(&Nesterov::new()).is_identity());
    }
}
