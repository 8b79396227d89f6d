//! The graph as burn's tensor operations: any backend, any dtype, and the oracle for the other
//! engines.

pub(crate) mod roots;

use crate::Reading;
use crate::code::Code;
use crate::matrices::Asked;
use crate::reduce::wide;
use crate::scalars::Scalars;
use crate::state::{compute_dtype, tensor};
use burn::tensor::{Bool, DType, Shape, Tensor, TensorData};
use burn_descent_rules::noise::{Draw, MEAN, drawn};
use burn_descent_rules::{Domain, Fold, Graph, Node, Real, View};
use roots::{power, rough_cbrt};

/// Whatever shape a tensor has, a rule sees a stack of matrices.
type Stack = Tensor<3>;

/// One step by tensor operations. A sum over the model is one over this tensor.
pub(crate) fn step<const D: usize>(
    code: &Code,
    scalars: &Scalars,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    if parameter.shape().num_elements() == 0 {
        return (parameter, states);
    }
    let mut walk = Walk::new(code, scalars, parameter, gradient, states);
    for number in 0..code.stages.sums.len() {
        walk.stage(code, number);
    }
    walk.finish(code)
}

/// A step under way.
pub(crate) struct Walk {
    met: Met,
    lanes: Vec<Value>,
    /// The sums that are known, by their number.
    known: Vec<Value>,
    /// The rule, where it makes something of whole matrices, and the matrices that it keeps.
    asked: Option<(Asked, Vec<Stack>)>,
    /// Of the parameter, then of the states.
    shapes: Vec<Shape>,
    /// The type in which the parameter is stored.
    stored: DType,
}

impl Walk {
    pub(crate) fn new<const D: usize>(
        code: &Code,
        scalars: &Scalars,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        states: Vec<Tensor<D>>,
    ) -> Self {
        let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
        let shapes = core::iter::once(&parameter).chain(&states).map(Tensor::shape).collect();
        let mut states = states;
        let asked = scalars.asked.clone().map(|asked| {
            let kept = states.drain(code.states.len()..).zip(asked.keeps());
            let kept = kept.map(|(numbers, keep)| numbers.reshape(keep.dims)).collect();
            (asked, kept)
        });
        let view = scalars.view;
        let gradient = gradient.to_device(&parameter.device()).cast(compute);
        let parameter = stack(parameter.cast(compute), view, Domain::Element);
        let met = Met {
            noise: scalars.draw.map(|draw| noise(draw, view, &parameter)),
            gradient: Some(stack(gradient, view, Domain::Element)),
            states: stacks(code, states, view),
            parameter,
            view,
            model: view.len(),
        };
        let lanes = lanes(scalars, &met.parameter);
        Self { lanes, known: vec![Number(0.0); code.asked()], asked, met, shapes, stored }
    }

    /// Takes the sums of a stage.
    pub(crate) fn stage(&mut self, code: &Code, number: usize) {
        let stage = &code.stages.sums[number];
        let terms = run(&stage.graph, &self.lanes, &self.known, self.met.clone());
        for (sum, x) in stage.sums.iter().zip(terms) {
            self.known[sum.number] = Float(match (&mut self.asked, sum.fold) {
                (Some((asked, kept)), Fold::Whole) => {
                    let whole = shape(self.met.view, Domain::Element);
                    asked.whole(code.stages.whole_number(sum), x.expand(whole), kept)
                }
                _ => folded(x, sum.fold, sum.to, self.met.view),
            });
        }
    }

    /// How many elements are stepped together.
    pub(crate) fn begin(&mut self, model: usize) {
        self.met.model = model;
    }

    /// The sum of this number.
    pub(crate) fn sum(&self, number: usize) -> Reading {
        match &self.known[number] {
            Float(sum) => Reading::on_device(sum.clone().reshape([1])),
            Number(sum) => (*sum).into(),
            Mask(_) | Truth(_) => unreachable!("{APART}"),
        }
    }

    /// The sum of this number is this one, over more than this tensor.
    pub(crate) fn learn(&mut self, number: usize, total: &Reading) {
        let parameter = &self.met.parameter;
        self.known[number] = match total.tensor() {
            Some(total) => {
                let total = total.clone().to_device(&parameter.device()).cast(parameter.dtype());
                Float(total.reshape([1; 3]))
            }
            None => Number(total.get()),
        };
    }

    /// The new parameter and states.
    pub(crate) fn finish<const D: usize>(self, code: &Code) -> (Tensor<D>, Vec<Tensor<D>>) {
        let Self { met, lanes, known, asked, shapes, stored } = self;
        let (stages, view) = (&code.stages, met.view);
        let domains = core::iter::once(Domain::Element).chain(stages.states.iter().copied());
        let outputs = run(&stages.update, &lanes, &known, met).into_iter().zip(domains);
        let kept = asked.into_iter().flat_map(|(_, kept)| kept);
        let mut shapes = shapes.into_iter();
        let outputs = outputs
            .zip(shapes.by_ref())
            .map(|((output, of), whole)| output.expand(shape(view, of)).reshape(whole));
        let mut outputs: Vec<Tensor<D>> = outputs.collect();
        outputs.extend(kept.zip(shapes).map(|(kept, shape)| kept.reshape(shape)));
        let states = outputs.drain(1..).collect();
        (outputs.swap_remove(0).cast(stored), states)
    }
}

const APART: &str = "Real keeps masks and numbers apart";

/// The numbers of a domain as a stack of matrices of one, a row, a column, or whole ones.
fn stack<const D: usize>(numbers: Tensor<D>, view: View, of: Domain) -> Stack {
    numbers.reshape(shape(view, of))
}

fn stacks<const D: usize>(code: &Code, states: Vec<Tensor<D>>, view: View) -> Vec<Stack> {
    let states = states.into_iter().zip(&code.stages.states);
    states.map(|(state, of)| stack(state, view, *of)).collect()
}

/// How many numbers of a domain there are in each dimension.
fn shape(view: View, of: Domain) -> [usize; 3] {
    view.stored_of(of)
}

/// The scalars beside a tensor and in its precision, lane by lane.
fn lanes(scalars: &Scalars, beside: &Stack) -> Vec<Value> {
    let mut lanes: Vec<_> = scalars.numbers.iter().map(|number| Number(*number)).collect();
    for (lane, scalar) in &scalars.on_device {
        let scalar = tensor(scalar).to_device(&beside.device()).cast(beside.dtype());
        lanes.insert(*lane, Float(scalar.reshape([1; 3])));
    }
    lanes
}

/// The weights to evaluate, see [`Rule::evaluate`](burn_descent_rules::Rule::evaluate).
pub(crate) fn evaluate<const D: usize>(
    code: &Code,
    parameter: Tensor<D>,
    states: Vec<Tensor<D>>,
    view: View,
    scalars: Vec<f64>,
) -> Tensor<D> {
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let whole = parameter.shape();
    let met = Met {
        parameter: stack(parameter.cast(compute), view, Domain::Element),
        gradient: None,
        noise: None,
        states: stacks(code, states, view),
        view,
        model: view.len(),
    };
    let scalars: Vec<_> = scalars.into_iter().map(Number).collect();
    let evaluated = run(&code.evaluate, &scalars, &[], met).swap_remove(0);
    evaluated.expand(shape(view, Domain::Element)).reshape(whole).cast(stored)
}

/// What is drawn for each element. The numbers are made on the host: burn's tensors have no integers that
/// wrap.
fn noise(draw: Draw, view: View, beside: &Stack) -> Stack {
    let number = |index: usize| f64::from(drawn(index as u32, draw.key)) - MEAN;
    let numbers: Vec<f64> = (0..view.len()).map(number).collect();
    let options = (&beside.device(), beside.dtype());
    Tensor::from_data(TensorData::new(numbers, shape(view, Domain::Element)), options)
}

/// What a rule meets.
#[derive(Clone)]
struct Met {
    parameter: Stack,
    gradient: Option<Stack>,
    /// What is drawn for each element.
    noise: Option<Stack>,
    states: Vec<Stack>,
    view: View,
    /// How many elements are stepped together.
    model: usize,
}

/// A node of the graph once it is computed. What does not depend on a tensor stays a number.
#[derive(Clone)]
enum Value {
    Number(f64),
    /// Of one number for what is of a coarser domain than the element.
    Float(Stack),
    Mask(Tensor<3, Bool>),
    Truth(bool),
}
use Value::*;

/// The outputs of a graph in which these sums are known: of one number for what is of a coarser domain.
fn run(graph: &Graph, scalars: &[Value], known: &[Value], met: Met) -> Vec<Stack> {
    let Met { parameter, mut gradient, mut noise, states, view, model } = met;
    let (device, dtype) = (parameter.device(), parameter.dtype());
    let one = |number: f64| Stack::full([1; 3], number, (&device, dtype));
    let float = |value: Value| match value {
        Float(tensor) => tensor,
        Number(number) => one(number),
        Mask(_) | Truth(_) => unreachable!("{APART}"),
    };
    let mask = |value: Value| match value {
        Mask(mask) => mask,
        _ => unreachable!("{APART}"),
    };

    // burn's masks and comparisons want one shape.
    let alike = |a: Stack, b: Stack| {
        let shape: Vec<_> = a.dims().iter().zip(b.dims()).map(|(a, b)| (*a).max(b)).collect();
        let shape: [usize; 3] = [shape[0], shape[1], shape[2]];
        (a.expand(shape), b.expand(shape))
    };
    let pair = |a: Value, b: Value| alike(float(a), float(b));

    // Equal nodes are one node, so each input is met once and can be moved.
    let mut parameter = Some(parameter);
    let mut states: Vec<_> = states.into_iter().map(Some).collect();
    let input = |input: &mut Option<Stack>| Float(input.take().expect("met once"));
    let mut uses = graph.uses();
    let mut values: Vec<Option<Value>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        // A value is moved into its last use, so that burn can work in its memory.
        let mut take = |id: usize| take(&mut values, &mut uses, id);
        let value = match *node {
            Node::Parameter => input(&mut parameter),
            Node::Gradient => input(&mut gradient),
            Node::Noise => input(&mut noise),
            Node::State(lane) => input(&mut states[lane]),
            Node::Scalar(lane) => scalars[lane].clone(),
            Node::Literal(bits) => Number(f64::from_bits(bits)),
            Node::Add(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(a + b),
                (Float(a), Number(b)) | (Number(b), Float(a)) => Float(a.add_scalar(b)),
                (a, b) => Float(float(a) + float(b)),
            },
            Node::Sub(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(a - b),
                (Float(a), Number(b)) => Float(a.sub_scalar(b)),
                (a, b) => Float(float(a) - float(b)),
            },
            Node::Mul(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(a * b),
                (Float(a), Number(1.0)) | (Number(1.0), Float(a)) => Float(a),
                (Float(a), Number(b)) | (Number(b), Float(a)) => Float(a.mul_scalar(b)),
                (a, b) => Float(float(a) * float(b)),
            },
            Node::Div(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(a / b),
                (Float(a), Number(b)) => Float(a.div_scalar(b)),
                (a, b) => Float(float(a) / float(b)),
            },
            Node::Max(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(a.max(b)),
                (a, b) => {
                    let (a, b) = pair(a, b);
                    let greater = a.clone().greater(b.clone());
                    Float(b.mask_where(greater, a))
                }
            },
            Node::Lt(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Truth(a < b),
                (Float(a), Number(b)) => Mask(a.lower_elem(b)),
                (Number(a), Float(b)) => Mask(b.greater_elem(a)),
                (a, b) => {
                    let (a, b) = pair(a, b);
                    Mask(a.lower(b))
                }
            },
            Node::Neg(a) => match take(a) {
                Number(a) => Number(-a),
                a => Float(float(a).neg()),
            },
            Node::Sqrt(a) => match take(a) {
                Number(a) => Number(a.sqrt()),
                a => Float(float(a).sqrt()),
            },
            Node::RoughCbrt(a) => match take(a) {
                Number(a) => Number(a.cbrt()),
                a => Float(rough_cbrt(float(a))),
            },
            Node::Pow(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Number(Real::powf(a, b)),
                (a, y @ Number(_)) => Float(power(float(a), y)),
                (a, y) => {
                    let (a, y) = pair(a, y);
                    Float(power(a, Float(y)))
                }
            },
            Node::Abs(a) => match take(a) {
                Number(a) => Number(a.abs()),
                a => Float(float(a).abs()),
            },
            Node::Select(m, yes, no) => match (take(m), take(yes), take(no)) {
                (Truth(true), yes, _) => yes,
                (Truth(false), _, no) => no,
                (m, yes, no) => {
                    let ((yes, no), mask) = (pair(yes, no), mask(m));
                    let wide: Vec<_> =
                        yes.dims().iter().zip(mask.dims()).map(|(a, b)| (*a).max(b)).collect();
                    let wide: [usize; 3] = [wide[0], wide[1], wide[2]];
                    Float(no.expand(wide).mask_where(mask.expand(wide), yes.expand(wide)))
                }
            },
            Node::Count(Domain::Model) => Number(model as f64),
            Node::Count(of) => Number(view.elements(of) as f64),
            Node::Known(number) => known[number].clone(),
            Node::Fold(..) => unreachable!("the graph of a stage knows its sums"),
        };
        values.push(Some(value));
    }
    let mut output = |id: usize| take(&mut values, &mut uses, id);
    graph.outputs.iter().map(|&id| float(output(id))).collect()
}

/// The sums, or the maxima, of all that a number of a domain stands for.
fn folded(x: Stack, fold: Fold, to: Domain, view: View) -> Stack {
    let (whole, one, dtype) = (shape(view, Domain::Element), shape(view, to), x.dtype());
    let wide = wide(&x);
    let mut x = x.expand(whole).cast(wide);
    if let Domain::Tensor | Domain::Model = to {
        let one = if fold == Fold::Sum { total(x.reshape([view.len()])) } else { x.max() };
        return one.reshape([1; 3]).cast(dtype);
    }
    for dim in (0..3).filter(|dim| one[*dim] < whole[*dim]) {
        x = match fold {
            Fold::Sum => x.sum_dim(dim),
            Fold::Max => x.max_dim(dim),
            Fold::Whole => x,
        };
    }
    x.cast(dtype)
}

/// The sum of all numbers, in short runs, which lose less to rounding; and a step that took burn's sum of
/// 160,801 numbers in one run was wrong on wgpu with lavapipe.
fn total(mut x: Tensor<1>) -> Tensor<1> {
    const RUN: usize = 256;
    while x.dims()[0] > RUN {
        let (rows, rest) = (x.dims()[0] / RUN, x.dims()[0] % RUN);
        let sums = x.clone().narrow(0, 0, rows * RUN).reshape([rows, RUN]).sum_dim(1);
        let sums = sums.reshape([rows]);
        x = match rest {
            0 => sums,
            _ => Tensor::cat(vec![sums, x.narrow(0, rows * RUN, rest)], 0),
        };
    }
    x.sum()
}

fn take(values: &mut [Option<Value>], uses: &mut [usize], id: usize) -> Value {
    uses[id] -= 1;
    let value = if uses[id] == 0 { values[id].take() } else { values[id].clone() };
    value.expect("a value is kept until its last use")
}
