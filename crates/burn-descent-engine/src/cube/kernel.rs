//! The kernel and its launch.

use super::emit::apply;
use super::extension::{Engine, List, Work};
use super::layout::{Layout, Rows, Walk};
use super::norm::launch_norm;
use super::reduce::{launch_add, launch_fold};
use crate::state::compute_dtype;
use burn::backend::cubecl::dtype_to_storage_type as dtype_to_elem_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::ir::UIntKind;
use cubecl::prelude::*;
use std::sync::Arc;

/// Every buffer but the gradient is read and written in place. The learning rate and all else
/// that changes with the step are launch arguments: a new value compiles nothing.
#[cube(launch_unchecked, address_type = "dynamic")]
fn update<P: Float, C: Float, N: Size>(
    parameter: &mut [Vector<P, N>],
    gradient: &[Vector<P, N>],
    states: &mut Sequence<Box<[Vector<C, N>]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    walk: &Rows,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let unit = ABSOLUTE_POS;
    if unit < walk.units {
        let i = walk.place(unit);
        let mut inputs = Sequence::<Vector<C, N>>::new();
        inputs.push(Vector::cast_from(parameter[i]));
        inputs.push(Vector::cast_from(gradient[i]));
        #[unroll]
        for lane in 0..states.len() {
            let state = &states[lane];
            inputs.push(state[i]);
        }
        let mut known = Sequence::<C>::new();
        #[unroll]
        for number in 0..beside.len() {
            let scalar = &beside[number];
            known.push(scalar[0]);
        }
        let outputs = apply::<C, N>(unit, &inputs, scalars, &known, key, graph, lanes);
        parameter[i] = Vector::cast_from(outputs[0]);
        #[unroll]
        for lane in 0..states.len() {
            let state = &mut states[lane];
            state[i] = outputs[lane + 1];
        }
    }
}

impl Engine for CubeBackend {
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        beside: List<Self>,
        work: Work,
    ) -> (FloatTensor<Self>, List<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, states);
        }
        let parameter = untile(parameter);
        // Where a parameter cannot be walked over, it moves to where its gradient can.
        let layout = walkable(&parameter, &work).or_else(|| walkable(&gradient, &work));
        let layout = layout.unwrap_or_else(|| Layout::contiguous(&parameter));
        let (parameter, gradient) = (layout.lay_alone(parameter), layout.lay(gradient));
        let states = states.into_vec().into_iter().map(|state| layout.lay_alone(state));
        let states: Vec<_> = states.collect();
        launch(&layout, &parameter, &gradient, &states, &beside.into_vec(), work);
        (parameter, List::new(states))
    }

    fn add(
        parts: FloatTensor<Self>,
        inputs: List<Self>,
        states: List<Self>,
        beside: List<Self>,
        work: Work,
    ) -> FloatTensor<Self> {
        let inputs: Vec<_> = inputs.into_vec().into_iter().map(untile).collect();
        if inputs[0].meta.num_elements() == 0 {
            return parts;
        }
        let states = states.into_vec();
        let layout = walkable(&inputs[0], &work);
        let layout = layout.unwrap_or_else(|| Layout::contiguous(&inputs[0]));
        let lay = |list: Vec<_>| list.into_iter().map(|tensor| layout.lay(tensor)).collect();
        let (inputs, states): (Vec<_>, Vec<_>) = (lay(inputs), lay(states));
        let parts = alone(parts);
        launch_add(&layout, &parts, &inputs, &states, &beside.into_vec(), work);
        parts
    }

    fn fold(from: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let to = alone(to);
        launch_fold(&from, &to);
        to
    }

    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let to = alone(to);
        launch_norm(&squares, &to);
        to
    }
}

/// The layout of a tensor that can be walked over as it lies. Noise is drawn by the places of
/// elements in their tensor.
fn walkable(tensor: &CubeTensor, work: &Work) -> Option<Layout> {
    Layout::of(tensor).filter(|layout| work.key.is_empty() || layout.is_in_order())
}

/// A list of sums, in a buffer that nobody else holds.
fn alone(sums: CubeTensor) -> CubeTensor {
    Layout::contiguous(&sums).lay_alone(sums)
}

/// The type in which the elements of a tensor are stored.
pub(super) fn stored_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(tensor.dtype)
}

/// The type in which they are computed.
pub(super) fn compute_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(compute_dtype(tensor.dtype))
}

pub(super) fn buffer(tensor: &CubeTensor) -> BufferArg {
    tensor.clone().into_buffer_arg()
}

/// Numbers that index as many places of a buffer.
pub(super) fn address(tensors: &[&CubeTensor]) -> AddressType {
    let places = |tensor: &&CubeTensor| tensor.handle.size() as usize / tensor.dtype.size();
    AddressType::from_len(tensors.iter().map(places).max().unwrap_or(0))
}

/// The scalars that are numbers, as launch arguments.
pub(super) fn numbers(work: &Work, compute: ElemType) -> SequenceArg<InputScalar> {
    work.numbers.iter().map(|number| InputScalar::new(*number, compute)).collect()
}

/// The words that noise follows from, as launch arguments.
pub(super) fn words(work: &Work) -> SequenceArg<InputScalar> {
    let word = |word: &u32| InputScalar::new(*word, ElemType::UInt(UIntKind::U32));
    work.key.iter().map(word).collect()
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
fn launch(
    layout: &Layout,
    parameter: &CubeTensor,
    gradient: &CubeTensor,
    states: &[CubeTensor],
    beside: &[CubeTensor],
    work: Work,
) {
    let client = &parameter.client;
    let (stored, compute) = (stored_type(parameter), compute_type(parameter));
    let tensors: Vec<_> = [parameter, gradient].into_iter().chain(states).collect();
    let walk = match work.key.is_empty() {
        true => Walk::places(layout, &tensors),
        false => Walk::elements(layout, &tensors),
    };
    let (cubes, block) = walk.cubes(client);
    // SAFETY: all tensors have this layout, so a place is of the same element in each of them, and the
    // walk ends before the end of each buffer; the kernel leaves out the units beyond it in the last
    // cube. Parameter and states have just been laid alone, so no other tensor sees their buffers.
    unsafe {
        update::launch_unchecked(
            client,
            cubes,
            block,
            address(&tensors),
            walk.width,
            buffer(parameter),
            buffer(gradient),
            states.iter().map(buffer).collect(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work),
            walk.launch(),
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}
