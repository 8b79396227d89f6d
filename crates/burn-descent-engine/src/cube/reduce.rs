//! Sums over whole tensors that stay on the device, with the same bits in every run: each workgroup of a launch adds up a
//! part of one of many tensors, and a last launch adds up the parts.

use super::arguments::{address, buffer, compute_type, numbers, stored_type, words};
use super::emit::apply;
use super::extension::Work;
use super::kernel::{Many, Tensors};
use super::layout::{Walk, block};
use super::share::{Share, Shares, all_known, meet, share_of};
use crate::state::{compute_dtype, tensor};
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::tensor::Tensor;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::prelude::*;
use std::sync::Arc;

/// Workgroups for one tensor at most: two and more for each multiprocessor of a card.
const WORKGROUPS: usize = 1 << 10;

/// The same on a software adapter, whose few cores take one workgroup after another.
const WORKGROUPS_OF_A_CPU: usize = 1 << 6;

/// Units of a plane on any GPU, at least. Those of a software adapter are shorter: they are the vectors of a CPU.
const PLANE: u32 = 32;

/// Vectors that a unit adds up at least, where there are as many.
const LEAST: usize = 8;

/// Vectors that a unit adds up before it adds them to its sum: a short sum loses less to rounding. Most tensors have about
/// [`LEAST`] for each unit, and a longer run would look for more of them in vain.
const RUN: usize = 16;

/// Adds up the graph of all elements of each tensor: each workgroup leaves a part of each output, behind those of the
/// launches before.
#[cube(launch_unchecked, address_type = "dynamic")]
fn add<P: Float, C: Float, N: Size>(
    parts: &mut [C],
    parameters: &Sequence<Box<[Vector<P, N>]>>,
    gradients: &Sequence<Box<[Vector<P, N>]>>,
    states: &Sequence<Box<[Vector<C, N>]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    shares: &Sequence<Share>,
    counts: &Sequence<InputScalar>,
    known: &Sequence<Box<[C]>>,
    before: usize,
    #[comptime] each: Vec<usize>,
    #[comptime] block: usize,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let (count, outputs) = comptime!((shares.len(), graph.outputs.len()));
    let met = comptime!(1 + gradients.len() / count + states.len() / count);
    let many = comptime!(counts.len().min(1) + each.iter().sum::<usize>());
    let mut about = Array::<usize>::new(3usize);
    let mut own = Array::<C>::new(comptime!(many.max(1)));
    share_of::<C>(&mut about, &mut own, shares, counts, known, each, 0usize, count);
    let known = all_known::<C>(beside, &own, many);
    let units = about[1usize] * block;
    let vectors = about[2usize];
    let unit = (CUBE_POS - about[0usize]) * block + UNIT_POS as usize;
    let mut found = Array::<Vector<C, N>>::new(met);
    let mut sums = Array::<Vector<C, N>>::new(outputs);
    let mut run = Array::<Vector<C, N>>::new(outputs);
    #[unroll]
    for output in 0..outputs {
        sums[output] = Vector::<C, N>::new(C::from_int(0));
    }
    for start in range_stepped(unit, vectors, units * RUN) {
        #[unroll]
        for output in 0..outputs {
            run[output] = Vector::<C, N>::new(C::from_int(0));
        }
        for step in 0..RUN {
            let vector = start + step * units;
            if vector < vectors {
                meet::<P, C, N>(
                    &mut found, parameters, gradients, states, shares, vector, 0usize, count,
                );
                let mut inputs = Sequence::<Vector<C, N>>::new();
                #[unroll]
                for number in 0..met {
                    inputs.push(found[number]);
                }
                let (graph, lanes) = comptime!((graph.clone(), lanes.clone()));
                let terms = apply::<C, N>(vector, &inputs, scalars, &known, key, graph, lanes);
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
        let part = sum_of_block::<C>(total, block);
        if UNIT_POS == 0 {
            parts[(before + CUBE_POS) * outputs + output] = part;
        }
    }
}

/// The sum of the numbers of all units of a workgroup, always in the same order.
#[cube]
fn sum_of_block<C: Float>(number: C, #[comptime] block: usize) -> C {
    let mut sums = Shared::<[C]>::new_slice(block);
    let here = UNIT_POS as usize;
    sums[here] = number;
    #[unroll]
    for turn in 0..comptime!(block.ilog2() as usize) {
        sync_cube();
        let step = comptime!(block >> (turn + 1));
        if here < step {
            sums[here] = sums[here] + sums[here + step];
        }
    }
    sync_cube();
    sums[0usize]
}

/// Parts that are added up, and which sums they make.
#[derive(CubeType, CubeLaunch)]
struct Stretch {
    first: usize,
    parts: usize,
    to: usize,
}

/// Adds up the parts of each range: a workgroup for each sum of each of them.
#[cube(launch_unchecked)]
fn fold<C: Float>(
    from: &[C],
    to: &mut [C],
    ranges: &Sequence<Stretch>,
    outputs: usize,
    #[comptime] block: usize,
    #[define(C)] _dtype: ElemType,
) {
    let (tensor, output) = (CUBE_POS / outputs, CUBE_POS % outputs);
    let mut about = Array::<usize>::new(3usize);
    #[unroll]
    for number in 0..ranges.len() {
        if tensor == number {
            let range = &ranges[number];
            about[0usize] = range.first;
            about[1usize] = range.parts;
            about[2usize] = range.to;
        }
    }
    let mut sum = C::from_int(0);
    for part in range_stepped(UNIT_POS as usize, about[1usize], block) {
        sum += from[(about[0usize] + part) * outputs + output];
    }
    let sum = sum_of_block::<C>(sum, block);
    if UNIT_POS == 0 {
        to[about[2usize] * outputs + output] = sum;
    }
}

/// Room for numbers beside a tensor, in the precision that it is computed in.
pub(super) fn room(beside: &DispatchTensor, count: usize) -> DispatchTensor {
    let (device, dtype) = (tensor(beside).device(), compute_dtype(beside.dtype()));
    Tensor::<1>::empty([count], (&device, dtype)).into_dispatch()
}

/// How many workgroups add up a tensor of this walk.
pub(super) fn workgroups(walk: &Walk, client: &Client) -> usize {
    let is_gpu = client.properties().hardware.plane_size_max >= PLANE;
    let most = if is_gpu { WORKGROUPS } else { WORKGROUPS_OF_A_CPU };
    walk.units.div_ceil(LEAST * block(client)).min(most)
}

/// Adds up tensors that are walked over alike, and leaves a part of each output for each of their workgroups, behind those
/// that are there.
#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_add(
    tensors: &[(Tensors<'_>, &Walk)],
    many: &Many<'_>,
    (parts, before): (&CubeTensor, usize),
    beside: &[CubeTensor],
    work: Work,
) {
    let all = || tensors.iter().flat_map(|(tensors, _)| tensors.all());
    let (Some(first), Some((_, walk))) = (all().next(), tensors.first()) else { return };
    let (client, block) = (&first.client, block(&first.client));
    let (stored, compute) = (stored_type(first), compute_type(first));
    let walks = || many.numbers.iter().zip(tensors).map(|(number, (_, walk))| (*number, *walk));
    let shares = Shares::of(walks().map(|(_, walk)| workgroups(walk, client)));
    let parameters = tensors.iter().filter_map(|(tensors, _)| tensors.parameter);
    let gradients = tensors.iter().filter_map(|(tensors, _)| tensors.gradient);
    let states = tensors.iter().flat_map(|(tensors, _)| tensors.states);
    let count = |count: &usize| InputScalar::new(*count as f64, compute);
    // SAFETY: the walk of a tensor is over the elements of all that it has, beyond which no unit reads, and each list of
    // sums has those of all tensors. There is a part of each output for each workgroup, whose first unit writes it, and
    // nobody else holds the parts.
    unsafe {
        add::launch_unchecked(
            client,
            CubeCount::Static(shares.workgroups as u32, 1, 1),
            CubeDim::new_1d(block as u32),
            address(all()),
            walk.width,
            buffer(parts),
            parameters.map(buffer).collect(),
            gradients.map(buffer).collect(),
            states.map(buffer).collect(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work.key),
            shares.launch(walks()),
            many.counts.iter().map(count).collect(),
            many.sums.iter().map(buffer).collect(),
            before,
            many.each.clone(),
            block,
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}

/// Adds up, for each range of parts, what is the first of them, how many there are, and for which sums of `to`.
#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_fold(
    from: &CubeTensor,
    ranges: &[[usize; 3]],
    to: &CubeTensor,
    outputs: usize,
) {
    let (client, block) = (&to.client, block(&to.client));
    let range = |[first, parts, to]: &[usize; 3]| StretchLaunch::new(*first, *parts, *to);
    // SAFETY: each range has as many parts of each output, and the first unit of each workgroup writes one number, for which
    // there is room. Nobody else holds `to`.
    unsafe {
        fold::launch_unchecked(
            client,
            CubeCount::Static((ranges.len() * outputs) as u32, 1, 1),
            CubeDim::new_1d(block as u32),
            buffer(from),
            buffer(to),
            ranges.iter().map(range).collect(),
            outputs,
            block,
            compute_type(to),
        );
    }
}
