//! The stages of a rule that sees rows, columns, matrices or states of them, as kernels run them.

use crate::grid::domain_of;
use burn_descent_rules::{Domain, Fold, Graph, Id, Node, Stage, Stages, Sum, View};
use std::sync::Arc;

/// The passes of a step, over all elements or over what there is one number of for each row, column and so
/// on.
pub(crate) struct Passes {
    /// Those that sum, stage by stage.
    pub(super) sums: Vec<Pass>,
    /// The one over all elements.
    pub(super) update: Pass,
    /// Those that bring the coarse states forward: finer ones first, which see the coarser ones as they were.
    pub(super) forward: Vec<Pass>,
    /// All sums, in the order in which they lie in memory once they are known.
    pub(super) known: Vec<Sum>,
    /// The lane and the domain of each state, the finest first: so passes number them.
    pub(super) states: Vec<(usize, Domain)>,
}

/// What a kernel does with each number of a grid.
pub(super) struct Pass {
    /// What it goes over.
    pub(super) of: Domain,
    /// Its inputs are numbered as the kernel meets them: own states, then what is seen.
    pub(super) graph: Arc<Graph>,
    /// Does it read the parameter, and the gradient?
    pub(super) parameter: bool,
    pub(super) gradient: bool,
    /// The states of which it goes over each number.
    pub(super) own: Vec<usize>,
    pub(super) seen: Vec<Seen>,
    /// What becomes of the outputs, if they are summed.
    pub(super) sums: Vec<Sum>,
}

/// What a pass sees beyond its own numbers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Seen {
    State(usize),
    /// The sum that is asked for with this number.
    Sum(usize),
}

/// Storage buffers that WebGPU promises to a kernel.
pub(super) const BUFFERS: usize = 8;

/// The domains that are coarser than the element.
const COARSE: [Domain; 5] =
    [Domain::Row, Domain::Column, Domain::Matrix, Domain::Tensor, Domain::Model];

impl Passes {
    /// Those of a rule whose gradient is multiplied by the last of so many scalars; `None` if it sees the
    /// model, or if a kernel would need more buffers than every device has.
    pub(super) fn of(stages: &Stages, scalars: usize) -> Option<Self> {
        if stages.sees_model() || stages.sees_whole() {
            return None;
        }
        let mut states: Vec<_> = stages.states.iter().copied().enumerate().collect();
        states.sort_by_key(|(_, domain)| *domain);
        let rule = Maker { stages, scalars, states: &states };
        let sums: Vec<_> = stages.sums.iter().flat_map(|stage| rule.sums(stage)).collect();
        let update = rule.update(Domain::Element);
        let coarse = COARSE.into_iter().filter(|of| stages.states.contains(of));
        let forward: Vec<_> = coarse.map(|of| rule.update(of)).collect();
        let all = || sums.iter().chain([&update]).chain(&forward);
        let fits = all().all(|pass| pass.buffers() <= BUFFERS);
        let known = stages.sums.iter().flat_map(|stage| &stage.sums).copied().collect();
        fits.then_some(Self { sums, update, forward, known, states })
    }

    /// The sum that is asked for with this number.
    pub(super) fn sum(&self, number: usize) -> Sum {
        let sum = self.known.iter().find(|sum| sum.number == number);
        *sum.expect("what is known has been summed")
    }
}

/// How many elements a number of each coarse domain stands for.
pub(super) fn counts(view: View) -> impl Iterator<Item = f64> {
    COARSE.into_iter().map(move |of| view.elements(of) as f64)
}

/// The place of a coarse domain among them.
fn place_of(domain: Domain) -> usize {
    COARSE.iter().position(|of| *of == domain).expect("it is coarse")
}

impl Pass {
    /// Storage buffers of its kernel, one for the factor of the gradient among them.
    fn buffers(&self) -> usize {
        let tensors = [self.parameter, self.gradient, !self.sums.is_empty()];
        let tensors = tensors.into_iter().filter(|there| *there).count();
        self.own.len() + tensors + self.lists().len() + 1
    }

    /// The lists in which what it sees lies: the states, by their number, and `None` for the one of all sums.
    pub(super) fn lists(&self) -> Vec<Option<usize>> {
        let mut lists: Vec<_> = self.seen.iter().map(|seen| seen.list()).collect();
        lists.sort();
        lists.dedup();
        lists
    }
}

impl Seen {
    pub(super) fn list(self) -> Option<usize> {
        match self {
            Self::State(at) => Some(at),
            Self::Sum(_) => None,
        }
    }
}

/// A number that stands for many elements counts as often in a sum.
fn multiply(graph: &mut Graph, sums: &[Sum], domain: Domain) {
    if domain == Domain::Element {
        return;
    }
    for (output, sum) in graph.outputs.iter_mut().zip(sums) {
        if sum.fold == Fold::Sum {
            let count = graph.nodes.len();
            graph.nodes.extend([Node::Count(domain), Node::Mul(*output, count)]);
            *output = count + 1;
        }
    }
}

/// Makes the passes of a rule.
struct Maker<'a> {
    stages: &'a Stages,
    /// Behind so many scalars come the counts of the coarse domains.
    scalars: usize,
    states: &'a [(usize, Domain)],
}

impl Maker<'_> {
    /// Those that take the sums of a stage.
    fn sums(&self, stage: &Stage) -> Vec<Pass> {
        let mut domains: Vec<_> = stage.sums.iter().map(domain_of).collect();
        domains.sort();
        domains.dedup();
        let pass = |domain: Domain| {
            let here = stage.sums.iter().zip(&stage.graph.outputs);
            let here = here.filter(|(sum, _)| domain_of(sum) == domain);
            let (sums, ids): (Vec<Sum>, Vec<Id>) = here.unzip();
            let mut graph = stage.graph.with_outputs(ids);
            multiply(&mut graph, &sums, domain);
            let own = match domain {
                Domain::Element => self.states_of(domain),
                _ => Vec::new(),
            };
            let reads = |at: &usize| graph.nodes.contains(&Node::State(self.states[*at].0));
            let own = own.into_iter().filter(reads).collect();
            self.pass(domain, graph, own, sums)
        };
        domains.into_iter().map(pass).collect()
    }

    /// The one that brings what is one for each number of a domain forward.
    fn update(&self, domain: Domain) -> Pass {
        let own = self.states_of(domain);
        let outputs = &self.stages.update.outputs;
        let parameter = (domain == Domain::Element).then_some(outputs[0]);
        let states = own.iter().map(|at| outputs[1 + self.states[*at].0]);
        let graph = self.stages.update.with_outputs(parameter.into_iter().chain(states).collect());
        let pass = self.pass(domain, graph, own, Vec::new());
        match parameter {
            Some(_) => Pass { parameter: true, gradient: true, ..pass },
            None => pass,
        }
    }

    fn states_of(&self, domain: Domain) -> Vec<usize> {
        (0..self.states.len()).filter(|at| self.states[*at].1 == domain).collect()
    }

    fn pass(&self, of: Domain, mut graph: Graph, own: Vec<usize>, sums: Vec<Sum>) -> Pass {
        let [parameter, gradient] =
            [Node::Parameter, Node::Gradient].map(|node| graph.nodes.contains(&node));
        let mut seen = Vec::new();
        let mut see = |what: Seen| {
            let at = seen.iter().position(|known| *known == what).unwrap_or(seen.len());
            if at == seen.len() {
                seen.push(what);
            }
            Node::State(own.len() + at)
        };
        for node in &mut graph.nodes {
            *node = match *node {
                Node::State(lane) => {
                    let mut states = self.states.iter();
                    let at = states.position(|state| state.0 == lane).expect("each lane once");
                    match own.iter().position(|own| *own == at) {
                        Some(own) => Node::State(own),
                        None => see(Seen::State(at)),
                    }
                }
                Node::Known(number) => see(Seen::Sum(number)),
                Node::Count(Domain::Element) => Node::Literal(1_f64.to_bits()),
                Node::Count(of) => Node::Scalar(self.scalars + place_of(of)),
                node => node,
            };
        }
        Pass { of, graph: Arc::new(graph), parameter, gradient, own, seen, sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_descent_rules::{Adafactor, Prodigy, Rule};

    fn passes<U: Rule>(rule: &U) -> Option<Passes> {
        Passes::of(&Stages::of(rule).expect("it is allowed"), 20)
    }

    #[test]
    fn what_is_one_for_each_row_is_summed_over_rows() {
        let passes = passes(&Adafactor::new().beta1(0.9)).expect("its kernels have few buffers");
        let summed: Vec<_> = passes.sums.iter().map(|pass| (pass.of, pass.sums.len())).collect();
        assert_eq!(summed, [(Domain::Element, 3), (Domain::Row, 1), (Domain::Element, 1)]);
        // The mean of the rows reads neither parameter nor gradient.
        let means = &passes.sums[1];
        assert!(!means.parameter && !means.gradient && means.own.is_empty());
        assert_eq!(passes.update.own, [0]);
        assert_eq!(passes.states[0], (2, Domain::Element));
        let forward: Vec<_> = passes.forward.iter().map(|pass| pass.of).collect();
        assert_eq!(forward, [Domain::Row, Domain::Column]);
    }

    #[test]
    fn what_sees_the_model_has_no_passes() {
        assert!(passes(&Prodigy::new()).is_none());
    }
}
