//! The graph as burn's tensor operations: any backend, any dtype, and the oracle for the other
//! engines.

use crate::program::Program;
use crate::scalars::Scalars;
use crate::state::{compute_dtype, tensor};
use burn::tensor::{Bool, Tensor, TensorData};
use burn_descent_rules::noise::{MEAN, drawn};
use burn_descent_rules::{Graph, Node};

/// One step by tensor operations.
pub(crate) fn step<const D: usize>(
    program: &Program,
    scalars: &Scalars,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let gradient = gradient.to_device(&parameter.device()).cast(compute);
    let parameter = parameter.cast(compute);
    let (mut lanes, noise) = (lanes(scalars, &parameter), noise(scalars, &gradient));
    let met = Met { parameter, gradient: Some(gradient), noise, states };
    if let Some(term) = &program.term {
        let count = met.parameter.shape().num_elements() as f64;
        let sum = run(term, &lanes, met.clone()).swap_remove(0).sum();
        lanes.extend([Number(count), Float(sum.reshape([1; D]))]);
    }
    let mut outputs = run(&program.update, &lanes, met);
    let states = outputs.drain(1..).collect();
    (outputs.swap_remove(0).cast(stored), states)
}

/// The scalars beside a tensor and in its precision, lane by lane.
fn lanes<const D: usize>(scalars: &Scalars, beside: &Tensor<D>) -> Vec<Value<D>> {
    let mut lanes: Vec<_> = scalars.numbers.iter().map(|number| Number(*number)).collect();
    for (lane, scalar) in &scalars.on_device {
        let scalar = tensor(scalar).to_device(&beside.device()).cast(beside.dtype());
        lanes.insert(*lane, Float(scalar.reshape([1; D])));
    }
    lanes
}

/// The weights to judge with, see [`Rule::evaluate`](burn_descent_rules::Rule::evaluate).
pub(crate) fn evaluate<const D: usize>(
    program: &Program,
    parameter: Tensor<D>,
    states: Vec<Tensor<D>>,
    scalars: Vec<f64>,
) -> Tensor<D> {
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let met = Met { parameter: parameter.cast(compute), gradient: None, noise: None, states };
    let scalars: Vec<_> = scalars.into_iter().map(Number).collect();
    run(&program.evaluate, &scalars, met).swap_remove(0).cast(stored)
}

/// What is drawn for the noise of this gradient, if the rule has some. The numbers are made on the
/// host: burn's tensors have no integers that wrap.
fn noise<const D: usize>(scalars: &Scalars, gradient: &Tensor<D>) -> Option<Tensor<D>> {
    let key = scalars.key?;
    let shape = gradient.shape();
    let number = |index: usize| f64::from(drawn(index as u32, key)) - MEAN;
    let numbers: Vec<f64> = (0..shape.num_elements()).map(number).collect();
    let options = (&gradient.device(), gradient.dtype());
    Some(Tensor::from_data(TensorData::new(numbers, shape), options))
}

/// What a rule meets.
#[derive(Clone)]
struct Met<const D: usize> {
    parameter: Tensor<D>,
    gradient: Option<Tensor<D>>,
    /// What is drawn for the noise of the gradient.
    noise: Option<Tensor<D>>,
    states: Vec<Tensor<D>>,
}

/// A node of the graph once it is computed. What does not depend on a tensor stays a number.
#[derive(Clone)]
enum Value<const D: usize> {
    Number(f64),
    Float(Tensor<D>),
    Mask(Tensor<D, Bool>),
    Truth(bool),
}
use Value::*;

fn run<const D: usize>(graph: &Graph, scalars: &[Value<D>], met: Met<D>) -> Vec<Tensor<D>> {
    let Met { parameter, mut gradient, mut noise, states } = met;
    let shape = parameter.shape();
    let (device, dtype) = (parameter.device(), parameter.dtype());
    let full = |number: f64| Tensor::full(shape.clone(), number, (&device, dtype));
    let float = |value: Value<D>| match value {
        Float(tensor) => tensor,
        Number(number) => full(number),
        Mask(_) | Truth(_) => unreachable!("Real keeps masks and numbers apart"),
    };
    let mask = |value: Value<D>| match value {
        Mask(mask) => mask,
        _ => unreachable!("Real keeps masks and numbers apart"),
    };

    // What follows from a scalar on the device has one element, until a mask needs it everywhere.
    let whole = |value: Value<D>| match value {
        Float(tensor) if tensor.shape() != shape => tensor.expand(shape.clone()),
        value => float(value),
    };

    // Equal nodes are one node, so each input is met once and can be moved.
    let mut parameter = Some(parameter);
    let mut states: Vec<_> = states.into_iter().map(Some).collect();
    let input = |input: &mut Option<Tensor<D>>| Float(input.take().expect("met once"));
    let mut uses = graph.uses();
    let mut values: Vec<Option<Value<D>>> = Vec::with_capacity(graph.nodes.len());
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
                    let (a, b) = (whole(a), whole(b));
                    let greater = a.clone().greater(b.clone());
                    Float(b.mask_where(greater, a))
                }
            },
            Node::Lt(a, b) => match (take(a), take(b)) {
                (Number(a), Number(b)) => Truth(a < b),
                (a @ Float(_), Number(b)) => Mask(whole(a).lower_elem(b)),
                (Number(a), b @ Float(_)) => Mask(whole(b).greater_elem(a)),
                (a, b) => Mask(whole(a).lower(whole(b))),
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
            Node::Abs(a) => match take(a) {
                Number(a) => Number(a.abs()),
                a => Float(float(a).abs()),
            },
            Node::Select(m, yes, no) => match (take(m), take(yes), take(no)) {
                (Truth(true), yes, _) => yes,
                (Truth(false), _, no) => no,
                (m, yes, no) => Float(whole(no).mask_where(mask(m), whole(yes))),
            },
        };
        values.push(Some(value));
    }
    let mut output = |id: usize| take(&mut values, &mut uses, id);
    graph.outputs.iter().map(|&id| float(output(id))).collect()
}

/// A cube root that is off by 4 % at most, as `x^(1/4) x^(1/16) x^(1/64) ...`: shaders raise only f32 to a
/// power, and CUDA calls a library for it that is not everywhere.
fn rough_cbrt<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let (mut root, mut product) = (x.clone(), x.ones_like());
    for _ in 0..CBRT_FACTORS {
        root = root.sqrt().sqrt();
        product = product * root.clone();
    }
    product
}

/// Factors of a cube root that leave `x^(1/3 4^-7)`: 1.5 % for the greatest and the least numbers.
pub(crate) const CBRT_FACTORS: usize = 7;

fn take<const D: usize>(
    values: &mut [Option<Value<D>>],
    uses: &mut [usize],
    id: usize,
) -> Value<D> {
    uses[id] -= 1;
    let value = if uses[id] == 0 { values[id].take() } else { values[id].clone() };
    value.expect("a value is kept until its last use")
}
