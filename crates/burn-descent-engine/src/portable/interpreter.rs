//! A graph as tensor operations: each node is computed once, as soon as it can be, and moved into its last use, so that
//! burn can work in its memory.

use super::roots::{power, rough_cbrt};
use super::{Stack, folded, shape};
use burn::tensor::{Bool, DType, Device, Tensor};
use burn_descent_rules::{Domain, Fold, Graph, Id, Node, Real, View};
use std::sync::Arc;

/// What a rule meets. Inputs are there until they are taken.
pub(super) struct Met {
    pub(super) parameter: Option<Stack>,
    pub(super) gradient: Option<Stack>,
    /// What is drawn for each element.
    pub(super) noise: Option<Stack>,
    pub(super) states: Vec<Option<Stack>>,
    /// The scalars, lane by lane.
    pub(super) scalars: Vec<Value>,
    pub(super) view: View,
    /// How many elements are stepped together.
    pub(super) model: usize,
}

/// A node of the graph once it is computed. What does not depend on a tensor stays a number.
#[derive(Clone)]
pub(super) enum Value {
    Number(f64),
    /// Of one number for what is of a coarser domain than the element.
    Float(Stack),
    Mask(Tensor<3, Bool>),
    Truth(bool),
}
use Value::*;

pub(super) const APART: &str = "Real keeps masks and numbers apart";

/// A graph that is being computed.
pub(super) struct Interpreter {
    graph: Arc<Graph>,
    /// The stage in which each node is computed.
    depths: Vec<usize>,
    /// How often each node is still to be used.
    uses: Vec<usize>,
    /// What is computed and not yet used up.
    values: Vec<Option<Value>>,
    /// The sums that are known, by their number.
    known: Vec<Value>,
    met: Met,
    /// Where, and in which precision.
    pub(super) device: Device,
    pub(super) dtype: DType,
}

impl Interpreter {
    /// Before the first stage. The rule asks for so many sums.
    pub(super) fn new(graph: &Arc<Graph>, sums: usize, met: Met) -> Self {
        let beside = met.parameter.as_ref().expect("it is met before the first stage");
        Self {
            depths: graph.depths(),
            uses: graph.uses(),
            values: vec![None; graph.nodes.len()],
            known: vec![Number(0.0); sums],
            graph: graph.clone(),
            device: beside.device(),
            dtype: beside.dtype(),
            met,
        }
    }

    pub(super) fn view(&self) -> View {
        self.met.view
    }

    /// How many elements are stepped together.
    pub(super) fn begin(&mut self, model: usize) {
        self.met.model = model;
    }

    /// The sum of this number.
    pub(super) fn known(&self, number: usize) -> &Value {
        &self.known[number]
    }

    /// This is the sum of this number.
    pub(super) fn learn(&mut self, number: usize, sum: Value) {
        self.known[number] = sum;
    }

    /// Computes what follows from the sums of the stages before this one, and takes its sums: those of whole matrices
    /// by `whole`.
    pub(super) fn stage(&mut self, number: usize, mut whole: impl FnMut(usize, Stack) -> Stack) {
        self.compute(number);
        for id in 0..self.graph.nodes.len() {
            let Node::Fold(sum, fold, to, of) = self.graph.nodes[id] else { continue };
            if self.depths[id] != number + 1 {
                continue;
            }
            let x = self.take_float(of);
            let view = self.met.view;
            let folded = match fold {
                Fold::Whole => whole(sum, x.expand(shape(view, Domain::Element))),
                _ => folded(x, fold, to, view),
            };
            self.known[sum] = Float(folded);
        }
    }

    /// The outputs, after so many stages: of one number for what is of a coarser domain.
    pub(super) fn outputs(mut self, stages: usize) -> Vec<Stack> {
        self.compute(stages);
        let graph = self.graph.clone();
        graph.outputs.iter().map(|id| self.take_float(*id)).collect()
    }

    fn compute(&mut self, stage: usize) {
        let graph = self.graph.clone();
        for (id, node) in graph.nodes.iter().enumerate() {
            if self.depths[id] == stage {
                self.values[id] = Some(self.value(*node));
            }
        }
    }

    fn take(&mut self, id: Id) -> Value {
        self.uses[id] -= 1;
        let value =
            if self.uses[id] == 0 { self.values[id].take() } else { self.values[id].clone() };
        value.expect("a value is kept until its last use")
    }

    fn take_float(&mut self, id: Id) -> Stack {
        let value = self.take(id);
        self.float(value)
    }

    fn float(&self, value: Value) -> Stack {
        match value {
            Float(tensor) => tensor,
            Number(number) => Stack::full([1; 3], number, (&self.device, self.dtype)),
            Mask(_) | Truth(_) => unreachable!("{APART}"),
        }
    }

    fn pair(&self, a: Value, b: Value) -> (Stack, Stack) {
        alike(self.float(a), self.float(b))
    }

    fn value(&mut self, node: Node) -> Value {
        // Equal nodes are one node, so each input is met once and can be moved.
        let input = |input: &mut Option<Stack>| Float(input.take().expect("met once"));
        match node {
            Node::Parameter => input(&mut self.met.parameter),
            Node::Gradient => input(&mut self.met.gradient),
            Node::Noise => input(&mut self.met.noise),
            Node::State(lane) => input(&mut self.met.states[lane]),
            Node::Scalar(lane) => self.met.scalars[lane].clone(),
            Node::Literal(bits) => Number(f64::from_bits(bits)),
            Node::Add(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(a + b),
                (Float(a), Number(b)) | (Number(b), Float(a)) => Float(a.add_scalar(b)),
                (a, b) => Float(self.float(a) + self.float(b)),
            },
            Node::Sub(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(a - b),
                (Float(a), Number(b)) => Float(a.sub_scalar(b)),
                (a, b) => Float(self.float(a) - self.float(b)),
            },
            Node::Mul(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(a * b),
                (Float(a), Number(1.0)) | (Number(1.0), Float(a)) => Float(a),
                (Float(a), Number(b)) | (Number(b), Float(a)) => Float(a.mul_scalar(b)),
                (a, b) => Float(self.float(a) * self.float(b)),
            },
            Node::Div(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(a / b),
                (Float(a), Number(b)) => Float(a.div_scalar(b)),
                (a, b) => Float(self.float(a) / self.float(b)),
            },
            Node::Max(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(a.max(b)),
                (a, b) => {
                    let (a, b) = self.pair(a, b);
                    let greater = a.clone().greater(b.clone());
                    Float(b.mask_where(greater, a))
                }
            },
            Node::Lt(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Truth(a < b),
                (Float(a), Number(b)) => Mask(a.lower_elem(b)),
                (Number(a), Float(b)) => Mask(b.greater_elem(a)),
                (a, b) => {
                    let (a, b) = self.pair(a, b);
                    Mask(a.lower(b))
                }
            },
            Node::Neg(a) => match self.take(a) {
                Number(a) => Number(-a),
                a => Float(self.float(a).neg()),
            },
            Node::Sqrt(a) => match self.take(a) {
                Number(a) => Number(a.sqrt()),
                a => Float(self.float(a).sqrt()),
            },
            Node::RoughCbrt(a) => match self.take(a) {
                Number(a) => Number(a.cbrt()),
                a => Float(rough_cbrt(self.float(a))),
            },
            Node::Pow(a, b) => match (self.take(a), self.take(b)) {
                (Number(a), Number(b)) => Number(Real::powf(a, b)),
                (a, y @ Number(_)) => Float(power(self.float(a), y)),
                (a, y) => {
                    let (a, y) = self.pair(a, y);
                    Float(power(a, Float(y)))
                }
            },
            Node::Abs(a) => match self.take(a) {
                Number(a) => Number(a.abs()),
                a => Float(self.float(a).abs()),
            },
            Node::Select(m, yes, no) => match (self.take(m), self.take(yes), self.take(no)) {
                (Truth(true), yes, _) => yes,
                (Truth(false), _, no) => no,
                (Mask(mask), yes, no) => {
                    let (yes, no) = self.pair(yes, no);
                    let wide = wider(yes.dims(), mask.dims());
                    Float(no.expand(wide).mask_where(mask.expand(wide), yes.expand(wide)))
                }
                _ => unreachable!("{APART}"),
            },
            Node::Count(Domain::Model) => Number(self.met.model as f64),
            Node::Count(of) => Number(self.met.view.elements(of) as f64),
            Node::Known(number) | Node::Fold(number, ..) => {
                core::mem::replace(&mut self.known[number], Number(0.0))
            }
        }
    }
}

/// burn's masks and comparisons want one shape.
fn alike(a: Stack, b: Stack) -> (Stack, Stack) {
    let shape = wider(a.dims(), b.dims());
    (a.expand(shape), b.expand(shape))
}

/// The shape of two of which one may have one number where the other has several.
fn wider(a: [usize; 3], b: [usize; 3]) -> [usize; 3] {
    core::array::from_fn(|dim| a[dim].max(b[dim]))
}
