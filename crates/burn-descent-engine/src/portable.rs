//! The graph as burn's tensor operations: any backend, any dtype, and the oracle for the other
//! engines.

use crate::program::Program;
use crate::state::compute_dtype;
use burn::tensor::{Bool, Tensor, TensorData};
use burn_descent_rules::noise::{MEAN, drawn};
use burn_descent_rules::{Graph, Node};

/// One step by tensor operations.
pub(crate) fn step<const D: usize>(
    program: &Program,
    scalars: &[f64],
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let gradient = gradient.to_device(&parameter.device()).cast(compute);
    let (scalars, sum) = sum(program, scalars, &parameter, &gradient, &states);
    let (parameter, noise) = (parameter.cast(compute), noise(program, &scalars, &gradient));
    let met = Met { parameter, gradient: Some(gradient), noise, states };
    let mut outputs = run(&program.update, &scalars, sum, met);
    let states = outputs.drain(1..).collect();
    (outputs.swap_remove(0).cast(stored), states)
}

/// The scalars for the update of a rule that has terms, and the sum of these, of one element.
pub(crate) fn sum<const D: usize>(
    program: &Program,
    scalars: &[f64],
    parameter: &Tensor<D>,
    gradient: &Tensor<D>,
    states: &[Tensor<D>],
) -> (Vec<f64>, Option<Tensor<D>>) {
    let Some(term) = &program.term else { return (scalars.to_vec(), None) };
    let compute = compute_dtype(parameter.dtype());
    let (parameter, g) = (parameter.clone().cast(compute), gradient.clone().cast(compute));
    let (states, noise) = (states.to_vec(), noise(program, scalars, &g));
    let count = parameter.shape().num_elements() as f64;
    let met = Met { parameter, gradient: Some(g), noise, states };
    let terms = run(term, scalars, None, met).swap_remove(0);
    ([scalars, &[count]].concat(), Some(terms.sum().reshape([1; D])))
}

/// The weights to judge with, see [`Rule::evaluate`](burn_descent_rules::Rule::evaluate).
pub(crate) fn evaluate<const D: usize>(
    program: &Program,
    parameter: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> Tensor<D> {
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let met = Met { parameter: parameter.cast(compute), gradient: None, noise: None, states };
    run(&program.evaluate, &[], None, met).swap_remove(0).cast(stored)
}

/// What is drawn for the noise of this gradient, if the rule has some. The numbers are made on the
/// host: burn's tensors have no integers that wrap.
fn noise<const D: usize>(
    program: &Program,
    scalars: &[f64],
    gradient: &Tensor<D>,
) -> Option<Tensor<D>> {
    let key = program.noise.map(|lane| [1, 2, 3].map(|word| scalars[lane + word] as u32))?;
    let shape = gradient.shape();
    let number = |index: usize| f64::from(drawn(index as u32, key)) - MEAN;
    let numbers: Vec<f64> = (0..shape.num_elements()).map(number).collect();
    let options = (&gradient.device(), gradient.dtype());
    Some(Tensor::from_data(TensorData::new(numbers, shape), options))
}

/// What a rule meets.
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

fn run<const D: usize>(
    graph: &Graph,
    scalars: &[f64],
    sum: Option<Tensor<D>>,
    met: Met<D>,
) -> Vec<Tensor<D>> {
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

    // What follows from a sum has one element, until a mask needs it everywhere.
    let whole = |value: Value<D>| match value {
        Float(tensor) if tensor.shape() != shape => tensor.expand(shape.clone()),
        value => float(value),
    };

    // Equal nodes are one node, so each input is met once and can be moved.
    let (mut parameter, mut sum) = (Some(parameter), sum);
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
            Node::Scalar(lane) => match scalars.get(lane) {
                Some(scalar) => Number(*scalar),
                None => input(&mut sum),
            },
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

fn take<const D: usize>(
    values: &mut [Option<Value<D>>],
    uses: &mut [usize],
    id: usize,
) -> Value<D> {
    uses[id] -= 1;
    let value = if uses[id] == 0 { values[id].take() } else { values[id].clone() };
    value.expect("a value is kept until its last use")
}
