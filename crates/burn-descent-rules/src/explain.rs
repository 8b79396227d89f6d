//! What a rule does and what it costs, told by its graph.

use crate::Domain::Element;
use crate::formula::formula;
use crate::graph::Traced;
use crate::{Domain, Graph, Keep, Node, Paper, Rule, Stages, to_pairs};
use core::fmt;

/// Bytes of a number in f32.
const F32: usize = 4;

/// What a rule, with its options, does and what it costs: as data, and printed as a page.
///
/// Gradient and parameter are called `g` and `p`, states and scalars as the rule calls them.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdamW, ScheduleFreeSgd, rules::Explanation};
///
/// let page = Explanation::of(&AdamW::new());
/// assert_eq!(page.formula[0], "m ← beta1·m + one_beta1·g");
/// assert_eq!((page.bytes_read(), page.bytes_written(), page.bytes_of_state()), (16, 12, 8));
/// println!("{page}");
///
/// let page = Explanation::of(&ScheduleFreeSgd::new()).to_string();
/// assert!(page.contains("Remembers of each tensor: "));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The rule's name in prose.
    pub title: &'static str,
    /// Where it is from.
    pub paper: Paper,
    /// Each option with its value.
    pub options: Vec<(String, String)>,
    /// The assignments of a step, a line each. `t1 = ..` names what is used more than once,
    /// `m ← ..` is the new `m`, and `m'` the old one where there is a new one already. `sum[row](x)` is
    /// the sum of `x` over the row, and so are `mean`, `max` and `count`.
    pub formula: Vec<String>,
    /// The assignments of the weight to evaluate; none where it is `p`.
    pub evaluated: Vec<String>,
    /// Does it draw random numbers, `normal`?
    pub noisy: bool,
    /// How many operations of each kind a weight takes, but for the factor of the gradient.
    pub operations: Vec<(&'static str, usize)>,
    /// The states of which there is one number a weight.
    pub states: Vec<&'static str>,
    /// The other states, and for what they have a number.
    pub coarse: Vec<(&'static str, Domain)>,
    /// The [matrices](crate::Rule::keeps) that are kept of a matrix, and how large they are: `outputs x inputs`.
    pub kept: Vec<(String, String)>,
    /// What is remembered once for the whole tensor, a number each.
    pub memory: Vec<&'static str>,
    /// What is read of each weight by each of the passes that sum before the step; none where a step needs
    /// no sum, so that each weight goes its own way.
    pub summed: Vec<Vec<&'static str>>,
    /// What a step reads of each weight, those passes and its own.
    pub reads: Vec<&'static str>,
    /// What a step writes of each weight.
    pub writes: Vec<&'static str>,
}

impl Explanation {
    /// The explanation of a rule.
    pub fn of<U: Rule>(rule: &U) -> Self {
        let kept = kept(rule.keeps(U::view(&DIMS, false), &DIMS));
        Self::of_traced(Traced::of(rule).without_factor(), to_pairs(rule), kept)
    }

    fn of_traced(
        rule: Traced,
        options: Vec<(String, String)>,
        kept: Vec<(String, String)>,
    ) -> Self {
        let all: Vec<_> = rule.states.iter().map(|(name, ..)| *name).collect();
        let scalars = [&rule.scalars[..], &["factor"]].concat();
        let (graph, evaluate) = (&rule.update, &rule.evaluate);
        let outputs = [&["p"], &all[..]].concat();
        let evaluated = formula(evaluate, &all, &scalars, &["evaluated"]);
        // A rule that an engine refuses is explained as if its update were all there is.
        let alone = || Stages {
            sums: vec![],
            update: graph.clone(),
            states: vec![Element; all.len()],
            positive: vec![false; all.len()],
        };
        let stages = Stages::of_traced(&rule).unwrap_or_else(|_| alone());
        let of_weights = |lane: &usize| stages.states[*lane] == Element;
        let reads = |graph: &Graph| -> Vec<_> {
            let read = graph.nodes.iter().filter(|node| match node {
                Node::State(lane) => of_weights(lane),
                _ => true,
            });
            read.filter_map(|node| tensor(*node, &all)).collect()
        };
        let summed: Vec<_> = stages.sums.iter().map(|stage| reads(&stage.graph)).collect();
        let own = reads(&stages.update);
        Self {
            title: rule.title,
            paper: rule.paper,
            options,
            formula: formula(graph, &all, &scalars, &outputs),
            evaluated: if evaluate.is_identity() { Vec::new() } else { evaluated },
            noisy: rule.seed.is_some(),
            memory: rule.memory,
            kept,
            operations: operations(stages.graphs()),
            reads: summed.iter().flatten().copied().chain(own).collect(),
            summed,
            writes: writes(&stages, &all, &outputs),
            states: (0..all.len()).filter(of_weights).map(|lane| all[lane]).collect(),
            coarse: stages.coarse().map(|(lane, domain)| (all[lane], domain)).collect(),
        }
    }

    /// Bytes that a step reads of each weight, all in f32.
    pub fn bytes_read(&self) -> usize {
        F32 * self.reads.len()
    }

    /// Bytes that a step writes of each weight, all in f32.
    pub fn bytes_written(&self) -> usize {
        F32 * self.writes.len()
    }

    /// Bytes that the states take for each weight, all in f32, and matrices that are kept of as many numbers.
    pub fn bytes_of_state(&self) -> usize {
        let whole = self.kept.iter().filter(|(_, size)| size == WHOLE);
        F32 * (self.states.len() + whole.count())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |pairs: Vec<String>| pairs.join(", ");
        let options = self.options.iter().map(|(name, value)| format!("{name}={value}"));
        let operations = self.operations.iter().map(|(kind, count)| format!("{kind} {count}"));
        let url = self.paper.url();
        let head = [self.title, self.paper.cite, &url].into_iter().filter(|part| !part.is_empty());
        writeln!(f, "{}", head.collect::<Vec<_>>().join(", "))?;
        writeln!(f, "{}\n", options.collect::<Vec<_>>().join(" "))?;
        for line in self.formula.iter().chain(&self.evaluated) {
            writeln!(f, "  {line}")?;
        }
        if self.formula.iter().any(|line| line.contains('\'')) {
            writeln!(f, "  where x' is x before the step")?;
        }
        writeln!(f, "\nEach step, a weight, in f32:")?;
        writeln!(f, "  operations  {}", join(operations.collect()))?;
        let lines = [("reads", &self.reads), ("writes", &self.writes), ("state", &self.states)];
        let lines = lines.map(|(what, names)| {
            let bytes = F32 * names.len();
            format!("  {what:<10}  {bytes} bytes: {}", names.join(", "))
        });
        write!(f, "{}", lines.join("\n").trim_end_matches(": "))?;
        for (name, domain) in &self.coarse {
            write!(f, "\nKept for each {}: {name}", domain.name())?;
        }
        for (name, size) in &self.kept {
            write!(f, "\nKept of each matrix: {name}, {size}")?;
        }
        match self.memory.as_slice() {
            [] => Ok(()),
            names => write!(f, "\nRemembers of each tensor: {}", names.join(", ")),
        }
    }
}

/// The size of what has a number for each weight.
const WHOLE: &str = "outputs x inputs";

/// Outputs and inputs of a matrix: two numbers that are no other size, nor their product.
const DIMS: [usize; 2] = [251, 241];

/// The matrices that a rule keeps of a matrix of [`DIMS`], and their sizes.
fn kept(keeps: Vec<Keep>) -> Vec<(String, String)> {
    let [outputs, inputs] = DIMS;
    let side = |size: usize| match size {
        size if size == outputs => "outputs".to_owned(),
        size if size == inputs => "inputs".to_owned(),
        size => size.to_string(),
    };
    let size = |[_, rows, columns]: [usize; 3]| format!("{} x {}", side(rows), side(columns));
    keeps.into_iter().map(|keep| (keep.name, size(keep.dims))).collect()
}

/// The name of a node that is read from memory.
fn tensor(node: Node, states: &[&'static str]) -> Option<&'static str> {
    match node {
        Node::Parameter => Some("p"),
        Node::Gradient => Some("g"),
        Node::State(lane) => Some(states[lane]),
        _ => None,
    }
}

/// The outputs, one number a weight, that are not what they were before.
fn writes(stages: &Stages, states: &[&'static str], outputs: &[&'static str]) -> Vec<&'static str> {
    let graph = &stages.update;
    let old = graph.outputs.iter().map(|id| tensor(graph.nodes[*id], states));
    let of_weights = core::iter::once(Element).chain(stages.states.iter().copied());
    let outputs = outputs.iter().zip(old).zip(of_weights);
    let new = outputs.filter(|((new, old), of)| *of == Element && *old != Some(**new));
    new.map(|((new, _), _)| *new).collect()
}

/// The kinds of operations with their numbers, those that there are.
fn operations<'a>(graphs: impl Iterator<Item = &'a Graph>) -> Vec<(&'static str, usize)> {
    let mut list: Vec<(&'static str, usize)> = Vec::new();
    for kind in graphs.flat_map(|graph| &graph.nodes).filter_map(|node| kind(*node)) {
        match list.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => list.push((kind, 1)),
        }
    }
    list
}

fn kind(node: Node) -> Option<&'static str> {
    use Node::*;
    Some(match node {
        Parameter | Gradient | Noise | State(_) | Scalar(_) | Literal(_) | Count(_) | Known(_)
        | Fold(..) => return None,
        Add(..) => "add",
        Sub(..) => "subtract",
        Mul(..) => "multiply",
        Div(..) => "divide",
        Max(..) => "maximum",
        Lt(..) => "compare",
        Neg(_) => "negate",
        Sqrt(_) => "root",
        RoughCbrt(_) => "cube root",
        Pow(..) => "power",
        Abs(_) => "absolute",
        Select(..) => "select",
    })
}
