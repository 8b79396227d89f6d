//! The graph of a rule as instructions of a kernel.
//!
//! CubeCL's expansion API is touched here: a kernel is built by calling, on the host, the
//! expansion of each operation.

use super::noise::drawn;
use super::power::power;
use crate::portable::roots::CBRT_FACTORS;
use burn_descent_rules::{Graph, Node, ROUGH_CBRT};
use cubecl::ir::{ExpandValue, Scope};
use cubecl::prelude::*;
use std::sync::Arc;

/// Applies the graph to vectors of elements, those of `unit`: `inputs` are parameter, gradient and
/// states, `beside` are the scalars in `lanes`, which lie on the device, `scalars` all others, `key`
/// are the words that noise follows from, if there is some. The result are the outputs of the graph.
#[cube]
#[allow(unused_variables)] // read in the expansion
pub(super) fn apply<C: Float, N: Size>(
    unit: usize,
    inputs: &Sequence<Vector<C, N>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<C>,
    key: &Sequence<InputScalar>,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
) -> Sequence<Vector<C, N>> {
    intrinsic!(|scope| {
        let inputs: Vec<_> = inputs.clone().into_iter().collect();
        let scalars = scalars.clone().into_iter();
        let mut scalars: Vec<_> =
            scalars.map(|scalar| scalar.__expand_get_method::<C>(scope)).collect();
        for (lane, scalar) in lanes.into_iter().zip(beside.clone().into_iter()) {
            scalars.insert(lane, scalar);
        }
        let key = key.clone().into_iter().map(|word| word.__expand_get_method::<u32>(scope));
        let key: Vec<_> = key.collect();
        let noise = || drawn::<C, N>(scope, unit, [key[0], key[1], key[2]]);
        let mut outputs = Sequence::<Vector<C, N>>::__expand_new(scope);
        for output in emit::<C, N>(scope, &graph, &inputs, &scalars, noise) {
            outputs.__expand_push_method(scope, output);
        }
        outputs
    })
}

type Value<C, N> = NativeExpand<Vector<C, N>>;

fn emit<C: Float, N: Size>(
    scope: &Scope,
    graph: &Graph,
    inputs: &[Value<C, N>],
    scalars: &[NativeExpand<C>],
    noise: impl Fn() -> Value<C, N>,
) -> Vec<Value<C, N>> {
    let splat = |x: NativeExpand<C>| -> Value<C, N> { Vector::<C, N>::__expand_new(scope, x) };
    // A mask has another element type than a number: the list has none.
    let mut values: Vec<ExpandValue> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let v = |id: usize| -> Value<C, N> { values[id].into() };
        let value: Value<C, N> = match *node {
            Node::Parameter => inputs[0],
            Node::Gradient => inputs[1],
            Node::Noise => noise(),
            Node::State(lane) => inputs[2 + lane],
            Node::Scalar(lane) => splat(scalars[lane]),
            Node::Literal(bits) => {
                splat(C::elem_type(scope).constant(f64::from_bits(bits).into()).into())
            }
            Node::Add(a, b) => v(a).__expand_add_method(scope, v(b)),
            Node::Sub(a, b) => v(a).__expand_sub_method(scope, v(b)),
            Node::Mul(a, b) if is_zero(graph, a) => match C::elem_type(scope).size() > 4 {
                true => zero_times_double::expand::<C, N>(scope, v(b)),
                false => zero_times::expand::<C, N>(scope, v(b)),
            },
            Node::Mul(a, b) => v(a).__expand_mul_method(scope, v(b)),
            Node::Div(a, b) => v(a).__expand_div_method(scope, v(b)),
            Node::Max(a, b) => {
                let greater = v(b).__expand_lt_method(scope, &v(a)).expand;
                select::expand(scope, greater.into(), v(a), v(b))
            }
            Node::Lt(a, b) => v(a).__expand_lt_method(scope, &v(b)).expand.into(),
            Node::Neg(a) => v(a).__expand_neg_method(scope),
            Node::Sqrt(a) => v(a).__expand_sqrt_method(scope),
            Node::RoughCbrt(a) if C::elem_type(scope).size() > 4 => {
                let root = |x: Value<C, N>| x.__expand_sqrt_method(scope);
                let mut x = root(root(v(a)));
                let mut product = x;
                for _ in 1..CBRT_FACTORS {
                    x = root(root(x));
                    product = product.__expand_mul_method(scope, x);
                }
                product
            }
            Node::RoughCbrt(a) => rough_cbrt::expand::<C, N>(scope, v(a)),
            Node::Pow(a, b) => power(scope, v(a), v(b)),
            Node::Abs(a) => v(a).__expand_abs_method(scope).expand.into(),
            Node::Fold(..) | Node::Count(_) | Node::Known(_) => {
                unreachable!("scalars, in the graph of a kernel")
            }
            Node::Select(m, a, b) => select::expand(scope, values[m].into(), v(a), v(b)),
        };
        values.push(value.expand);
    }
    graph.outputs.iter().map(|&id| values[id].into()).collect()
}

/// Is this node the literal 0?
fn is_zero(graph: &Graph, node: usize) -> bool {
    matches!(graph.nodes[node], Node::Literal(bits) if f64::from_bits(bits) == 0.0)
}

/// `0 x`, with which rules keep a NaN where the number itself is not wanted: NaN unless `x` is finite. Of integers,
/// for the compilers of shaders take the product to be 0.
#[cube]
fn zero_times<C: Float, N: Size>(x: Vector<C, N>) -> Vector<C, N> {
    let exponent = Vector::<u32, N>::reinterpret(x) & Vector::new(0x7f80_0000u32);
    // One more than the greatest exponent reaches the bit of the sign.
    let broken = (exponent + Vector::new(0x0080_0000u32)) >> Vector::new(31u32);
    Vector::<C, N>::reinterpret(broken * Vector::new(0x7fc0_0000u32))
}

/// [`zero_times`] of an f64.
#[cube]
fn zero_times_double<C: Float, N: Size>(x: Vector<C, N>) -> Vector<C, N> {
    let exponent = Vector::<u64, N>::reinterpret(x) & Vector::new(0x7ff0_0000_0000_0000u64);
    let broken = (exponent + Vector::new(0x0010_0000_0000_0000u64)) >> Vector::new(63u64);
    Vector::<C, N>::reinterpret(broken * Vector::new(0x7ff8_0000_0000_0000u64))
}

/// As on a CPU: a power would be a call of CUDA's library of mathematical functions, which is not everywhere.
#[cube]
fn rough_cbrt<C: Float, N: Size>(x: Vector<C, N>) -> Vector<C, N> {
    let third = Vector::<u32, N>::reinterpret(x) / Vector::new(3u32);
    Vector::<C, N>::reinterpret(third + Vector::new(comptime!(ROUGH_CBRT)))
}
