//! Sums over whole tensors that stay on the device, with the same bits in every run: each unit of a
//! launch adds to a part of its own, and two small launches add up the parts.

use super::emit::apply;
use super::extension::{Engine, List, Work};
use super::kernel::{compute_type, numbers, stored_type, width, words};
use crate::scalars::Scalars;
use crate::state::{compute_dtype, tensor};
use burn::backend::{BackendTensor, Dispatch, DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::{Graph, Node};
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;
use std::sync::{Arc, OnceLock};

/// Parts of a sum: as many units work on a tensor at most.
const PARTS: usize = 1 << 14;

/// Parts of these parts.
const MIDDLE: usize = 1 << 7;

/// Elements that a unit adds up before it adds them to its sum: a short sum loses less to rounding.
const RUN: usize = 64;

/// Adds the graph of all elements to the parts: each output to one of its own.
#[cube(launch_unchecked)]
fn add<P: Float, C: Float, N: Size>(
    parts: &mut [C],
    inputs: &Sequence<Box<[Vector<P, N>]>>,
    states: &Sequence<Box<[Vector<C, N>]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    units: usize,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let unit = ABSOLUTE_POS;
    let first = &inputs[0];
    let length = first.len();
    let outputs = comptime!(graph.outputs.len());
    if unit < units {
        let mut known = Sequence::<C>::new();
        #[unroll]
        for number in 0..beside.len() {
            let scalar = &beside[number];
            known.push(scalar[0]);
        }
        let mut sums = Array::<Vector<C, N>>::new(outputs);
        let mut run = Array::<Vector<C, N>>::new(outputs);
        #[unroll]
        for output in 0..outputs {
            sums[output] = Vector::<C, N>::new(C::from_int(0));
        }
        for start in range_stepped(unit, length, units * RUN) {
            #[unroll]
            for output in 0..outputs {
                run[output] = Vector::<C, N>::new(C::from_int(0));
            }
            for step in 0..RUN {
                let i = start + step * units;
                if i < length {
                    let mut met = Sequence::<Vector<C, N>>::new();
                    #[unroll]
                    for number in 0..inputs.len() {
                        let input = &inputs[number];
                        met.push(Vector::cast_from(input[i]));
                    }
                    #[unroll]
                    for lane in 0..states.len() {
                        let state = &states[lane];
                        met.push(state[i]);
                    }
                    let terms =
                        apply::<C, N>(i, &met, scalars, &known, key, graph.clone(), lanes.clone());
                    #[unroll]
                    for output in 0..outputs {
                        run[output] += terms[output];
                    }
                }
            }
            #[unroll]
            for output in 0..outputs {
                sums[output] += run[output];
            }
        }
        #[unroll]
        for output in 0..outputs {
            let sum = sums[output];
            let mut total = C::from_int(0);
            #[unroll]
            for lane in 0..N::value() {
                total += sum.extract(lane);
            }
            parts[unit * outputs + output] += total;
        }
    }
}

/// Every element of `to` is the sum of as many of `from`.
#[cube(launch_unchecked)]
fn fold<C: Float>(from: &[C], to: &mut [C], #[define(C)] _dtype: ElemType) {
    let unit = ABSOLUTE_POS;
    if unit < to.len() {
        let mut sum = C::from_int(0);
        for i in range_stepped(unit, from.len(), to.len()) {
            sum += from[i];
        }
        to[unit] = sum;
    }
}

/// The norm of what has these sums of squares: of the numbers, of their fractions, and of their
/// multiples. The first is right but where it overflows or vanishes.
#[cube(launch_unchecked)]
fn norm<C: Float>(
    squares: &[C],
    to: &mut [C],
    limits: &Sequence<InputScalar>,
    #[define(C)] _dtype: ElemType,
) {
    if ABSOLUTE_POS == 0 {
        let (most, least, scale) =
            (limits[0].get::<C>(), limits[1].get::<C>(), limits[2].get::<C>());
        let mut norm = squares[0].sqrt();
        if squares[0] > most {
            norm = squares[1].sqrt() * scale;
        } else if squares[0] < least {
            norm = squares[2].sqrt() / scale;
        }
        to[0] = norm;
    }
}

/// Sums of the outputs of a graph, in parts.
pub(crate) struct Total {
    parts: DispatchTensor,
    /// How many sums.
    outputs: usize,
}

impl Total {
    /// Zero, beside a tensor and in the precision that this is computed in.
    fn beside(there: &DispatchTensor, outputs: usize) -> Self {
        let (device, dtype) = place(there);
        let parts = Tensor::<1>::zeros([PARTS * outputs], (&device, dtype)).into_dispatch();
        Self { parts, outputs }
    }

    /// Adds the graph of all elements of some tensors.
    fn add(
        self,
        inputs: Vec<DispatchTensor>,
        states: Vec<DispatchTensor>,
        scalars: &Scalars,
        graph: Arc<Graph>,
    ) -> Self {
        let (work, beside) = Work::new(graph, scalars);
        let (inputs, states) = (List::new(inputs), List::new(states));
        let parts = <Dispatch as Engine>::add(self.parts, inputs, states, beside, work);
        Self { parts, ..self }
    }

    /// The sums, an element each.
    fn sums(self) -> DispatchTensor {
        let middle = self.empty(MIDDLE * self.outputs);
        let sums = self.empty(self.outputs);
        <Dispatch as Engine>::fold(<Dispatch as Engine>::fold(self.parts, middle), sums)
    }

    /// The norm, of one element, of what has been added by [`add_squares`].
    pub(crate) fn norm(self) -> Tensor<1> {
        let norm = self.empty(1);
        Tensor::from_dispatch(<Dispatch as Engine>::norm(self.sums(), norm))
    }

    fn empty(&self, count: usize) -> DispatchTensor {
        let (device, dtype) = place(&self.parts);
        Tensor::<1>::empty([count], (&device, dtype)).into_dispatch()
    }
}

/// Where a sum of this tensor lies, and in which precision.
fn place(beside: &DispatchTensor) -> (Device, DType) {
    (tensor(beside).device(), compute_dtype(beside.dtype()))
}

/// The sum of a graph over all elements of a parameter and what belongs to it.
pub(super) fn sum(
    graph: Arc<Graph>,
    parameter: &DispatchTensor,
    gradient: &DispatchTensor,
    states: &[DispatchTensor],
    scalars: &Scalars,
) -> DispatchTensor {
    let inputs = vec![parameter.clone(), gradient.clone()];
    let outputs = graph.outputs.len();
    Total::beside(parameter, outputs).add(inputs, states.to_vec(), scalars, graph).sums()
}

/// Where squares of a precision are no numbers any more: a sum of them above `most` has overflowed, or
/// may have, and one below `least` has lost some. They are taken of fractions then, and of multiples.
struct Limits {
    most: f64,
    least: f64,
    /// A power of two, so that nothing is lost to rounding.
    scale: f64,
}

impl Limits {
    fn of(compute: DType) -> Self {
        match compute {
            DType::F64 => Self { most: 1e300, least: 1e-280, scale: 2_f64.powi(512) },
            _ => Self { most: 1e37, least: 1e-30, scale: 2_f64.powi(64) },
        }
    }
}

/// The squares of an element, of a fraction and of a multiple of it.
fn squares(compute: DType) -> Arc<Graph> {
    let graph = |Limits { scale, .. }: Limits| {
        let literal = |number: f64| Node::Literal(number.to_bits());
        let nodes = vec![
            Node::Parameter,
            Node::Mul(0, 0),
            literal(1.0 / scale),
            Node::Mul(0, 2),
            Node::Mul(3, 3),
            literal(scale),
            Node::Mul(0, 5),
            Node::Mul(6, 6),
        ];
        Arc::new(Graph { nodes, outputs: vec![1, 4, 7] })
    };
    static F32: OnceLock<Arc<Graph>> = OnceLock::new();
    static F64: OnceLock<Arc<Graph>> = OnceLock::new();
    let made = if compute == DType::F64 { &F64 } else { &F32 };
    made.get_or_init(|| graph(Limits::of(compute))).clone()
}

/// Adds the squares of a tensor, if it lies on a device of this engine, and where the sum lies.
pub(crate) fn add_squares<const D: usize>(total: &mut Option<Total>, tensor: &Tensor<D>) -> bool {
    let compute = compute_dtype(tensor.dtype());
    let tensor = tensor.clone().into_dispatch();
    if !matches!(tensor.kind, DispatchTensorKind::Cube(BackendTensor::Float(_))) {
        return false;
    }
    let graph = squares(compute);
    let sum = total.take().unwrap_or_else(|| Total::beside(&tensor, graph.outputs.len()));
    let fits = sum.parts.kind.device() == tensor.kind.device() && sum.parts.dtype() == compute;
    *total = Some(match fits {
        true => sum.add(vec![tensor], vec![], &Scalars::default(), graph),
        false => sum,
    });
    fits
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_add(
    parts: &CubeTensor,
    inputs: &[CubeTensor],
    states: &[CubeTensor],
    beside: &[CubeTensor],
    work: Work,
) {
    let tensor = &inputs[0];
    let count = tensor.meta.num_elements();
    if count == 0 {
        return;
    }
    let client = &tensor.client;
    let (stored, compute) = (stored_type(tensor), compute_type(tensor));
    let width = width(tensor);
    let units = (count / width).min(parts.meta.num_elements() / work.graph.outputs.len());
    let cube_dim = CubeDim::new(client, units);
    let cubes = calculate_cube_count_elemwise(client, units, cube_dim);
    let buffer = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    // SAFETY: inputs and states are contiguous and of one shape, so every buffer holds `count`
    // elements, beyond which no unit reads. There are as many parts as units at least for each
    // output, and each unit writes its own; units beyond them do nothing. Nobody else holds the parts.
    unsafe {
        add::launch_unchecked(
            client,
            cubes,
            cube_dim,
            width,
            buffer(parts),
            inputs.iter().map(buffer).collect(),
            states.iter().map(buffer).collect(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work),
            units,
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_fold(from: &CubeTensor, to: &CubeTensor) {
    let units = to.meta.num_elements();
    let cube_dim = CubeDim::new(&to.client, units);
    let cubes = calculate_cube_count_elemwise(&to.client, units, cube_dim);
    let buffer = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    // SAFETY: both are contiguous; a unit reads and writes inside their lengths only. Nobody else
    // holds `to`.
    unsafe {
        fold::launch_unchecked(
            &to.client,
            cubes,
            cube_dim,
            buffer(from),
            buffer(to),
            compute_type(to),
        );
    }
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_norm(squares: &CubeTensor, to: &CubeTensor) {
    let cube_dim = CubeDim::new(&to.client, 1);
    let cubes = calculate_cube_count_elemwise(&to.client, 1, cube_dim);
    let buffer = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    let compute = compute_type(to);
    let Limits { most, least, scale } = Limits::of(to.dtype);
    let limits = [most, least, scale].map(|limit| InputScalar::new(limit, compute));
    // SAFETY: there are three sums, and one number to write, which the first unit does. Nobody else
    // holds `to`.
    unsafe {
        norm::launch_unchecked(
            &to.client,
            cubes,
            cube_dim,
            buffer(squares),
            buffer(to),
            limits.into_iter().collect(),
            compute,
        );
    }
}
