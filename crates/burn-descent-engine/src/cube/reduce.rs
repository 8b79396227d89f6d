//! Sums over whole tensors that stay on the device, with the same bits in every run: each unit of a
//! launch adds to a part of its own, and two small launches add up the parts.

use super::emit::apply;
use super::extension::{Engine, List, Work};
use super::kernel::{address, buffer, compute_type, numbers, stored_type, words};
use super::layout::{Layout, Rows, Walk, cubes};
use crate::scalars::Scalars;
use crate::state::{compute_dtype, tensor};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::prelude::*;
use std::sync::Arc;

/// Parts of a sum: as many units work on a tensor at most.
const PARTS: usize = 1 << 14;

/// Parts of these parts.
const MIDDLE: usize = 1 << 7;

/// Elements that a unit adds up before it adds them to its sum: a short sum loses less to rounding.
const RUN: usize = 64;

/// Adds the graph of all elements to the parts: each output to one of its own.
#[cube(launch_unchecked, address_type = "dynamic")]
fn add<P: Float, C: Float, N: Size>(
    parts: &mut [C],
    inputs: &Sequence<Box<[Vector<P, N>]>>,
    states: &Sequence<Box<[Vector<C, N>]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    walk: &Rows,
    units: usize,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let unit = ABSOLUTE_POS;
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
        for start in range_stepped(unit, walk.units, units * RUN) {
            #[unroll]
            for output in 0..outputs {
                run[output] = Vector::<C, N>::new(C::from_int(0));
            }
            for step in 0..RUN {
                let vector = start + step * units;
                if vector < walk.units {
                    let i = walk.place(vector);
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
                    let terms = apply::<C, N>(
                        vector,
                        &met,
                        scalars,
                        &known,
                        key,
                        graph.clone(),
                        lanes.clone(),
                    );
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

/// Every one of the `sums` elements of `to` is the sum of as many of the `parts` of `from`.
#[cube(launch_unchecked)]
fn fold<C: Float>(
    from: &[C],
    to: &mut [C],
    parts: usize,
    sums: usize,
    #[define(C)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit < sums {
        let mut sum = C::from_int(0);
        for i in range_stepped(unit, parts, sums) {
            sum += from[i];
        }
        to[unit] = sum;
    }
}

/// Sums of the outputs of a graph, in parts.
pub(crate) struct Total {
    pub(super) parts: DispatchTensor,
    /// How many sums.
    outputs: usize,
}

impl Total {
    /// Zero, beside a tensor and in the precision that this is computed in.
    pub(super) fn beside(there: &DispatchTensor, outputs: usize) -> Self {
        let (device, dtype) = place(there);
        let parts = Tensor::<1>::zeros([PARTS * outputs], (&device, dtype)).into_dispatch();
        Self { parts, outputs }
    }

    /// Adds the graph of all elements of some tensors.
    pub(super) fn add(
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
    pub(super) fn sums(self) -> DispatchTensor {
        let middle = self.empty(MIDDLE * self.outputs);
        let sums = self.empty(self.outputs);
        <Dispatch as Engine>::fold(<Dispatch as Engine>::fold(self.parts, middle), sums)
    }

    pub(super) fn empty(&self, count: usize) -> DispatchTensor {
        let (device, dtype) = place(&self.parts);
        Tensor::<1>::empty([count], (&device, dtype)).into_dispatch()
    }
}

/// Where a sum of this tensor lies, and in which precision.
fn place(beside: &DispatchTensor) -> (Device, DType) {
    (tensor(beside).device(), compute_dtype(beside.dtype()))
}

/// The sums of a graph over all elements of a parameter and what belongs to it: a tensor of one element for
/// each output.
pub(super) fn sums(
    graph: Arc<Graph>,
    parameter: &DispatchTensor,
    gradient: &DispatchTensor,
    states: &[DispatchTensor],
    scalars: &Scalars,
) -> Vec<DispatchTensor> {
    let inputs = vec![parameter.clone(), gradient.clone()];
    let outputs = graph.outputs.len();
    let total = Total::beside(parameter, outputs).add(inputs, states.to_vec(), scalars, graph);
    let sums = total.sums();
    match outputs {
        1 => vec![sums],
        _ => (0..outputs).map(|at| tensor(&sums).narrow(0, at, 1).into_dispatch()).collect(),
    }
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_add(
    layout: &Layout,
    parts: &CubeTensor,
    inputs: &[CubeTensor],
    states: &[CubeTensor],
    beside: &[CubeTensor],
    work: Work,
) {
    let tensor = &inputs[0];
    let client = &tensor.client;
    let (stored, compute) = (stored_type(tensor), compute_type(tensor));
    let tensors: Vec<_> = inputs.iter().chain(states).collect();
    let walk = Walk::elements(layout, &tensors);
    let units = walk.units.min(parts.meta.num_elements() / work.graph.outputs.len());
    let (cubes, block) = cubes(client, units);
    // SAFETY: inputs and states have this layout, and the walk is over their elements, beyond which no
    // unit reads. There are as many parts as units at least for each output, and each unit writes its
    // own; units beyond them do nothing. Nobody else holds the parts.
    unsafe {
        add::launch_unchecked(
            client,
            cubes,
            block,
            address(&tensors),
            walk.width,
            buffer(parts),
            inputs.iter().map(buffer).collect(),
            states.iter().map(buffer).collect(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work.key),
            walk.launch(),
            units,
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_fold(from: &CubeTensor, to: &CubeTensor) {
    let [parts, sums] = [from, to].map(|tensor| tensor.meta.num_elements());
    let (cubes, block) = cubes(&to.client, sums);
    // SAFETY: both are lists without gaps; a unit reads and writes inside their lengths only. Nobody
    // else holds `to`.
    unsafe {
        fold::launch_unchecked(
            &to.client,
            cubes,
            block,
            buffer(from),
            buffer(to),
            parts,
            sums,
            compute_type(to),
        );
    }
}
